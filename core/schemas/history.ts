import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, pathArgumentSchema, timeSchema, wirePathSchema } from './parts.ts';
import {
  changeSchema,
  DOUBT_REQUIRED,
  doubtProperties,
  ENTRY_REQUIRED,
  entryProperties,
  entrySchema,
  nextSchema,
  pageProperties,
  UNIT_REQUIRED,
  unitProperties,
} from './reading.ts';
import { subjectProperties } from './subject.ts';

const stretchProperties = {
  first: { type: 'string', description: 'The oldest snapshot of the stretch.' },
  firstTaken: timeSchema,
  last: { type: 'string', description: 'The newest snapshot of the stretch.' },
  lastTaken: timeSchema,
  snapshots: { ...countSchema, description: 'How many snapshots in a row have this version.' },
} as const;
const STRETCH_REQUIRED = ['first', 'firstTaken', 'last', 'lastTaken', 'snapshots'] as const;

/** One version of an entry, and which snapshots in a row have it. */
export const versionSchema = {
  type: 'object',
  properties: { ...stretchProperties, ...entryProperties },
  required: [...STRETCH_REQUIRED, ...ENTRY_REQUIRED],
  additionalProperties: false,
} as const;
export type VersionResult = FromSchema<typeof versionSchema>;

/** Tells when one path changed. */
export const historyRequest = {
  type: 'object',
  properties: {
    ...subjectProperties,
    path: pathArgumentSchema,
    ...pageProperties,
  },
  required: ['unit', 'path'],
  additionalProperties: false,
} as const;

const eventSchema = {
  type: 'object',
  properties: {
    event: {
      enum: ['first', 'appeared', 'changed', 'deleted', 'reappeared'],
      description: 'first: already in the oldest snapshot that is kept.',
    },
    ...stretchProperties,
    changes: { type: 'array', items: changeSchema, description: 'Since the version before.' },
    entry: { anyOf: [entrySchema, { type: 'null' }], description: 'Null while it is deleted.' },
  },
  required: ['event', ...STRETCH_REQUIRED, 'changes', 'entry'],
  additionalProperties: false,
} as const;

export const historyResult = {
  type: 'object',
  properties: {
    ...doubtProperties,
    ...unitProperties,
    ...wirePathSchema.properties,
    snapshots: { ...countSchema, description: 'How many snapshots were looked at.' },
    events: { type: 'array', items: eventSchema, description: 'Newest first.' },
    next: nextSchema,
  },
  required: [...DOUBT_REQUIRED, ...UNIT_REQUIRED, 'path', 'snapshots', 'events', 'next'],
  additionalProperties: false,
} as const;

export type HistoryRequest = FromSchema<typeof historyRequest>;
export type HistoryResult = FromSchema<typeof historyResult>;
export type HistoryEvent = FromSchema<typeof eventSchema>;

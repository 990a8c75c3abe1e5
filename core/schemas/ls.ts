import type { FromSchema } from '../config/schema-type.ts';
import { pathArgumentSchema, wirePathSchema } from './parts.ts';
import {
  atSchema,
  DOUBT_REQUIRED,
  doubtProperties,
  ENTRY_REQUIRED,
  entryProperties,
  nextSchema,
  pageProperties,
  pointInTimeSchema,
  UNIT_REQUIRED,
  unitProperties,
} from './reading.ts';
import { subjectProperties } from './subject.ts';

/** Lists a folder as it was at a point in time. */
export const lsRequest = {
  type: 'object',
  properties: {
    ...subjectProperties,
    folder: {
      ...pathArgumentSchema,
      description: 'As in the backup: shadow/var/www; for anything but a folder the entry itself. None: the top.',
    },
    at: atSchema,
    recursive: { type: 'boolean', description: 'Everything below the folder, too.' },
    ...pageProperties,
  },
  required: ['unit'],
  additionalProperties: false,
} as const;

const listedEntry = {
  type: 'object',
  properties: { ...wirePathSchema.properties, ...entryProperties },
  required: ['path', ...ENTRY_REQUIRED],
  additionalProperties: false,
} as const;

/** A directory above what the unit `system` backs up. */
const bareDirectory = {
  type: 'object',
  properties: { ...wirePathSchema.properties, kind: { const: 'directory' } },
  required: ['path', 'kind'],
  additionalProperties: false,
} as const;

export const lsResult = {
  type: 'object',
  properties: {
    ...doubtProperties,
    ...unitProperties,
    moment: pointInTimeSchema,
    entries: {
      type: 'array',
      items: {
        anyOf: [listedEntry, bareDirectory],
        description: 'A directory that is not backed up itself, only something below it, has no properties.',
      },
    },
    next: nextSchema,
  },
  required: [...DOUBT_REQUIRED, ...UNIT_REQUIRED, 'moment', 'entries', 'next'],
  additionalProperties: false,
} as const;

export type LsRequest = FromSchema<typeof lsRequest>;
export type LsResult = FromSchema<typeof lsResult>;
export type ListedEntry = LsResult['entries'][number];

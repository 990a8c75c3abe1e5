import type { FromSchema } from '../config/schema-type.ts';
import { versionSchema } from './history.ts';
import { countSchema, pathArgumentSchema, wirePathSchema } from './parts.ts';
import { DOUBT_REQUIRED, doubtProperties, nextSchema, pageProperties, UNIT_REQUIRED, unitProperties } from './reading.ts';
import { subjectProperties } from './subject.ts';

/** Looks for names over all snapshots of a unit. */
export const findRequest = {
  type: 'object',
  properties: {
    ...subjectProperties,
    pattern: {
      type: 'string',
      minLength: 1,
      maxLength: 4096,
      description:
        'A glob: * ? [..] within a name, ** for any number of folders. Without a slash it fits a name anywhere, with a slash a path from the top; a slash at the end fits directories only.',
    },
    folder: { ...pathArgumentSchema, description: 'Only what lies below it. None: everywhere.' },
    ...pageProperties,
  },
  required: ['unit', 'pattern'],
  additionalProperties: false,
} as const;

const foundPath = {
  type: 'object',
  properties: {
    ...wirePathSchema.properties,
    deleted: { type: 'boolean', description: 'Whether the newest snapshot does not have it any more.' },
    versions: { type: 'array', items: versionSchema, description: 'Newest first.' },
  },
  required: ['path', 'deleted', 'versions'],
  additionalProperties: false,
} as const;

export const findResult = {
  type: 'object',
  properties: {
    ...doubtProperties,
    ...unitProperties,
    snapshots: { ...countSchema, description: 'How many snapshots were looked at.' },
    found: { type: 'array', items: foundPath, description: 'In the order of paths.' },
    next: nextSchema,
  },
  required: [...DOUBT_REQUIRED, ...UNIT_REQUIRED, 'snapshots', 'found', 'next'],
  additionalProperties: false,
} as const;

export type FindRequest = FromSchema<typeof findRequest>;
export type FindResult = FromSchema<typeof findResult>;
export type FoundPath = FromSchema<typeof foundPath>;

import type { FromSchema } from '../config/schema-type.ts';
import { pathArgumentSchema, warningSchema, wirePathSchema } from './parts.ts';
import {
  atSchema,
  changeSchema,
  DOUBT_REQUIRED,
  doubtProperties,
  entrySchema,
  nextSchema,
  pageProperties,
  pointInTimeSchema,
  UNIT_REQUIRED,
  unitProperties,
} from './reading.ts';
import { subjectProperties } from './subject.ts';

/** Compares two points in time, or one with what is on the server now. */
export const diffRequest = {
  type: 'object',
  properties: {
    ...subjectProperties,
    folder: { ...pathArgumentSchema, description: 'Only this path and what lies below it. None: everything.' },
    from: atSchema,
    to: atSchema,
    live: { type: 'boolean', description: 'Compare with the server as it is now instead of `to`. No content is read.' },
    ...pageProperties,
  },
  required: ['unit'],
  additionalProperties: false,
} as const;

const differenceSchema = {
  type: 'object',
  properties: {
    ...wirePathSchema.properties,
    difference: { enum: ['added', 'removed', 'changed'] },
    changes: {
      type: 'array',
      items: changeSchema,
      description: 'Of `changed`. Against the live tree, `content` means that it may have changed, judged by size, times and inode.',
    },
    before: { anyOf: [entrySchema, { type: 'null' }] },
    after: { anyOf: [entrySchema, { type: 'null' }], description: 'Of the live tree: without digest.' },
  },
  required: ['path', 'difference', 'changes', 'before', 'after'],
  additionalProperties: false,
} as const;

export const diffResult = {
  type: 'object',
  properties: {
    ...doubtProperties,
    ...unitProperties,
    from: pointInTimeSchema,
    to: { anyOf: [pointInTimeSchema, { type: 'null' }], description: 'Null: the live tree.' },
    differences: { type: 'array', items: differenceSchema, description: 'In the order of paths.' },
    warnings: {
      type: 'array',
      items: warningSchema,
      description: 'What could not be used, and parts of the live tree that could not be looked at.',
    },
    next: nextSchema,
  },
  required: [...DOUBT_REQUIRED, ...UNIT_REQUIRED, 'from', 'to', 'differences', 'next'],
  additionalProperties: false,
} as const;

export type DiffRequest = FromSchema<typeof diffRequest>;
export type DiffResult = FromSchema<typeof diffResult>;
export type Difference = FromSchema<typeof differenceSchema>;

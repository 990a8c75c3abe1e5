import type { FromSchema } from '../../config/schema-type.ts';
import { countSchema, levelSchema, timeSchema, unitNameSchema } from './parts.ts';

/** Names the restore points of a unit, or of all, oldest first. */
export const listRequest = {
  type: 'object',
  properties: { unit: unitNameSchema },
  additionalProperties: false,
} as const;

const snapshotSummary = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    unit: unitNameSchema,
    unitId: { type: 'string', description: 'The incarnation: a site id is reused for another customer, this is not.' },
    level: levelSchema,
    synthetic: { type: 'boolean' },
    time: timeSchema,
    finished: timeSchema,
    entries: countSchema,
    changed: countSchema,
    deleted: countSchema,
    bytesTotal: countSchema,
    bytesStored: countSchema,
    warningCount: countSchema,
  },
  required: [
    'id',
    'unit',
    'unitId',
    'level',
    'synthetic',
    'time',
    'finished',
    'entries',
    'changed',
    'deleted',
    'bytesTotal',
    'bytesStored',
    'warningCount',
  ],
  additionalProperties: false,
} as const;

export const listResult = {
  type: 'object',
  properties: { snapshots: { type: 'array', items: snapshotSummary } },
  required: ['snapshots'],
  additionalProperties: false,
} as const;

export type ListRequest = FromSchema<typeof listRequest>;
export type ListResult = FromSchema<typeof listResult>;
export type SnapshotSummary = FromSchema<typeof snapshotSummary>;

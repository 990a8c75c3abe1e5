import type { FromSchema } from '../config/schema-type.ts';
import { identityProperties } from './keys.ts';
import { countSchema, levelSchema, timeSchema, unitNameSchema } from './parts.ts';
import { policySchema, unitArgumentSchema } from './reading.ts';
import { earlierSchema, serverArgumentSchema } from './servers.ts';

/** Names the restore points of a unit, or of all, oldest first. */
export const listRequest = {
  type: 'object',
  properties: {
    unit: unitArgumentSchema,
    server: serverArgumentSchema,
    policy: policySchema,
    ...identityProperties,
    earlier: earlierSchema,
    domain: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'In the place of a unit: all that accounts left which have or had this domain, as far as it was noted.',
    },
    incarnation: { type: 'string', description: 'The id of a unit instead, also of an earlier customer of a site id.' },
  },
  additionalProperties: false,
} as const;

const snapshotSummary = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    unit: unitNameSchema,
    unitId: { type: 'string', description: 'The incarnation: a site id is reused for another customer, this id is not.' },
    current: { type: 'boolean', description: 'Whether this incarnation is the one that lives on the server now.' },
    domain: {
      anyOf: [{ type: 'string' }, { type: 'null' }],
      description: 'Of the account then; null where there is none, or it cannot be read here.',
    },
    level: levelSchema,
    synthetic: { type: 'boolean' },
    reason: { type: 'string', description: 'Why this level was taken.' },
    time: timeSchema,
    finished: timeSchema,
    entries: countSchema,
    changed: countSchema,
    deleted: countSchema,
    bytesTotal: countSchema,
    bytesStored: countSchema,
    warningCount: countSchema,
    restorable: {
      type: 'boolean',
      description: 'False when something that a restore needs is missing or cut; `verify` looks more closely.',
    },
    obstacle: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'What is missing or cut.' },
  },
  required: [
    'id',
    'unit',
    'unitId',
    'current',
    'domain',
    'level',
    'synthetic',
    'reason',
    'time',
    'finished',
    'entries',
    'changed',
    'deleted',
    'bytesTotal',
    'bytesStored',
    'warningCount',
    'restorable',
    'obstacle',
  ],
  additionalProperties: false,
} as const;

const unusableRecord = {
  type: 'object',
  properties: {
    object: { type: 'string', description: 'Its path below the repository.' },
    unitId: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'Null: it is of no unit.' },
    code: { type: 'string' },
    message: { type: 'string' },
  },
  required: ['object', 'unitId', 'code', 'message'],
  additionalProperties: false,
} as const;

export const listResult = {
  type: 'object',
  properties: {
    status: {
      enum: ['ok', 'damaged'],
      description: 'Damaged when something cannot be used that would be in the list, or say what belongs to it.',
    },
    snapshots: { type: 'array', items: snapshotSummary },
    unusable: {
      type: 'array',
      items: unusableRecord,
      description: 'Records, units and notes about units that are there and cannot be used.',
    },
  },
  required: ['status', 'snapshots', 'unusable'],
  additionalProperties: false,
} as const;

export type ListRequest = FromSchema<typeof listRequest>;
export type ListResult = FromSchema<typeof listResult>;
export type SnapshotSummary = FromSchema<typeof snapshotSummary>;

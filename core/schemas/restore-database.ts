import type { FromSchema } from '../config/schema-type.ts';
import { identityProperties } from './keys.ts';
import { countSchema, pathArgumentSchema, timeSchema, unitNameSchema } from './parts.ts';
import { atSchema, currentSchema, pointInTimeSchema, unitArgumentSchema, unitIdSchema } from './reading.ts';
import { earlierSchema, serverArgumentSchema } from './servers.ts';

const engineSchema = { enum: ['mysql', 'postgresql'] } as const;

/** Brings databases back as they were. */
export const restoreDatabaseRequest = {
  type: 'object',
  properties: {
    unit: unitArgumentSchema,
    server: serverArgumentSchema,
    earlier: earlierSchema,
    ...identityProperties,
    policy: { enum: ['owner'], description: 'Asked by the owner of the account: brings back what is that one’s. None: an administrator.' },
    at: atSchema,
    databases: {
      type: 'array',
      items: { type: 'string', minLength: 1, maxLength: 300 },
      minItems: 1,
      maxItems: 10_000,
      description: 'mysql/NAME or postgresql/NAME, as `databases` lists them.',
    },
    all: { type: 'boolean', description: 'All databases that the snapshot has of the unit.' },
    as: { type: 'string', minLength: 1, maxLength: 63, description: 'Another name for the one database; nothing may have that name.' },
    onto: {
      type: 'string',
      pattern: '^site[1-9][0-9]*$',
      description:
        'An account of this server that gets the databases: its prefix stands in the stead of the one that their names began with, and they belong to its main user.',
    },
    to: { anyOf: [pathArgumentSchema], description: 'Write the dump of the one database to this new file, and change no database.' },
    users: { type: 'boolean', description: 'First bring the unit’s users back, with their passwords and rights.' },
    dryRun: { type: 'boolean', description: 'Change nothing, tell what would be done.' },
  },
  required: ['unit'],
  additionalProperties: false,
} as const;

export const restoredDatabaseSchema = {
  type: 'object',
  properties: {
    engine: engineSchema,
    name: { type: 'string', description: 'As in the snapshot.' },
    target: { type: 'string', description: 'The database, or the file, that it was restored to.' },
    result: { enum: ['ok', 'planned', 'partial', 'failed'], description: 'partial: restored but for what `leftOut` names.' },
    at: { ...timeSchema, description: 'The moment of which the dump is.' },
    replaced: {
      anyOf: [{ type: 'string' }, { type: 'null' }],
      description:
        'The name under which what was live before is kept, until somebody drops it. Null: nothing was live, or nothing was replaced.',
    },
    tables: { ...countSchema, description: 'Restored, or in the snapshot when nothing was restored.' },
    rows: countSchema,
    bytes: { ...countSchema, description: 'Of the dump.' },
    leftOut: {
      type: 'array',
      items: { type: 'string' },
      description:
        'What was not restored, with the reason: views and the like, and what the dump does not have because it could not be dumped.',
    },
    notes: { type: 'array', items: { type: 'string' }, description: 'What else is other than it was.' },
    error: {
      anyOf: [
        { type: 'null' },
        {
          type: 'object',
          properties: { code: { type: 'string' }, message: { type: 'string' }, advice: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
          required: ['code', 'message', 'advice'],
          additionalProperties: false,
        },
      ],
    },
  },
  required: ['engine', 'name', 'target', 'result', 'at', 'replaced', 'tables', 'rows', 'bytes', 'leftOut', 'notes', 'error'],
  additionalProperties: false,
} as const;

export const restoreDatabaseResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'partial', 'failed'] },
    unit: unitNameSchema,
    unitId: unitIdSchema,
    current: currentSchema,
    moment: pointInTimeSchema,
    snapshot: { type: 'string' },
    dryRun: { type: 'boolean' },
    settled: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          database: { type: 'string' },
          kept: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'Where the tables of that restore are kept.' },
        },
        required: ['database', 'kept'],
        additionalProperties: false,
      },
      description: 'Databases that were put back first, because an earlier restore of them had died in the middle.',
    },
    users: { type: 'array', items: { type: 'string' }, description: 'Users that were brought back.' },
    notes: { type: 'array', items: { type: 'string' }, description: 'What was not brought back of users and their rights.' },
    databases: { type: 'array', items: restoredDatabaseSchema },
  },
  required: ['status', 'unit', 'unitId', 'current', 'moment', 'snapshot', 'dryRun', 'settled', 'users', 'notes', 'databases'],
  additionalProperties: false,
} as const;

export type RestoreDatabaseRequest = FromSchema<typeof restoreDatabaseRequest>;
export type RestoreDatabaseResult = FromSchema<typeof restoreDatabaseResult>;
export type RestoredDatabase = FromSchema<typeof restoredDatabaseSchema>;

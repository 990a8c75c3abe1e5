import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, errorSchema, levelSchema, timeSchema, unitNameSchema, waitSchema, warningSchema } from './parts.ts';

/** Backs up the named units, or every unit of the server. */
export const runRequest = {
  type: 'object',
  properties: {
    units: { type: 'array', items: unitNameSchema, uniqueItems: true, description: 'None or empty: all.' },
    level: {
      enum: ['auto', 'full', 'differential', 'incremental', 'synthetic'],
      description: 'auto, the default, asks the schedule policy.',
    },
    readBack: { type: 'boolean', description: 'Read what was stored again before it is recorded (default: the setting readBack).' },
    policy: {
      enum: ['owner'],
      description:
        'Asked by the owner of the account: no fulls, not too often, not too much, and without delaying others. None: an administrator.',
    },
    wait: { ...waitSchema, description: 'Minutes to wait for another run; 0 is not at all. None: as the limits say.' },
  },
  additionalProperties: false,
} as const;

const unitOutcome = {
  type: 'object',
  properties: {
    unit: unitNameSchema,
    status: { enum: ['ok', 'unchanged', 'partial', 'failed'] },
    snapshot: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'The new snapshot; of an unchanged unit the last one.' },
    level: { anyOf: [levelSchema, { type: 'null' }] },
    reason: { type: 'string', description: 'Why this level was taken.' },
    entries: countSchema,
    changed: countSchema,
    deleted: countSchema,
    bytesTotal: countSchema,
    bytesRead: countSchema,
    bytesStored: countSchema,
    warnings: { type: 'array', items: warningSchema },
    warningCount: countSchema,
    error: { anyOf: [errorSchema, { type: 'null' }] },
  },
  required: [
    'unit',
    'status',
    'snapshot',
    'level',
    'reason',
    'entries',
    'changed',
    'deleted',
    'bytesTotal',
    'bytesRead',
    'bytesStored',
    'warnings',
    'warningCount',
    'error',
  ],
  additionalProperties: false,
} as const;

export const runResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'partial', 'failed'] },
    run: { type: 'string', description: 'Id of the run record.' },
    started: timeSchema,
    finished: timeSchema,
    units: { type: 'array', items: unitOutcome },
    unrecorded: {
      ...errorSchema,
      description:
        'Why the record of this run could not be written or confirmed. It is `partial` then, and what is told of its units is true.',
    },
  },
  required: ['status', 'run', 'started', 'finished', 'units'],
  additionalProperties: false,
} as const;

export type RunRequest = FromSchema<typeof runRequest>;
export type RunResult = FromSchema<typeof runResult>;
export type UnitOutcome = FromSchema<typeof unitOutcome>;

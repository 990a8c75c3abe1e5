import type { FromSchema } from '../config/schema-type.ts';
import {
  briefErrorSchema,
  countSchema,
  errorSchema,
  levelSchema,
  orNull,
  timeSchema,
  unitNameSchema,
  waitSchema,
  warningSchema,
} from './parts.ts';

/** Backs up the named units, or every unit of the server. */
export const runRequest = {
  type: 'object',
  properties: {
    units: { type: 'array', items: unitNameSchema, minItems: 1, uniqueItems: true, description: 'None: all.' },
    level: {
      enum: ['auto', 'full', 'differential', 'incremental', 'synthetic'],
      description: 'auto, the default: as the schedule says.',
    },
    readBack: { type: 'boolean', description: 'Read again what was stored, before it is recorded (default: the setting readBack).' },
    policy: {
      enum: ['owner'],
      description:
        'The account’s owner asks: no fulls, not too often, not too much, and without delaying others. None: an administrator asks.',
    },
    wait: { ...waitSchema, description: 'Minutes to wait for another run; 0: do not wait. None: as the limits say.' },
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
    rawDatabases: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          path: { type: 'string', description: 'As in a snapshot.' },
          engine: { enum: ['mysql', 'postgresql'] },
          replacedBy: {
            enum: ['dumps', 'panel', null],
            description: 'The dumps of this unit, the panel’s export in the account’s home, or nothing.',
          },
        },
        required: ['path', 'engine', 'replacedBy'],
        additionalProperties: false,
      },
      description: 'Folders of live database files that were left out, because copies of them cannot be restored. Not there: none had any.',
    },
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
    databaseExport: {
      type: 'object',
      description: 'What became of the panel’s own export of databases, where the settings want it (`databases.method`: panel).',
      properties: {
        name: { const: 'panel' },
        at: timeSchema,
        seconds: { type: 'number' },
        result: { enum: ['ok', 'failed'], description: 'The run is `partial` when it failed.' },
        automatic: { enum: [true, false, null], description: 'Whether the panel exports every night as well; null: it does not say.' },
        exitCode: {
          anyOf: [{ type: 'integer' }, { type: 'null' }],
          description: 'Of the panel’s script; null when it was not started, or a signal ended it.',
        },
        said: {
          anyOf: [{ type: 'string' }, { type: 'null' }],
          description: 'What the panel’s script wrote on stderr, shortened, also when it succeeded.',
        },
        error: orNull(briefErrorSchema),
      },
      required: ['name', 'at', 'seconds', 'result', 'automatic', 'exitCode', 'said', 'error'],
      additionalProperties: false,
    },
    unrecorded: {
      ...errorSchema,
      description:
        'Why the record of this run could not be written or confirmed. The run is `partial` then; what is said of its units is true.',
    },
  },
  required: ['status', 'run', 'started', 'finished', 'units'],
  additionalProperties: false,
} as const;

export type RunRequest = FromSchema<typeof runRequest> & {
  /** Beside whatever run is under way, which it neither waits for nor stops: for the one unit that it names. Only the program itself asks so; no message does. */
  readonly alone?: true;
};
export type RunResult = FromSchema<typeof runResult>;
export type UnitOutcome = FromSchema<typeof unitOutcome>;

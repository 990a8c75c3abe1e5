import type { FromSchema } from '../config/schema-type.ts';
import { copyStateSchema } from './copy.ts';
import { countSchema, levelSchema, orNull, timeSchema, unitNameSchema } from './parts.ts';

/** Tells how the backups of the server stand, by their records: nothing is read of what was stored. */
export const statusRequest = { type: 'object', properties: {}, additionalProperties: false } as const;

const problem = {
  type: 'object',
  properties: {
    code: {
      enum: [
        'not_automatic',
        'night_missed',
        'night_failed',
        'night_unfinished',
        'copy_failed',
        'never_backed_up',
        'overdue',
        'failed',
        'incomplete',
        'not_restorable',
        'vanished',
        'root_missing',
        'damaged',
        'unclear',
      ],
    },
    unit: orNull(unitNameSchema),
    message: { type: 'string' },
    advice: { type: 'string' },
    since: {
      ...orNull(timeSchema),
      description: 'Since when, as far as the records and this server’s memory say; null when it was not noticed before.',
    },
  },
  required: ['code', 'unit', 'message', 'advice', 'since'],
  additionalProperties: false,
} as const;

const unitCopy = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    snapshot: { ...orNull({ type: 'string' }), description: 'The newest that was brought there; null: none, as far as this server knows.' },
    newest: { type: 'boolean', description: 'Whether that is the newest that there is.' },
    time: { ...orNull(timeSchema), description: 'The time that it gives back.' },
    overdue: { type: 'boolean' },
    verified: { ...orNull(timeSchema), description: 'When the unit was verified last in the copy.' },
    damaged: { type: 'boolean', description: 'Whether a verification found damage there.' },
  },
  required: ['name', 'snapshot', 'newest', 'time', 'overdue', 'verified', 'damaged'],
  additionalProperties: false,
} as const;

const unitState = {
  type: 'object',
  properties: {
    unit: unitNameSchema,
    unitId: orNull({ type: 'string' }),
    domain: orNull({ type: 'string' }),
    formerDomains: {
      type: 'array',
      items: { type: 'string' },
      description: 'Those that it had before, the oldest first, as far as it was noted.',
    },
    living: { type: 'boolean', description: 'Whether it is on the server.' },
    snapshot: { ...orNull({ type: 'string' }), description: 'The newest that can be restored.' },
    level: orNull(levelSchema),
    complete: { type: 'boolean', description: 'Whether it has everything; false without a snapshot.' },
    time: { ...orNull(timeSchema), description: 'The time that it gives back: when it was taken, or last found to be the state still.' },
    age: { ...orNull(countSchema), description: 'Seconds since then.' },
    lastComplete: { ...orNull({ type: 'string' }), description: 'The newest that is complete.' },
    overdue: { type: 'boolean' },
    chainLength: { ...countSchema, description: 'Snapshots that a restore of it reads.' },
    chainBytes: { ...countSchema, description: 'What they have added to the repository.' },
    bytes: { ...countSchema, description: 'File sizes of what a restore gives back.' },
    entries: { ...countSchema, description: 'Files, folders and all else that a restore gives back.' },
    warnings: { ...countSchema, description: 'Of the newest run that it was in.' },
    verified: { ...orNull(timeSchema), description: 'When the unit was verified last, as far as this server remembers.' },
    copies: {
      type: 'array',
      items: unitCopy,
      description: 'How it stands in each copy, as this server remembers it.',
    },
    outcome: {
      ...orNull({ enum: ['ok', 'unchanged', 'partial', 'failed'] }),
      description: 'In the newest run that it was in; null when no record tells.',
    },
  },
  required: [
    'unit',
    'unitId',
    'domain',
    'formerDomains',
    'living',
    'snapshot',
    'level',
    'complete',
    'time',
    'age',
    'lastComplete',
    'overdue',
    'chainLength',
    'chainBytes',
    'bytes',
    'entries',
    'warnings',
    'verified',
    'copies',
    'outcome',
  ],
  additionalProperties: false,
} as const;

export const statusResult = {
  type: 'object',
  properties: {
    status: {
      enum: ['ok', 'partial', 'damaged'],
      description: 'partial: something needs attention; damaged: a verification found damage.',
    },
    time: timeSchema,
    destination: { type: 'string', description: 'Where the backups are that this is about.' },
    automatic: {
      type: 'object',
      properties: {
        enabled: { type: 'boolean' },
        timeOfDay: { type: 'string' },
        nextDue: orNull(timeSchema),
        last: { ...orNull(timeSchema), description: 'When the last one began.' },
        done: { ...orNull({ type: 'boolean' }), description: 'Whether its run was made; false also while it works.' },
      },
      required: ['enabled', 'timeOfDay', 'nextDue', 'last', 'done'],
      additionalProperties: false,
    },
    coverage: {
      type: 'object',
      properties: {
        living: { ...countSchema, description: 'Accounts on the server, and system.' },
        withoutBackup: { type: 'array', items: unitNameSchema },
        vanished: { type: 'array', items: unitNameSchema, description: 'In the repository, and not on the server any more.' },
      },
      required: ['living', 'withoutBackup', 'vanished'],
      additionalProperties: false,
    },
    copies: { type: 'array', items: copyStateSchema, description: 'Other places that have what is there.' },
    problems: { type: 'array', items: problem },
    units: { type: 'array', items: unitState },
  },
  required: ['status', 'time', 'destination', 'automatic', 'coverage', 'copies', 'problems', 'units'],
  additionalProperties: false,
} as const;

export type StatusRequest = FromSchema<typeof statusRequest>;
export type StatusResult = FromSchema<typeof statusResult>;
export type StatusProblem = FromSchema<typeof problem>;
export type UnitStatus = FromSchema<typeof unitState>;

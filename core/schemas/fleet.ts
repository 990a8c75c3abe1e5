import type { FromSchema } from '../config/schema-type.ts';
import { identityProperties } from './keys.ts';
import { briefErrorSchema, countSchema, orNull, timeSchema, unitNameSchema } from './parts.ts';
import { fingerprintSchema } from './servers.ts';

/** Tells how the backups of all servers in a repository stand, by the records of their runs: from any machine that may read them. */
export const fleetStatusRequest = {
  type: 'object',
  properties: {
    repository: { type: 'string', minLength: 1, maxLength: 4096, description: 'Where it is. None: what the settings name.' },
    overdueAfter: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      description: 'How old the last backup of a unit may be: 36 hours (the default), 8 days.',
    },
    sizes: {
      type: 'boolean',
      description: 'List all objects: what each server takes, and whether its newest snapshots are there. A request for each 1000 objects.',
    },
    ...identityProperties,
  },
  additionalProperties: false,
} as const;

const problem = {
  type: 'object',
  properties: {
    code: {
      enum: ['damaged', 'history_missing', 'no_run', 'failed', 'never_backed_up', 'overdue', 'incomplete', 'clock_ahead', 'unclear'],
    },
    unit: orNull(unitNameSchema),
    message: { type: 'string' },
  },
  required: ['code', 'unit', 'message'],
  additionalProperties: false,
} as const;

const fleetServer = {
  type: 'object',
  properties: {
    server: { type: 'string', description: 'Its id.' },
    name: { type: 'string', description: 'The host name of the machine that writes as it.' },
    status: {
      enum: ['ok', 'partial', 'damaged', 'failed'],
      description:
        'partial: something needs attention; damaged: something is damaged or was taken away; failed: `error` says why nothing can be told.',
    },
    lastRun: { ...orNull(timeSchema), description: 'When the newest run of the whole server began.' },
    units: { ...countSchema, description: 'Accounts and system, as far as its runs name them.' },
    failed: { ...countSchema, description: 'Units whose last backup failed.' },
    overdue: { ...countSchema, description: 'Units whose last good backup is too old, or that have none.' },
    incomplete: { ...countSchema, description: 'Units whose last good backup lacks something.' },
    oldest: { ...orNull(timeSchema), description: 'Of the last good backups of its units the oldest; null when one has none.' },
    size: { ...orNull(countSchema), description: 'File sizes of what a restore gives back, as far as the records tell.' },
    stored: { ...orNull(countSchema), description: 'What its objects take in the repository; null unless `sizes` was asked for.' },
    verified: {
      ...orNull({
        type: 'object',
        properties: { oldest: orNull(timeSchema), damaged: { type: 'array', items: unitNameSchema } },
        required: ['oldest', 'damaged'],
        additionalProperties: false,
      }),
      description:
        'As the server knew it when its newest run ended: the oldest of the last verifications of its units, and which are damaged.',
    },
    keys: {
      type: 'array',
      items: {
        type: 'object',
        properties: { fingerprint: fingerprintSchema, known: { type: 'boolean' } },
        required: ['fingerprint', 'known'],
        additionalProperties: false,
      },
      description: 'Whose signatures were taken for the server’s; known: this machine knew the key before.',
    },
    problems: { type: 'array', items: problem, description: 'The first ones.' },
    problemCount: countSchema,
    error: orNull(briefErrorSchema),
  },
  required: [
    'server',
    'name',
    'status',
    'lastRun',
    'units',
    'failed',
    'overdue',
    'incomplete',
    'oldest',
    'size',
    'stored',
    'verified',
    'keys',
    'problems',
    'problemCount',
    'error',
  ],
  additionalProperties: false,
} as const;

export const fleetStatusResult = {
  type: 'object',
  properties: {
    status: {
      enum: ['ok', 'partial', 'damaged', 'failed'],
      description: 'The worst of the servers; failed only when nothing can be told of any.',
    },
    time: timeSchema,
    repository: { type: 'string', description: 'The place that was looked at.' },
    servers: { type: 'array', items: fleetServer, description: 'By name.' },
  },
  required: ['status', 'time', 'repository', 'servers'],
  additionalProperties: false,
} as const;

export type FleetStatusRequest = FromSchema<typeof fleetStatusRequest>;
export type FleetStatusResult = FromSchema<typeof fleetStatusResult>;
export type FleetServer = FromSchema<typeof fleetServer>;
export type FleetProblem = FromSchema<typeof problem>;

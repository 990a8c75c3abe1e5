import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, levelSchema } from './parts.ts';
import { DOUBT_REQUIRED, doubtProperties, unitArgumentSchema } from './reading.ts';

/** Shows what the schedule and the retention of the settings will hold over time, one backup and one prune a day. */
export const simulateRequest = {
  type: 'object',
  properties: {
    units: { type: 'array', items: unitArgumentSchema, minItems: 1, uniqueItems: true, description: 'Whose sizes are used. None: all.' },
    duration: { type: 'string', minLength: 1, maxLength: 100, description: 'How long: 90d, 3 months, 1 year.' },
  },
  required: ['duration'],
  additionalProperties: false,
} as const;

const date = { type: 'string', description: '2026-11-20, in the time zone of this machine.' } as const;

const simulatedDay = {
  type: 'object',
  properties: {
    date,
    level: levelSchema,
    reason: { type: 'string' },
    deleted: { ...countSchema, description: 'Snapshots that retention deletes on this day.' },
    full: { ...countSchema, description: 'Snapshots of each level that exist in the evening.' },
    differential: countSchema,
    incremental: countSchema,
    oldest: date,
    bytes: countSchema,
  },
  required: ['date', 'level', 'reason', 'deleted', 'full', 'differential', 'incremental', 'oldest', 'bytes'],
  additionalProperties: false,
} as const;

const levelSize = {
  type: 'object',
  properties: {
    bytes: countSchema,
    basis: { enum: ['measured', 'assumed'], description: 'From existing snapshots, or assumed because there are none.' },
  },
  required: ['bytes', 'basis'],
  additionalProperties: false,
} as const;

export const simulateResult = {
  type: 'object',
  properties: {
    ...doubtProperties,
    sizes: {
      type: 'object',
      description: 'What a snapshot of each level adds to the repository.',
      properties: { full: levelSize, differential: levelSize, incremental: levelSize },
      required: ['full', 'differential', 'incremental'],
      additionalProperties: false,
    },
    days: { type: 'array', items: simulatedDay },
  },
  required: [...DOUBT_REQUIRED, 'sizes', 'days'],
  additionalProperties: false,
} as const;

export type SimulateRequest = FromSchema<typeof simulateRequest>;
export type SimulateResult = FromSchema<typeof simulateResult>;

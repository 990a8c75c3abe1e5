import type { FromSchema } from '../config/schema-type.ts';
import { errorSchema, timeSchema } from './parts.ts';

/** Makes the automatic backup of the server when it is due: a run of everything, then prune and verify as the schedule says. */
export const nightlyRequest = {
  type: 'object',
  properties: { now: { type: 'boolean', description: 'Also when it is not due, or automatic backups are off.' } },
  additionalProperties: false,
} as const;

const nightStepSchema = {
  type: 'object',
  properties: {
    step: { enum: ['run', 'copy', 'prune', 'prune-copies', 'lock', 'verify'] },
    status: { enum: ['ok', 'partial', 'failed', 'damaged', 'skipped'] },
    message: { type: 'string' },
    error: { anyOf: [errorSchema, { type: 'null' }], description: 'Why the step could not be done.' },
  },
  required: ['step', 'status', 'message', 'error'],
  additionalProperties: false,
} as const;

export const nightlyResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'partial', 'failed', 'damaged'], description: 'Of the worst step; ok when nothing was due.' },
    due: { type: 'boolean', description: 'Whether there was anything to do.' },
    reason: { type: 'string', description: 'Why, or why not.' },
    nextDue: { anyOf: [timeSchema, { type: 'null' }], description: 'When the next one is due; null when automatic backups are off.' },
    steps: { type: 'array', items: nightStepSchema },
  },
  required: ['status', 'due', 'reason', 'nextDue', 'steps'],
  additionalProperties: false,
} as const;

export type NightlyRequest = FromSchema<typeof nightlyRequest>;
export type NightlyResult = FromSchema<typeof nightlyResult>;
export type NightlyStep = FromSchema<typeof nightStepSchema>;

import type { FromSchema } from '../config/schema-type.ts';

/** Tells people of an automatic backup that did not come, or of whose end nobody was told. Does not need the timer of the backups. */
export const watchRequest = {
  type: 'object',
  properties: { test: { type: 'boolean', description: 'Send a message by every way that is set, to see whether it arrives.' } },
  additionalProperties: false,
} as const;

const wayFailed = {
  type: 'object',
  properties: { way: { type: 'string' }, reason: { type: 'string' } },
  required: ['way', 'reason'],
  additionalProperties: false,
} as const;

export const watchResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'partial', 'failed'], description: 'partial: some ways of telling do not work; failed: none does.' },
    told: { type: 'boolean', description: 'Whether something was sent.' },
    message: { type: 'string', description: 'What was told, or why nothing was.' },
    failed: { type: 'array', items: wayFailed },
  },
  required: ['status', 'told', 'message', 'failed'],
  additionalProperties: false,
} as const;

export type WatchRequest = FromSchema<typeof watchRequest>;
export type WatchResult = FromSchema<typeof watchResult>;

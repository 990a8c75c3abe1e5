import type { FromSchema } from '../config/schema-type.ts';
import { timeSchema, unitNameSchema } from './parts.ts';

/** Does what the panel's event of an account asks for. */
export const accountRequest = {
  type: 'object',
  properties: {
    event: {
      enum: ['created', 'renamed', 'deleting'],
      description:
        'created: a first backup is begun by a job. renamed: another one, which notes the new domain. deleting: a last one is made now, in bounded time, and held.',
    },
    unit: { ...unitNameSchema, description: 'The account, such as site12.' },
    by: {
      enum: ['module', 'script'],
      description: 'Who says so: the panel’s module, or a script of its hooks, which it is when left out.',
    },
  },
  required: ['event', 'unit'],
  additionalProperties: false,
} as const;

export const accountResult = {
  type: 'object',
  properties: {
    status: {
      enum: ['ok', 'partial', 'failed'],
      description:
        'partial: the last backup lacks something, or an earlier one is held in its place; failed: nothing of the account is held.',
    },
    message: { type: 'string', description: 'What was done, or why nothing was.' },
    snapshot: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'Of a deletion: the backup that is held.' },
    until: { anyOf: [timeSchema, { type: 'null' }], description: 'How long it is held.' },
    job: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'Of a new account: the job that backs it up.' },
  },
  required: ['status', 'message', 'snapshot', 'until', 'job'],
  additionalProperties: false,
} as const;

export type AccountRequest = FromSchema<typeof accountRequest>;
export type AccountResult = FromSchema<typeof accountResult>;

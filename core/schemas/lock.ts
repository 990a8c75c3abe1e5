import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, errorSchema, orNull, timeSchema } from './parts.ts';

/** Has the store lock what retention keeps for longer, where its locks are about to end (setting `s3.objectLock`). */
export const lockRequest = { type: 'object', properties: {}, additionalProperties: false } as const;

export const lockResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'partial'], description: 'partial: the store refused the objects in `problems`.' },
    repository: { type: 'string', description: 'Where the objects are.' },
    mode: { enum: ['governance', 'compliance'] },
    objects: { ...countSchema, description: 'Objects that are to be locked.' },
    asked: { ...countSchema, description: 'Of so many the store was asked how they are locked; of the others it is known.' },
    extended: { ...countSchema, description: 'Locks that are longer now.' },
    soonest: { ...orNull(timeSchema), description: 'When the first of the locks ends; null: there are none.' },
    problems: { type: 'array', items: errorSchema },
  },
  required: ['status', 'repository', 'mode', 'objects', 'asked', 'extended', 'soonest', 'problems'],
  additionalProperties: false,
} as const;

export type LockRequest = FromSchema<typeof lockRequest>;
export type LockResult = FromSchema<typeof lockResult>;

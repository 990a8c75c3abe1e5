import type { FromSchema } from '../config/schema-type.ts';
import { countSchema } from './parts.ts';

const requestSchema = {
  anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }],
  description: 'Id of the request that this belongs to; null: to none.',
} as const;

/** How far a long operation is, at most five times a second. */
export const progressNotification = {
  type: 'object',
  properties: {
    request: requestSchema,
    phase: { type: 'string', description: 'Such as backup, paused, restore, verify.' },
    unit: { type: 'string' },
    unitNumber: { ...countSchema, description: 'Which one of unitCount it is, where there can be several.' },
    unitCount: countSchema,
    entries: { ...countSchema, description: 'Entries that are done.' },
    entriesTotal: { ...countSchema, description: 'Of a backup: an estimate from the last one. Missing while it cannot be known.' },
    bytes: { ...countSchema, description: 'Bytes of file content that are done.' },
    bytesTotal: countSchema,
    byEntries: { type: 'boolean', description: 'Whether the entries alone say how far it is: most bytes cost nothing.' },
    rate: {
      type: 'object',
      description: 'What was recently done in a second. Missing while it cannot be known.',
      properties: { entries: { type: 'integer' }, bytes: { type: 'integer' } },
      required: ['entries', 'bytes'],
      additionalProperties: false,
    },
    secondsLeft: { ...countSchema, description: 'Of this unit. Missing while it cannot be known.' },
  },
  required: ['request', 'phase', 'unit', 'entries', 'bytes'],
  additionalProperties: false,
} as const;

/** Something that whoever asked should know. */
export const logNotification = {
  type: 'object',
  properties: {
    request: requestSchema,
    level: { enum: ['info', 'warning', 'error'] },
    code: { type: 'string', description: 'A code of a failure, or a word that names the event.' },
    message: { type: 'string' },
    affected: { type: 'array', items: { type: 'string' } },
  },
  required: ['request', 'level', 'code', 'message'],
  additionalProperties: false,
} as const;

export type ProgressNotification = FromSchema<typeof progressNotification>;
export type LogNotification = FromSchema<typeof logNotification>;

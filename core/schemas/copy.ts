import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, errorSchema, timeSchema } from './parts.ts';

/** Brings what is in the repository to its copies. */
export const copyRequest = {
  type: 'object',
  properties: {
    copies: {
      type: 'array',
      items: { type: 'string' },
      uniqueItems: true,
      minItems: 1,
      description: 'Names in the setting `copies`. None: all.',
    },
  },
  additionalProperties: false,
} as const;

const copyEnd = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    repository: { type: 'string', description: 'Where the copy is.' },
    status: {
      enum: ['ok', 'partial', 'failed'],
      description: 'partial: what is named in `problems` is not there, or was not as it should be.',
    },
    started: timeSchema,
    finished: timeSchema,
    snapshots: { ...countSchema, description: 'Snapshots that were not there before.' },
    objects: countSchema,
    bytes: countSchema,
    problems: { type: 'array', items: errorSchema, description: 'The first of them.' },
    problemCount: countSchema,
    error: { anyOf: [errorSchema, { type: 'null' }], description: 'Why it was broken off. The next copy goes on.' },
  },
  required: ['name', 'repository', 'status', 'started', 'finished', 'snapshots', 'objects', 'bytes', 'problems', 'problemCount', 'error'],
  additionalProperties: false,
} as const;

export const copyResult = {
  type: 'object',
  properties: { status: { enum: ['ok', 'partial', 'failed'] }, copies: { type: 'array', items: copyEnd } },
  required: ['status', 'copies'],
  additionalProperties: false,
} as const;

export type CopyRequest = FromSchema<typeof copyRequest>;
export type CopyResult = FromSchema<typeof copyResult>;
export type CopyEnd = FromSchema<typeof copyEnd>;

/** How a copy stands, in `status`. */
export const copyStateSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    repository: { type: 'string' },
    status: { enum: ['ok', 'partial', 'failed', 'never'], description: 'How the last one ended.' },
    time: { anyOf: [timeSchema, { type: 'null' }], description: 'When the last one began.' },
    lastGood: { anyOf: [timeSchema, { type: 'null' }] },
    message: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'What was wrong.' },
    pruned: { anyOf: [timeSchema, { type: 'null' }], description: 'When its last prune began.' },
    pruneProblem: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'Why that failed, or what it left.' },
  },
  required: ['name', 'repository', 'status', 'time', 'lastGood', 'message', 'pruned', 'pruneProblem'],
  additionalProperties: false,
} as const;

export type WireCopyState = FromSchema<typeof copyStateSchema>;

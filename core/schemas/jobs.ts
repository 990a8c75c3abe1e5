import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, errorSchema, timeSchema, unitNameSchema } from './parts.ts';
import { nextSchema } from './reading.ts';

/** What can take long, and so can be given to a process of its own. */
export const LONG_METHODS = ['run', 'restore', 'restoreDatabase', 'prune', 'copy', 'verify', 'repair', 'download'] as const;

const jobIdSchema = {
  type: 'string',
  pattern: '^[0-9]{8}T[0-9]{9}Z-[0-9a-f]{8}$',
  description: 'As `start` and `jobs` give it.',
} as const;

/** Whose jobs are meant. */
const askerProperties = {
  policy: { enum: ['owner'], description: 'The account’s owner asks, and sees the own jobs alone. None: an administrator asks.' },
  unit: { ...unitNameSchema, description: 'Of an owner’s request: the account, such as site12.' },
} as const;

const methodSchema = { enum: [...LONG_METHODS, 'nightly'] } as const;

export const jobViewProperties = {
  job: jobIdSchema,
  method: methodSchema,
  state: {
    enum: ['waiting', 'running', 'ok', 'partial', 'failed', 'damaged', 'cancelled'],
    description: 'waiting: for its turn. After running comes how it ended.',
  },
  role: { enum: ['administrator', 'owner'], description: 'Who asked.' },
  site: { anyOf: [unitNameSchema, { type: 'null' }], description: 'Of an owner’s job: the account.' },
  user: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'The login of whoever asked, where the panel told it.' },
  units: { type: 'array', items: { type: 'string' }, description: 'What the request names; empty: everything.' },
  created: timeSchema,
  begun: { anyOf: [timeSchema, { type: 'null' }], description: 'When its turn came.' },
  ended: { anyOf: [timeSchema, { type: 'null' }] },
  cancelling: { type: 'boolean', description: 'It was asked to stop, and does so at the next safe point.' },
  error: { anyOf: [errorSchema, { type: 'null' }], description: 'Why it failed as a whole.' },
} as const;

const VIEW_REQUIRED = [
  'job',
  'method',
  'state',
  'role',
  'site',
  'user',
  'units',
  'created',
  'begun',
  'ended',
  'cancelling',
  'error',
] as const;

const jobView = { type: 'object', properties: jobViewProperties, required: VIEW_REQUIRED, additionalProperties: false } as const;

/** Has a long operation done in a process of its own, and answers at once. */
export const startRequest = {
  type: 'object',
  properties: {
    method: { enum: LONG_METHODS },
    request: { type: 'object', description: 'As the method takes it. Its `policy` says who asks.' },
    user: { type: 'string', minLength: 1, maxLength: 255, description: 'The login of whoever asks, for the record.' },
  },
  required: ['method', 'request'],
  additionalProperties: false,
} as const;

export const startResult = {
  type: 'object',
  properties: {
    ...jobViewProperties,
    joined: {
      type: 'boolean',
      description: 'The same was asked for already, and has not ended: this is that job, and nothing was started.',
    },
    place: {
      enum: ['unit', 'session', null],
      description: 'Where it runs: a unit of systemd, or a session of its own. Null: it was joined.',
    },
  },
  required: [...VIEW_REQUIRED, 'joined', 'place'],
  additionalProperties: false,
} as const;

/** How a job stands, and what came of it. */
export const jobRequest = {
  type: 'object',
  properties: { job: jobIdSchema, ...askerProperties },
  required: ['job'],
  additionalProperties: false,
} as const;

export const jobResult = {
  type: 'object',
  properties: {
    ...jobViewProperties,
    request: { type: 'object', description: 'What was asked of the method.' },
    progress: { anyOf: [{ type: 'object' }, { type: 'null' }], description: 'As the notification `progress`; null before and after.' },
    result: { anyOf: [{ type: 'object' }, { type: 'null' }], description: 'What the method answers; null while there is none.' },
  },
  required: [...VIEW_REQUIRED, 'request', 'progress', 'result'],
  additionalProperties: false,
} as const;

/** The jobs of the server, the newest first. */
export const jobsRequest = {
  type: 'object',
  properties: {
    ...askerProperties,
    live: { type: 'boolean', description: 'Only those that have not ended.' },
    limit: { type: 'integer', minimum: 1, maximum: 1000, description: 'Maximum number of jobs; 100 by default.' },
    after: { ...jobIdSchema, description: 'The `next` of the page before.' },
  },
  additionalProperties: false,
} as const;

export const jobsResult = {
  type: 'object',
  properties: { jobs: { type: 'array', items: jobView }, next: nextSchema },
  required: ['jobs', 'next'],
  additionalProperties: false,
} as const;

/** Asks a job to stop; one that has ended stays as it is. */
export const cancelRequest = jobRequest;
export const cancelResult = jobView;

/** What a job told on the way. */
export const logRequest = {
  type: 'object',
  properties: {
    job: jobIdSchema,
    ...askerProperties,
    after: { ...countSchema, description: 'Only events with a higher number.' },
    limit: { type: 'integer', minimum: 1, maximum: 10_000, description: 'Maximum number of events; 1000 by default.' },
  },
  required: ['job'],
  additionalProperties: false,
} as const;

const eventSchema = {
  type: 'object',
  properties: {
    number: { ...countSchema, description: 'From 1 on. A gap is events that gave way to later ones, or that are not for an owner.' },
    time: timeSchema,
    kind: { enum: ['state', 'phase', 'notice'] },
    level: { enum: ['info', 'warning', 'error'] },
    code: { type: 'string' },
    message: { type: 'string' },
  },
  required: ['number', 'time', 'kind', 'level', 'code', 'message'],
  additionalProperties: false,
} as const;

export const logResult = {
  type: 'object',
  properties: {
    job: jobIdSchema,
    state: jobViewProperties.state,
    events: { type: 'array', items: eventSchema },
    next: { ...countSchema, description: 'Give this as `after` for what comes later.' },
  },
  required: ['job', 'state', 'events', 'next'],
  additionalProperties: false,
} as const;

/** Whether a method can take long. */
export function isLong(method: string): boolean {
  return (methodSchema.enum as readonly string[]).includes(method);
}

export type LongMethod = (typeof LONG_METHODS)[number];
export type JobMethod = FromSchema<typeof methodSchema>;
export type JobView = FromSchema<typeof jobView>;
export type StartRequest = FromSchema<typeof startRequest>;
export type StartResult = FromSchema<typeof startResult>;
export type JobRequest = FromSchema<typeof jobRequest>;
export type JobResult = FromSchema<typeof jobResult>;
export type JobsRequest = FromSchema<typeof jobsRequest>;
export type JobsResult = FromSchema<typeof jobsResult>;
export type LogRequest = FromSchema<typeof logRequest>;
export type LogResult = FromSchema<typeof logResult>;
export type JobEvent = FromSchema<typeof eventSchema>;

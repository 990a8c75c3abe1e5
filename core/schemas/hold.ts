import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, timeSchema, unitNameSchema } from './parts.ts';
import { unitArgumentSchema, unitIdSchema } from './reading.ts';

const snapshotArgument = {
  type: 'string',
  minLength: 1,
  maxLength: 100,
  description: 'The id of a snapshot; with `unit`, or where there is only one unit, any point in time: latest, yesterday 14:00.',
} as const;

const unitArgument = { ...unitArgumentSchema, description: 'Whose snapshot, where it is not named by its id.' } as const;

/** Keeps a snapshot, and what it needs, whatever the rules of retention say. */
export const holdRequest = {
  type: 'object',
  properties: {
    snapshot: snapshotArgument,
    unit: unitArgument,
    reason: { type: 'string', minLength: 1, maxLength: 1000, description: 'Why, for those who find it later.' },
    until: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      description: 'When it ends by itself: 2027-06-30, 6 months. None: when it is released.',
    },
  },
  required: ['snapshot', 'reason'],
  additionalProperties: false,
} as const;

export const holdResult = {
  type: 'object',
  properties: {
    unit: unitNameSchema,
    unitId: unitIdSchema,
    snapshot: { type: 'string' },
    reason: { type: 'string' },
    until: { anyOf: [timeSchema, { type: 'null' }] },
  },
  required: ['unit', 'unitId', 'snapshot', 'reason', 'until'],
  additionalProperties: false,
} as const;

/** Ends all holds of a snapshot. */
export const releaseRequest = {
  type: 'object',
  properties: { snapshot: snapshotArgument, unit: unitArgument },
  required: ['snapshot'],
  additionalProperties: false,
} as const;

export const releaseResult = {
  type: 'object',
  properties: { snapshot: { type: 'string' }, released: { ...countSchema, description: 'How many holds there were.' } },
  required: ['snapshot', 'released'],
  additionalProperties: false,
} as const;

export type HoldRequest = FromSchema<typeof holdRequest>;
export type HoldResult = FromSchema<typeof holdResult>;
export type ReleaseRequest = FromSchema<typeof releaseRequest>;
export type ReleaseResult = FromSchema<typeof releaseResult>;

import type { FromSchema } from '../config/schema-type.ts';
import { unitNameSchema } from './parts.ts';
import { unitIdSchema } from './reading.ts';

/** Says that an earlier account and the present one of its name are the same customer's. */
export const joinRequest = {
  type: 'object',
  properties: {
    unit: { type: 'string', pattern: '^site[1-9][0-9]*-[0-9a-f]{8}$', description: 'The id of the earlier unit, as `list` shows it.' },
  },
  required: ['unit'],
  additionalProperties: false,
} as const;

export const joinResult = {
  type: 'object',
  properties: {
    status: { const: 'ok' },
    unit: unitNameSchema,
    unitId: { ...unitIdSchema, description: 'The unit in which the account goes on.' },
    joined: { type: 'string', description: 'The earlier unit.' },
  },
  required: ['status', 'unit', 'unitId', 'joined'],
  additionalProperties: false,
} as const;

export type JoinRequest = FromSchema<typeof joinRequest>;
export type JoinResult = FromSchema<typeof joinResult>;

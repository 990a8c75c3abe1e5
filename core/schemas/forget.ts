import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, unitNameSchema } from './parts.ts';
import { unitArgumentSchema, unitIdSchema } from './reading.ts';

/** Says that what is missing of an account on the server is meant to be gone. */
export const forgetRequest = {
  type: 'object',
  properties: { unit: { ...unitArgumentSchema, description: 'site12: the last account of this name. Or the id of a unit.' } },
  required: ['unit'],
  additionalProperties: false,
} as const;

export const forgetResult = {
  type: 'object',
  properties: {
    status: { const: 'ok' },
    unit: unitNameSchema,
    unitId: unitIdSchema,
    snapshots: { ...countSchema, description: 'Its backups, which stay as long as the rules of retention keep them.' },
  },
  required: ['status', 'unit', 'unitId', 'snapshots'],
  additionalProperties: false,
} as const;

export type ForgetRequest = FromSchema<typeof forgetRequest>;
export type ForgetResult = FromSchema<typeof forgetResult>;

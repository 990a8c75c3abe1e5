import type { FromSchema } from '../config/schema-type.ts';
import { pathArgumentSchema, unitNameSchema, wirePathSchema } from './parts.ts';

/** Says why a path is in the backups of a unit, or is not. */
export const explainRequest = {
  type: 'object',
  properties: {
    unit: unitNameSchema,
    path: { anyOf: [pathArgumentSchema], description: 'As in the manifest: shadow/var/www/html. It need not exist.' },
  },
  required: ['unit', 'path'],
  additionalProperties: false,
} as const;

export const explainResult = {
  type: 'object',
  properties: {
    unit: unitNameSchema,
    path: wirePathSchema,
    exists: { type: 'boolean', description: 'Whether there is such an entry now.' },
    included: { type: 'boolean' },
    by: {
      enum: ['nothing', 'pattern', 'always', 'mount', 'outside'],
      description:
        'What decided: no rule at all; a pattern of the setting exclude; what is always excluded; something mounted there; no root of the unit holds the path.',
    },
    pattern: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'The pattern that decided.' },
    number: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], description: 'Its place in the list, from 1.' },
    at: { anyOf: [wirePathSchema, { type: 'null' }], description: 'Where it was decided: the path itself or a directory above it.' },
    reason: { type: 'string', description: 'The same in a sentence.' },
  },
  required: ['unit', 'path', 'exists', 'included', 'by', 'pattern', 'number', 'at', 'reason'],
  additionalProperties: false,
} as const;

export type ExplainRequest = FromSchema<typeof explainRequest>;
export type ExplainResult = FromSchema<typeof explainResult>;

import type { FromSchema } from '../config/schema-type.ts';

/** Looks at everything that backups need. Changes nothing; what is tried is tried on files without a name, or on ones that are dropped at once. */
export const doctorRequest = {
  type: 'object',
  properties: {
    module: { type: 'string', description: 'The version of the panel’s module, when that is who asks.' },
    hooked: { type: 'boolean', description: 'Whether the panel’s module is one that the panel may tell of accounts.' },
    scopes: { type: 'array', items: { type: 'string' }, description: 'The Scopes of the group `backups` that the panel shows.' },
  },
  additionalProperties: false,
} as const;

const check = {
  type: 'object',
  properties: {
    check: {
      enum: [
        'settings',
        'rights',
        'attributes',
        'accounts',
        'panel',
        'hooks',
        'destination',
        'copy',
        'space',
        'clock',
        'signatures',
        'schedule',
        'telling',
        'key',
        'exports',
        'databases',
        'version',
        'scopes',
      ],
    },
    result: { enum: ['ok', 'warning', 'problem'] },
    message: { type: 'string' },
    advice: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'What to do.' },
  },
  required: ['check', 'result', 'message', 'advice'],
  additionalProperties: false,
} as const;

export const doctorResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'partial', 'failed'], description: 'partial: warnings alone; failed: something that backups need is wrong.' },
    checks: { type: 'array', items: check },
  },
  required: ['status', 'checks'],
  additionalProperties: false,
} as const;

export type DoctorRequest = FromSchema<typeof doctorRequest>;
export type DoctorResult = FromSchema<typeof doctorResult>;
export type Check = FromSchema<typeof check>;

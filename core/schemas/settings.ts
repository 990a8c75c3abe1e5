import type { FromSchema } from '../config/schema-type.ts';

const nameSchema = { type: 'string', minLength: 1, description: 'A key of the settings, such as repository.' } as const;

/** Reads one setting. */
export const settingsGetRequest = {
  type: 'object',
  properties: { name: nameSchema },
  required: ['name'],
  additionalProperties: false,
} as const;

/** Writes one setting to the settings file; null takes it out, so that the default holds again. */
export const settingsSetRequest = {
  type: 'object',
  properties: { name: nameSchema, value: {} },
  required: ['name', 'value'],
  additionalProperties: false,
} as const;

export const settingsResult = {
  type: 'object',
  properties: {
    name: nameSchema,
    value: { description: 'The value in force.' },
    default: { description: 'The default.' },
  },
  required: ['name', 'value', 'default'],
  additionalProperties: false,
} as const;

export type SettingsGetRequest = FromSchema<typeof settingsGetRequest>;
export type SettingsSetRequest = FromSchema<typeof settingsSetRequest>;
export type SettingsResult = FromSchema<typeof settingsResult>;

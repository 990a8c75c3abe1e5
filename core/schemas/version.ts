import type { FromSchema } from '../config/schema-type.ts';
import { keysSchema } from './keys.ts';
import { fingerprintSchema } from './servers.ts';

/** Says which program this is and what it understands. */
export const versionRequest = { type: 'object', properties: {}, additionalProperties: false } as const;

export const versionResult = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    version: { type: 'string' },
    formatVersion: { type: 'integer', description: 'The repository format that it writes; it reads this one and older ones.' },
    node: { type: 'string' },
    keys: {
      anyOf: [keysSchema, { type: 'null' }],
      description: 'Who can read what this server stores from now on; null where that cannot be told, as without a repository.',
    },
    fingerprint: {
      anyOf: [fingerprintSchema, { type: 'null' }],
      description: 'Of the key with which this server signs; null where that cannot be told, as without a repository.',
    },
    methods: { type: 'array', items: { type: 'string' } },
  },
  required: ['name', 'version', 'formatVersion', 'node', 'keys', 'fingerprint', 'methods'],
  additionalProperties: false,
} as const;

export type VersionRequest = FromSchema<typeof versionRequest>;
export type VersionResult = FromSchema<typeof versionResult>;

import type { FromSchema } from '../config/schema-type.ts';
import { keysSchema, passphraseFileSchema, recipientsSchema, serverCanReadSchema } from './keys.ts';
import { fingerprintSchema } from './servers.ts';

/** Makes the repository that the settings name, or joins it when it exists. */
export const initRequest = {
  type: 'object',
  properties: {
    recipients: recipientsSchema,
    passphraseFile: passphraseFileSchema,
    serverCanRead: serverCanReadSchema,
    newServer: { type: 'boolean', description: 'This machine is a new server, even if it wrote here before: for a clone.' },
  },
  additionalProperties: false,
} as const;

export const initResult = {
  type: 'object',
  properties: {
    status: { const: 'ok' },
    repository: { type: 'string', description: 'Where it is, as the settings name it.' },
    id: { type: 'string' },
    server: { type: 'string', description: 'The id below which this server writes.' },
    created: { type: 'boolean', description: 'False when the repository was there already.' },
    keys: keysSchema,
    fingerprint: { ...fingerprintSchema, description: 'Of the key with which this server signs: keep a note of it elsewhere.' },
    lacks: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          what: { enum: ['exclusive', 'versions', 'locks', 'durable', 'replace', 'space', 'secrecy'] },
          message: { type: 'string', description: 'What follows from it.' },
        },
        required: ['what', 'message'],
        additionalProperties: false,
      },
      description: 'What the place cannot do that backups have a use for. They work without it.',
    },
  },
  required: ['status', 'repository', 'id', 'server', 'created', 'keys', 'fingerprint', 'lacks'],
  additionalProperties: false,
} as const;

export type InitRequest = FromSchema<typeof initRequest>;
export type InitResult = FromSchema<typeof initResult>;

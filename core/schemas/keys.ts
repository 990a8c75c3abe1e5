import type { FromSchema } from '../config/schema-type.ts';

const secretFile = { type: 'string', minLength: 1, maxLength: 4096 } as const;

/** What opens encrypted backups, besides what the server has itself. Never the secret: a request can stand in a log. */
export const identityProperties = {
  identity: { ...secretFile, description: 'A file of age identities (AGE-SECRET-KEY-1…); on the command line - is standard input.' },
  passphraseFile: { ...secretFile, description: 'A file with the passphrase; several, of before and after a change of keys, one a line.' },
} as const;

export const recipientsSchema = {
  type: 'array',
  items: { type: 'string', minLength: 1, maxLength: 4096 },
  minItems: 1,
  description: 'age1…: who can read what is stored from now on.',
} as const;

export const passphraseFileSchema = {
  ...secretFile,
  description: 'A file whose first line is a passphrase that opens what is stored from now on.',
} as const;

export const serverCanReadSchema = {
  type: 'boolean',
  description: 'Whether this server keeps an identity itself, so that owners restore by themselves and old packs can be compacted.',
} as const;

const recipientOrNull = { anyOf: [{ type: 'string' }, { type: 'null' }] } as const;

/** Who can read what a server stores. */
export const keysSchema = {
  type: 'object',
  properties: {
    mode: { enum: ['plain', 'server-can-read', 'write-only'] },
    recipients: { type: 'array', items: { type: 'string' }, description: 'All of them; none: nothing is encrypted.' },
    serverRecipient: { ...recipientOrNull, description: 'The one whose identity the server has.' },
    passphraseRecipient: { ...recipientOrNull, description: 'The one whose identity lies in the repository, locked by the passphrase.' },
  },
  required: ['mode', 'recipients', 'serverRecipient', 'passphraseRecipient'],
  additionalProperties: false,
} as const;

/** Shows who can read what this server stores, or changes it for what is stored from now on. Nothing given: shows it. */
export const keysRequest = {
  type: 'object',
  properties: {
    recipients: { ...recipientsSchema, description: 'To be added.' },
    removeRecipients: { ...recipientsSchema, description: 'To be taken away.' },
    passphraseFile: passphraseFileSchema,
    removePassphrase: { type: 'boolean', description: 'No passphrase opens what is stored from now on.' },
    serverCanRead: serverCanReadSchema,
    plain: { type: 'boolean', description: 'Nothing is encrypted from now on.' },
  },
  additionalProperties: false,
} as const;

export const keysResult = {
  type: 'object',
  properties: {
    status: { const: 'ok' },
    changed: { type: 'boolean' },
    keys: keysSchema,
  },
  required: ['status', 'changed', 'keys'],
  additionalProperties: false,
} as const;

export type Keys = FromSchema<typeof keysSchema>;
export type KeysRequest = FromSchema<typeof keysRequest>;
export type KeysResult = FromSchema<typeof keysResult>;

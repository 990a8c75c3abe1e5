import type { FromSchema } from '../config/schema-type.ts';

/** A path as JSON can carry it: text, and the exact bytes where those are not UTF-8. */
export const wirePathSchema = {
  type: 'object',
  properties: {
    path: { type: 'string', description: 'Bytes that are not UTF-8 replaced by U+FFFD.' },
    path_b64: {
      type: 'string',
      pattern: '^[A-Za-z0-9+/]*={0,2}$',
      description: 'The exact bytes in base64; it takes precedence over path.',
    },
  },
  required: ['path'],
  additionalProperties: false,
} as const;

/** In requests a path that is UTF-8 may be a plain string. */
export const pathArgumentSchema = { anyOf: [{ type: 'string', minLength: 1 }, wirePathSchema] } as const;
export type PathArgument = FromSchema<typeof pathArgumentSchema>;

/** `site12` or `system`. */
export const unitNameSchema = { type: 'string', pattern: '^(site[1-9][0-9]*|system)$' } as const;

export const timeSchema = {
  type: 'string',
  description: 'RFC 3339, UTC. Of an entry the year can lie outside 0000 to 9999: then it has a sign and six digits or more (ISO 8601).',
} as const;

/** A sum that would be larger stays at the maximum, up to which every JSON reader is exact. */
export const countSchema = { type: 'integer', minimum: 0, maximum: 9007199254740991 } as const;

/** How long something that is in use is waited for. */
export const waitSchema = {
  type: 'integer',
  minimum: 0,
  maximum: 1440,
  description: 'Minutes to wait for another run; 0: do not wait.',
} as const;

export const levelSchema = { enum: ['full', 'differential', 'incremental'] } as const;

/** Something that went wrong with one entry; the rest of the operation stands. */
export const warningSchema = {
  type: 'object',
  properties: {
    code: { type: 'string' },
    message: { type: 'string' },
    path: { type: 'string' },
    path_b64: { type: 'string' },
  },
  required: ['code', 'message'],
  additionalProperties: false,
} as const;

/** What a schema takes, or null. */
export const orNull = <const Schema extends object>(schema: Schema) => ({ anyOf: [schema, { type: 'null' }] }) as const;

/** A failure that the rest of the answer stands beside. */
export const briefErrorSchema = {
  type: 'object',
  properties: { code: { type: 'string' }, message: { type: 'string' } },
  required: ['code', 'message'],
  additionalProperties: false,
} as const;

/** What is known of a failure, as `core/failure.ts` has it. */
export const errorSchema = {
  type: 'object',
  properties: {
    code: { type: 'string', description: 'Stable; a key of FAILURE_CODES.' },
    message: { type: 'string', description: 'For people; may change.' },
    affected: { type: 'array', items: { type: 'string' } },
    advice: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    retry: { type: 'boolean', description: 'Whether the same call can succeed later without anybody changing anything.' },
  },
  required: ['code', 'message', 'affected', 'advice', 'retry'],
  additionalProperties: false,
} as const;
export type WireError = FromSchema<typeof errorSchema>;

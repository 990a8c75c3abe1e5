import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, timeSchema, unitNameSchema, warningSchema, wirePathSchema } from './parts.ts';

/** What the messages have in common that find things in backups again. */

export const unitArgumentSchema = {
  type: 'string',
  pattern: '^(site[1-9][0-9]*|system)(-[0-9a-f]{8})?$',
  description: 'site12 or system: the incarnation that lives now, or the newest where none does. Or the id of a unit: any incarnation.',
} as const;

export const unitIdSchema = {
  type: 'string',
  description: 'The incarnation: a site id is reused for another customer, this id is not.',
} as const;

export const policySchema = {
  enum: ['owner'],
  description: 'The account’s owner asks: shows what the owner could open, of the incarnation that lives now. None: an administrator asks.',
} as const;

export const currentSchema = { type: 'boolean', description: 'Whether this incarnation is the one that lives on the server now.' } as const;

export const atSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 100,
  description: 'A point in time: a snapshot id, latest (the default), 2026-11-20, 2026-11-20 14:00, yesterday 14:00, 2026-11-20T14:00:00Z.',
} as const;

/** What a point in time was understood as, and the snapshot that stands for it. */
export const pointInTimeSchema = {
  type: 'object',
  properties: {
    text: { type: 'string', description: 'For people, with the zone that was assumed.' },
    zone: { type: 'string' },
    instant: { ...timeSchema, description: 'RFC 3339, UTC: what was asked for.' },
    snapshot: { type: 'string', description: 'The last snapshot taken at or before the instant.' },
    taken: { ...timeSchema, description: 'When it was taken.' },
    stood: {
      anyOf: [timeSchema, { type: 'null' }],
      description: 'When the last later run up to the instant found nothing changed since; null when there is none.',
    },
  },
  required: ['text', 'zone', 'instant', 'snapshot', 'taken', 'stood'],
  additionalProperties: false,
} as const;
export type PointInTimeResult = FromSchema<typeof pointInTimeSchema>;

/** Whose backups a result is about. */
export const unitProperties = { unit: unitNameSchema, unitId: unitIdSchema, current: currentSchema } as const;
export const UNIT_REQUIRED = ['unit', 'unitId', 'current'] as const;

/** Whether an answer is the whole one. */
export const doubtProperties = {
  status: { enum: ['ok', 'partial'], description: 'partial: what the warnings name could not be used, and the answer may lack it.' },
  warnings: { type: 'array', items: warningSchema, description: 'What could not be used.' },
  warningCount: countSchema,
} as const;
export const DOUBT_REQUIRED = ['status', 'warnings', 'warningCount'] as const;
const doubtsSchema = { type: 'object', properties: doubtProperties, required: DOUBT_REQUIRED, additionalProperties: false } as const;
export type DoubtsResult = FromSchema<typeof doubtsSchema>;

/** The part of a long answer that is wanted. */
export const pageProperties = {
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: 10_000,
    description: 'Maximum number of rows; 1000 by default. Long paths can make it fewer.',
  },
  after: { type: 'string', minLength: 1, description: 'The `next` of the page before; everything else as in that request.' },
} as const;

export const nextSchema = {
  anyOf: [{ type: 'string' }, { type: 'null' }],
  description: 'Give this as `after` for the rows that follow; null after the last one.',
} as const;

/** The properties of an entry that people look for; null where an entry of its kind has none. */
export const entryProperties = {
  kind: { enum: ['file', 'directory', 'symlink', 'fifo', 'socket', 'character-device', 'block-device'] },
  mode: { type: 'string', pattern: '^[0-7]{4}$', description: 'The permission bits, octal.' },
  uid: countSchema,
  gid: countSchema,
  size: { ...countSchema, description: 'In bytes.' },
  mtime: { ...timeSchema, description: 'RFC 3339, UTC, with nanoseconds.' },
  digest: {
    anyOf: [{ type: 'string', pattern: '^[0-9a-f]{64}$' }, { type: 'null' }],
    description: 'SHA-256 of the content; of a sparse file that of its data ranges, one after the other.',
  },
  target: { anyOf: [wirePathSchema, { type: 'null' }], description: 'Of a symbolic link.' },
} as const;
export const ENTRY_REQUIRED = ['kind', 'mode', 'uid', 'gid', 'size', 'mtime', 'digest', 'target'] as const;

export const entrySchema = {
  type: 'object',
  properties: entryProperties,
  required: ENTRY_REQUIRED,
  additionalProperties: false,
} as const;
export type EntryResult = FromSchema<typeof entrySchema>;

/** What can differ between two versions of an entry; `content` of regular files, `links` the number of names. */
export const changeSchema = {
  enum: ['kind', 'content', 'target', 'device', 'mode', 'owner', 'mtime', 'xattrs', 'flags', 'links'],
} as const;
export type Change = FromSchema<typeof changeSchema>;

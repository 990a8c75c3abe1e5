import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, timeSchema } from './parts.ts';
import { DOUBT_REQUIRED, doubtProperties } from './reading.ts';

/** A server as a request names it. */
export const serverArgumentSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description: 'The name or the id of another server in the repository, as `servers` lists them. None: this one.',
} as const;

/** Which of several accounts that had one name. */
export const earlierSchema = {
  type: 'boolean',
  description: 'The account that had this name before the present one; of `list` all that had it.',
} as const;

/** What people compare of a public key. */
export const fingerprintSchema = {
  type: 'string',
  pattern: '^SHA256:[A-Za-z0-9+/]{43}$',
  description: 'SHA256: and the digest of the public key with which a server signs.',
} as const;

/** Names the servers that have backups in the repository. */
export const serversRequest = {
  type: 'object',
  properties: {
    trust: {
      ...fingerprintSchema,
      description: 'From now on take the signatures of this key for those of the server that names it: somebody compared it.',
    },
  },
  additionalProperties: false,
} as const;

const serverKey = {
  type: 'object',
  properties: {
    fingerprint: fingerprintSchema,
    known: { type: 'boolean', description: 'Whether this machine takes its signatures for the server’s.' },
  },
  required: ['fingerprint', 'known'],
  additionalProperties: false,
} as const;

const timeOrNull = { anyOf: [timeSchema, { type: 'null' }] } as const;

const serverSummary = {
  type: 'object',
  properties: {
    server: { type: 'string', description: 'Its id.' },
    name: { type: 'string', description: 'The host name of the machine that writes as it.' },
    here: { type: 'boolean', description: 'Whether this machine writes as it.' },
    machine: { type: 'string', description: 'A digest of the id of the machine that writes as it.' },
    since: { ...timeSchema, description: 'Since when that machine writes.' },
    created: timeSchema,
    firstRun: { ...timeOrNull, description: 'Of the runs that are still recorded.' },
    lastRun: timeOrNull,
    units: { ...countSchema, description: 'Accounts and system, earlier incarnations included.' },
    keys: { type: 'array', items: serverKey, description: 'With which it signed, the oldest first, as it says itself.' },
  },
  required: ['server', 'name', 'here', 'machine', 'since', 'created', 'firstRun', 'lastRun', 'units', 'keys'],
  additionalProperties: false,
} as const;

export const serversResult = {
  type: 'object',
  properties: { ...doubtProperties, servers: { type: 'array', items: serverSummary, description: 'By age.' } },
  required: [...DOUBT_REQUIRED, 'servers'],
  additionalProperties: false,
} as const;

export type ServersRequest = FromSchema<typeof serversRequest>;
export type ServersResult = FromSchema<typeof serversResult>;
export type ServerSummary = FromSchema<typeof serverSummary>;

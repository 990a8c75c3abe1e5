import type { FromSchema } from '../config/schema-type.ts';
import { identityProperties } from './keys.ts';
import { countSchema, pathArgumentSchema, timeSchema, warningSchema } from './parts.ts';
import { atSchema, pointInTimeSchema, policySchema, UNIT_REQUIRED, unitArgumentSchema, unitProperties } from './reading.ts';
import { earlierSchema, serverArgumentSchema } from './servers.ts';

/** Gives paths of a point in time as one archive: pax tar in zstd, with ACLs and attributes. */
export const downloadRequest = {
  type: 'object',
  properties: {
    unit: unitArgumentSchema,
    server: serverArgumentSchema,
    ...identityProperties,
    earlier: earlierSchema,
    policy: policySchema,
    paths: {
      type: 'array',
      items: pathArgumentSchema,
      minItems: 1,
      description: 'As in the manifest: shadow/var/www, or databases/mysql. None: the whole unit.',
    },
    at: atSchema,
    to: {
      anyOf: [pathArgumentSchema],
      description:
        'A folder, as an absolute path, that gets the archive under a name that nobody can guess. Of an owner: below the account, made when it is missing.',
    },
    fifo: {
      type: 'string',
      pattern: '^/[^\\u0000]+$',
      maxLength: 4000,
      description: 'A FIFO that is there (0600): the archive goes to the first reader, and the FIFO is gone then.',
    },
    room: { ...countSchema, description: 'Bytes that the quota of the account leaves for the file.' },
  },
  required: ['unit'],
  additionalProperties: false,
} as const;

export const downloadResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'partial'], description: 'partial: the archive lacks what the warnings name.' },
    ...unitProperties,
    moment: pointInTimeSchema,
    snapshot: { type: 'string' },
    file: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'The archive; null where it went to a reader.' },
    expires: { anyOf: [timeSchema, { type: 'null' }], description: 'When the file is removed.' },
    entries: countSchema,
    bytes: { ...countSchema, description: 'Of the archive.' },
    warnings: { type: 'array', items: warningSchema },
    warningCount: countSchema,
  },
  required: ['status', ...UNIT_REQUIRED, 'moment', 'snapshot', 'file', 'expires', 'entries', 'bytes', 'warnings', 'warningCount'],
  additionalProperties: false,
} as const;

export type DownloadRequest = FromSchema<typeof downloadRequest>;
export type DownloadResult = FromSchema<typeof downloadResult>;

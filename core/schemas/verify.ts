import type { FromSchema } from '../config/schema-type.ts';
import { identityProperties } from './keys.ts';
import { countSchema, unitNameSchema, wirePathSchema } from './parts.ts';
import { DOUBT_REQUIRED, doubtProperties, policySchema, unitArgumentSchema } from './reading.ts';
import { serverArgumentSchema } from './servers.ts';

/** Reads everything that the snapshots of a unit, or of all, need, and compares it with what was recorded. */
export const verifyRequest = {
  type: 'object',
  properties: {
    unit: unitArgumentSchema,
    server: serverArgumentSchema,
    policy: policySchema,
    quick: { type: 'boolean', description: 'Reads records and manifests only; of packs it looks whether they are there in their length.' },
    sample: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      description: 'As quick, and reads so many percent of the contents, those first that waited longest: 100 / sample checks read all.',
    },
    ...identityProperties,
  },
  additionalProperties: false,
} as const;

const damage = {
  type: 'object',
  properties: {
    code: { type: 'string' },
    message: { type: 'string' },
    object: { type: 'string', description: 'Path of the damaged object below the repository.' },
    snapshots: { type: 'array', items: { type: 'string' }, description: 'Ids of the snapshots that it touches.' },
    files: { type: 'array', items: wirePathSchema, description: 'The first files that it touches.' },
    fileCount: countSchema,
  },
  required: ['code', 'message', 'object', 'snapshots', 'files', 'fileCount'],
  additionalProperties: false,
} as const;

export const verifyResult = {
  type: 'object',
  properties: {
    ...doubtProperties,
    status: { enum: ['ok', 'partial', 'damaged'], description: 'partial: no damage, but what the warnings name could not be looked into.' },
    units: { type: 'array', items: unitNameSchema },
    snapshots: countSchema,
    objects: countSchema,
    entries: countSchema,
    bytesRead: countSchema,
    damages: { type: 'array', items: damage },
  },
  required: ['units', 'snapshots', 'objects', 'entries', 'bytesRead', 'damages', ...DOUBT_REQUIRED],
  additionalProperties: false,
} as const;

export type VerifyRequest = FromSchema<typeof verifyRequest>;
export type VerifyResult = FromSchema<typeof verifyResult>;
export type Damage = FromSchema<typeof damage>;

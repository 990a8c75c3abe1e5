import type { FromSchema } from '../../config/schema-type.ts';
import { countSchema, pathArgumentSchema, timeSchema, unitNameSchema, warningSchema } from './parts.ts';

/** Gives a unit, or some of its paths, back as it was. */
export const restoreRequest = {
  type: 'object',
  properties: {
    unit: unitNameSchema,
    paths: {
      type: 'array',
      items: pathArgumentSchema,
      description: 'As in the manifest: shadow/var/www/html/index.php. None or empty: the whole unit.',
    },
    at: { type: 'string', minLength: 1, description: 'A snapshot id; none: the newest.' },
    to: { anyOf: [pathArgumentSchema], description: 'An absolute folder below which everything appears; none: the original place.' },
    overwrite: { enum: ['always', 'changed', 'never'], description: 'What happens to entries that exist; none: changed.' },
    delete: { type: 'boolean', description: 'Delete what the snapshot does not have, never what the backup leaves out.' },
    dryRun: { type: 'boolean', description: 'Write nothing, tell what would be done.' },
  },
  required: ['unit'],
  additionalProperties: false,
} as const;

export const restoreResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'partial', 'failed'] },
    unit: unitNameSchema,
    snapshot: { type: 'string' },
    time: timeSchema,
    dryRun: { type: 'boolean' },
    entries: { ...countSchema, description: 'Entries that the request selected.' },
    written: countSchema,
    unchanged: { ...countSchema, description: 'Already there as in the snapshot.' },
    skipped: { ...countSchema, description: 'Left alone because of overwrite.' },
    deleted: countSchema,
    failed: countSchema,
    bytesWritten: countSchema,
    bytesFetched: { ...countSchema, description: 'Read from the repository.' },
    warnings: { type: 'array', items: warningSchema },
    warningCount: countSchema,
  },
  required: [
    'status',
    'unit',
    'snapshot',
    'time',
    'dryRun',
    'entries',
    'written',
    'unchanged',
    'skipped',
    'deleted',
    'failed',
    'bytesWritten',
    'bytesFetched',
    'warnings',
    'warningCount',
  ],
  additionalProperties: false,
} as const;

export type RestoreRequest = FromSchema<typeof restoreRequest>;
export type RestoreResult = FromSchema<typeof restoreResult>;

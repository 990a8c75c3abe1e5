import type { FromSchema } from '../config/schema-type.ts';
import { identityProperties } from './keys.ts';
import { briefErrorSchema, countSchema, pathArgumentSchema, timeSchema, unitNameSchema, warningSchema, wirePathSchema } from './parts.ts';
import { atSchema, currentSchema, pointInTimeSchema, unitArgumentSchema, unitIdSchema } from './reading.ts';
import { restoredDatabaseSchema } from './restore-database.ts';
import { earlierSchema, serverArgumentSchema } from './servers.ts';

const pathsSchema = { type: 'array', items: wirePathSchema, description: 'The first 1000.' } as const;

/** Names or ids: of the snapshot, then of this server. */
const ownerPairs = { type: 'array', items: { type: 'string', pattern: '^[^:\\s]+:[^:\\s]+$', maxLength: 200 }, minItems: 1 } as const;

/** What a dry run found out. */
const planSchema = {
  type: 'object',
  properties: {
    snapshots: { type: 'array', items: { type: 'string' }, description: 'The chain that is read, the full first.' },
    packs: { type: 'array', items: { type: 'string' } },
    overwriteCount: countSchema,
    overwrite: pathsSchema,
    delete: pathsSchema,
  },
  required: ['snapshots', 'packs', 'overwriteCount', 'overwrite', 'delete'],
  additionalProperties: false,
} as const;

/** Gives a unit, or some of its paths, back as it was. */
export const restoreRequest = {
  type: 'object',
  properties: {
    unit: unitArgumentSchema,
    server: serverArgumentSchema,
    ...identityProperties,
    earlier: earlierSchema,
    policy: {
      enum: ['owner'],
      description: 'The account’s owner asks: restores what the owner may have. None: an administrator asks.',
    },
    paths: {
      type: 'array',
      items: pathArgumentSchema,
      minItems: 1,
      description: 'As in the manifest: shadow/var/www/html/index.php. None: the whole unit.',
    },
    at: atSchema,
    to: {
      anyOf: [pathArgumentSchema],
      description: 'The folder below which everything appears, as an absolute path; none: the original place.',
    },
    onto: {
      type: 'string',
      pattern: '^site[1-9][0-9]*$',
      description:
        'An account of this server that gets the files of the unit: its users what belonged to those of the same names, its administrator, or its group, what belonged to those of the unit and to anybody else. What the panel keeps of an account is passed over.',
    },
    mapUsers: { ...ownerPairs, description: 'Who gets what belonged to which user, such as joe:jane or 1012:2044.' },
    mapGroups: { ...ownerPairs, description: 'The same of groups.' },
    overwrite: { enum: ['always', 'changed', 'never'], description: 'What happens to entries that exist; none: always.' },
    delete: { type: 'boolean', description: 'Delete what the snapshot does not have, but never what the backup excludes.' },
    recreate: {
      type: 'boolean',
      description: 'Restore in place although the account is not on this server: its folder is made anew.',
    },
    withDatabases: { type: 'boolean', description: 'Of a whole account in its place: also all databases that the snapshot has.' },
    dryRun: { type: 'boolean', description: 'Write nothing, report what would be done.' },
    room: {
      type: 'object',
      description:
        'What the quota of the account leaves, for a restore that its owner asks for. Not every file system holds root, who writes, to a quota.',
      properties: { bytes: countSchema, entries: countSchema },
      additionalProperties: false,
    },
    spaceCheck: { type: 'boolean', description: 'false: begin even if there is too little room; what finds none is then named.' },
  },
  required: ['unit'],
  additionalProperties: false,
} as const;

export const restoreResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'partial', 'failed'] },
    unit: unitNameSchema,
    unitId: unitIdSchema,
    current: currentSchema,
    moment: pointInTimeSchema,
    snapshot: { type: 'string' },
    time: timeSchema,
    target: { type: 'string', description: 'The folder that was restored to; for a mounted account its fst.' },
    dryRun: { type: 'boolean' },
    plan: { ...planSchema, description: 'Only of a dry run; the counts then say what would be done.' },
    entries: { ...countSchema, description: 'Entries that the request selected.' },
    written: countSchema,
    unchanged: { ...countSchema, description: 'Already as in the snapshot.' },
    skipped: { ...countSchema, description: 'Left alone because of overwrite.' },
    deleted: countSchema,
    failed: countSchema,
    bytesWritten: countSchema,
    bytesFetched: { ...countSchema, description: 'Read from the repository.' },
    databases: { type: 'array', items: restoredDatabaseSchema, description: 'With withDatabases.' },
    databaseNotes: {
      type: 'array',
      items: { type: 'string' },
      description: 'What else there is to know of the databases, such as that the snapshot has none. Not there: nothing.',
    },
    databaseError: {
      ...briefErrorSchema,
      description: 'Why no database was restored at all; the files were. Not there: each database says what became of it.',
    },
    warnings: { type: 'array', items: warningSchema },
    warningCount: countSchema,
  },
  required: [
    'status',
    'unit',
    'unitId',
    'current',
    'moment',
    'snapshot',
    'time',
    'target',
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

import type { FromSchema } from '../config/schema-type.ts';
import { countSchema, levelSchema, timeSchema, unitNameSchema, waitSchema } from './parts.ts';
import { unitArgumentSchema, unitIdSchema } from './reading.ts';

/** Deletes the snapshots that no rule of retention keeps, and what earlier deletions left behind. */
export const pruneRequest = {
  type: 'object',
  properties: {
    units: {
      type: 'array',
      items: { ...unitArgumentSchema, description: 'site12 or system: all incarnations. Or the id of a unit.' },
      uniqueItems: true,
      minItems: 1,
      description: 'None: all.',
    },
    dryRun: { type: 'boolean', description: 'Delete nothing, report what would be done.' },
    yes: { type: 'boolean', description: 'Confirm deleting more than the safety limit, the guardShare of the setting retention.' },
    acceptMissing: {
      type: 'boolean',
      description:
        'What `history_missing` names is lost, and that is known: it is not missed any more. Kept in the repository, signed, with the time; verify shows it.',
    },
    wait: waitSchema,
  },
  additionalProperties: false,
} as const;

const snapshotVerdict = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    level: levelSchema,
    time: timeSchema,
    keep: { type: 'boolean' },
    rules: { type: 'array', items: { type: 'string' }, description: 'What keeps it, or why it is deleted, in words.' },
  },
  required: ['id', 'level', 'time', 'keep', 'rules'],
  additionalProperties: false,
} as const;

const prunedUnit = {
  type: 'object',
  properties: {
    unit: unitNameSchema,
    unitId: unitIdSchema,
    status: {
      enum: ['ok', 'skipped', 'refused'],
      description:
        'skipped, refused: nothing of it was deleted, `reason` says why. What was refused stays refused until somebody confirms it with `yes`.',
    },
    reason: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    needsConfirmation: { type: 'boolean', description: 'The deletion is above the safety limit and needs `yes`.' },
    refusedSince: { anyOf: [timeSchema, { type: 'null' }], description: 'Since when it waits for `yes`.' },
    kept: countSchema,
    deleted: { ...countSchema, description: 'Of a dry run: how many would be.' },
    snapshots: { type: 'array', items: snapshotVerdict, description: 'Oldest first.' },
  },
  required: ['unit', 'unitId', 'status', 'reason', 'needsConfirmation', 'refusedSince', 'kept', 'deleted', 'snapshots'],
  additionalProperties: false,
} as const;

export const pruneResult = {
  type: 'object',
  properties: {
    status: { enum: ['ok', 'partial'] },
    dryRun: { type: 'boolean' },
    units: { type: 'array', items: prunedUnit },
    objects: { ...countSchema, description: 'Manifests and packs that were deleted, leftovers of killed runs included.' },
    bytes: { ...countSchema, description: 'Their size.' },
    runs: { ...countSchema, description: 'Run records that were deleted.' },
    holds: { ...countSchema, description: 'Expired holds that were deleted.' },
    accepted: {
      ...countSchema,
      description: 'Missing snapshots and records of runs that are not missed any more, as `acceptMissing` says.',
    },
  },
  required: ['status', 'dryRun', 'units', 'objects', 'bytes', 'runs', 'holds', 'accepted'],
  additionalProperties: false,
} as const;

export type PruneRequest = FromSchema<typeof pruneRequest>;
export type PruneResult = FromSchema<typeof pruneResult>;
export type PrunedUnit = FromSchema<typeof prunedUnit>;

import { asFailure, Failure } from '../failure.ts';
import { type Lock, takeLock } from '../jobs/locks.ts';
import { readHolds } from '../repository/holds.ts';
import { unitNameOf } from '../repository/ids.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import type { Context } from './context.ts';
import { takeRetentionLock } from './hold.ts';
import { retentionPolicy } from './policies.ts';
import { chooseUnits } from './pruning/choose-units.ts';
import { deleteSnapshots, type Removed } from './pruning/deletion.ts';
import { expiredRuns, removeRuns } from './pruning/run-records.ts';
import { decideUnit, objectsOfAlone, type RetentionRules, type UnitRetention } from './pruning/unit-retention.ts';
import type { PrunedUnit, PruneRequest, PruneResult } from './schemas/prune.ts';
import { readLastUnchanged } from './unchanged-runs.ts';

/**
 * Deletes the snapshots that no rule of retention keeps, with the objects that nothing else needs and what killed runs left
 * behind. A unit that is being restored is skipped. Throws `retention_guard`, with nothing deleted, when more would go than
 * goes without asking, and `locked` while a backup runs.
 */
export async function prune(request: PruneRequest, context: Context): Promise<PruneResult> {
  const { settings, reporter } = context;
  const purpose = request.dryRun === true ? 'read' : 'write';
  const repository = await openRepository(settings, purpose, (notice) => reporter.log(notice));
  if (request.dryRun === true) return pruneRepository(request, repository, context, () => undefined);
  const locks: Lock[] = [];
  try {
    locks.push(takeLock(settings.stateDirectory, 'backup', 'a prune'));
    locks.push(takeRetentionLock(settings.stateDirectory, 'a prune'));
    return await pruneRepository(request, repository, context, (name) => locks.push(takeLock(settings.stateDirectory, name, 'a prune')));
  } finally {
    for (const lock of locks) lock.release();
  }
}

/** The same without the locks of the whole server; `lockUnit` keeps restores of the unit of this name away, or throws. */
export async function pruneRepository(
  request: PruneRequest,
  repository: Repository,
  context: Pick<Context, 'settings' | 'reporter' | 'now'>,
  lockUnit: (name: string) => void,
): Promise<PruneResult> {
  const now = context.now().getTime();
  const holds = await readHolds(repository);
  const rules: RetentionRules = {
    policy: retentionPolicy(context.settings),
    now: Temporal.Instant.fromEpochMilliseconds(now),
    timeZone: Temporal.Now.timeZoneId(),
    holds: holds.map(({ path: _, snapshot: id, ...rest }) => ({ id, ...rest })),
    unchanged: await readLastUnchanged(repository),
  };
  const units: UnitRetention[] = [];
  const skipped: PrunedUnit[] = [];
  const locked = new Set<string>();
  for (const id of await chooseUnits(request.units ?? [], repository)) {
    try {
      const name = unitNameOf(id);
      if (!locked.has(name)) lockUnit(name);
      locked.add(name);
      units.push(await decideUnit(id, repository, rules));
    } catch (error) {
      skipped.push(skip(id, error, context));
    }
  }
  const runs = await expiredRuns(repository, rules);
  const ended = holds.filter(({ expires }) => expires !== undefined && Date.parse(expires) <= now);
  if (request.dryRun === true) return resultOf(request, units, skipped, foreseen(units), runs.length, ended.length);
  if (request.yes !== true) requireConfirmation(units);
  const removed = await deleteSnapshots(units, repository, now);
  await removeRuns(runs, repository);
  for (const { path } of ended) await repository.removeObject(path);
  return resultOf(request, units, skipped, removed, runs.length, ended.length);
}

function skip(id: string, error: unknown, { reporter }: Pick<Context, 'reporter'>): PrunedUnit {
  const { code, message } = asFailure(error);
  reporter.log({ level: 'warning', code, message: `nothing of ${id} is deleted: ${message}`, affected: [id] });
  return {
    ...{ unit: unitNameOf(id), unitId: id, status: 'skipped', reason: message, needsConfirmation: false },
    ...{ kept: 0, deleted: 0, snapshots: [] },
  };
}

/** What the deletion would remove, by what the records say. */
function foreseen(units: readonly UnitRetention[]): Removed {
  const lengths = units.flatMap(({ doomed, kept }) => [...objectsOfAlone(doomed, kept).values()]);
  return { objects: lengths.length, bytes: lengths.reduce((sum, length) => sum + length, 0) };
}

function requireConfirmation(units: readonly UnitRetention[]): void {
  const guarded = units.filter(({ decision }) => decision.needsConfirmation);
  if (guarded.length === 0) return;
  const counts = guarded.map(({ unit, decision, snapshots }) => `${decision.deletions} of ${snapshots.length} snapshots of ${unit}`);
  throw new Failure('retention_guard', `${counts.join(', ')} would be deleted at once; nothing was`, {
    affected: guarded.map(({ unit }) => unit),
    advice: 'Look at them with --dry-run. If it is meant, say --yes; else look at the setting retention and at the clock.',
  });
}

function resultOf(
  request: PruneRequest,
  units: readonly UnitRetention[],
  skipped: readonly PrunedUnit[],
  removed: Removed,
  runs: number,
  holds: number,
): PruneResult {
  const pruned = units.map(({ unit, snapshots, decision, doomed, kept }): PrunedUnit => {
    const byId = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]));
    return {
      ...{ unit: unitNameOf(unit), unitId: unit, status: 'ok', reason: null },
      ...{ needsConfirmation: decision.needsConfirmation, kept: kept.length, deleted: doomed.length },
      snapshots: decision.verdicts.map(({ id, keep, rules }) => {
        const { level, time } = byId.get(id) as (typeof snapshots)[number];
        return { id, level, time, keep, rules: [...rules] };
      }),
    };
  });
  const status = skipped.length > 0 ? 'partial' : 'ok';
  return { status, dryRun: request.dryRun === true, units: [...pruned, ...skipped], ...removed, runs, holds };
}

import { setImmediate } from 'node:timers/promises';
import { copyOf } from '../config/copies.ts';
import { withPruneKey } from '../config/prune-key.ts';
import type { Context } from '../context/context.ts';
import type { Notice } from '../context/notice.ts';
import { asFailure, Failure } from '../failure.ts';
import { type Lock, takeLock, waitForLock } from '../locks/locks.ts';
import { unitBackupLock } from '../locks/unit-locks.ts';
import { toldWaiting } from '../locks/waiting.ts';
import { Announcement } from '../prune/announcement.ts';
import { unitsToPrune } from '../prune/choose-units.ts';
import { deleteSnapshots, foreseeDeletion, type Removed } from '../prune/deletion.ts';
import { type Losses, missingNow, NO_LOSSES } from '../prune/losses.ts';
import { type Refusal, Refusals } from '../prune/refusals.ts';
import { expiredRuns, oldestOfInterest, removeRuns } from '../prune/run-records.ts';
import { decideUnit, type RetentionRules, type UnitRetention } from '../prune/unit-retention.ts';
import { readHolds, retentionHolds } from '../repository/holds.ts';
import { unitNameOf } from '../repository/ids.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { RunIndex } from '../repository/run-index.ts';
import { SAFETY_AGE } from '../repository/safety-age.ts';
import type { PrunedUnit, PruneRequest, PruneResult } from '../schemas/prune.ts';
import { retentionPolicy } from '../timeline/policies.ts';
import { localTimeZone } from '../timeline/time-zone.ts';
import { takeRetentionLock } from './hold.ts';
import { rememberingCopies } from './prune-copies.ts';

/**
 * Deletes the snapshots that no rule of retention keeps, with the objects that nothing else needs and what killed runs left
 * behind. A unit that is being restored or backed up is skipped, and one of which more would go than goes without asking is
 * left as it is; neither holds up the others. Throws `locked` while a backup of the server runs, `cancelled` when it was stopped:
 * what is left then is whole.
 */
export const prune = rememberingCopies(pruneStored);

async function pruneStored(request: PruneRequest, context: Context): Promise<PruneResult> {
  const { settings, reporter } = context;
  const notify = (notice: Notice) => reporter.log(notice);
  if (request.dryRun === true) return pruneRepository(request, await openRepository(settings, 'read', notify), context, () => undefined);
  const repository = await openRepository(withPruneKey(settings), 'free', notify);
  const { stateDirectory } = settings;
  const copy = copyOf(settings);
  const locks: Lock[] = [];
  const take = (name: string) => locks.push(takeLock(stateDirectory, name, 'a prune'));
  try {
    locks.push(await waitForLock(stateDirectory, 'backup', 'a prune', toldWaiting(context, request.wait ?? 0)));
    locks.push(takeRetentionLock(stateDirectory, 'a prune'));
    // What is brought there meanwhile could need what goes.
    if (copy !== undefined)
      locks.push(await waitForLock(stateDirectory, `copy-${copy}`, 'a prune', toldWaiting(context, request.wait ?? 0)));
    return await pruneRepository(request, repository, context, (name) => {
      take(name);
      take(unitBackupLock(name));
    });
  } finally {
    for (const lock of locks) lock.release();
  }
}

/** The same without the locks of the whole server; `lockUnit` keeps who works on the unit of this name away, or throws. */
export async function pruneRepository(
  request: PruneRequest,
  repository: Repository,
  context: Pick<Context, 'settings' | 'reporter' | 'now' | 'signal'>,
  lockUnit: (name: string) => void,
): Promise<PruneResult> {
  repository.expectAll();
  const now = context.now().getTime();
  const holds = await readHolds(repository);
  const runs = await RunIndex.read(repository, now);
  requireWitnesses(runs);
  const rules: RetentionRules = {
    policy: retentionPolicy(context.settings),
    now: Temporal.Instant.fromEpochMilliseconds(now),
    timeZone: localTimeZone(repository.notify),
    holds: retentionHolds(holds),
    runs,
    confirmed: request.yes === true,
  };
  const refusals = new Refusals(repository.stateFolder);
  const units: PlannedUnit[] = [];
  const skipped: PrunedUnit[] = [];
  const locked = new Set<string>();
  const step = async () => {
    await setImmediate();
    if (context.signal.aborted) throw new Failure('cancelled', 'the prune was stopped; the next one goes on');
  };
  for (const id of await unitsToPrune(request.units ?? [], repository)) {
    await step();
    try {
      if (await repository.units.isEmpty(id)) {
        if (request.dryRun !== true) await repository.units.removeEmpty(id, now - SAFETY_AGE);
        continue;
      }
      const name = unitNameOf(id);
      if (!locked.has(name)) lockUnit(name);
      locked.add(name);
      const retention = await decideUnit(id, repository, rules);
      const refusal = rules.confirmed ? undefined : refusals.refusalOf(retention, rules);
      refusals.remember(retention, refusal);
      units.push({ retention, refusal });
    } catch (error) {
      skipped.push(skip(id, error, context));
    }
  }
  const going = units.map(({ retention, refusal }) => (refusal === undefined ? retention : untouched(retention)));
  const expired = await expiredRuns(repository, rules, going);
  const losses = request.acceptMissing === true ? await missingNow(going, runs, repository, now) : NO_LOSSES;
  const ended = holds.filter(({ expires }) => expires !== undefined && Date.parse(expires) <= now);
  if (request.dryRun === true)
    return resultOf(request, {
      units,
      skipped,
      removed: await foreseeDeletion(going, repository),
      runs: expired.length,
      holds: ended.length,
      losses,
    });
  refusals.save();
  const announcement = await Announcement.of({ units: going, runs: expired, losses }, runs, repository, oldestOfInterest(rules));
  await announcement.say();
  let deleted = 0;
  const { closed, ...removed } = await deleteSnapshots(going, repository, now, async () => {
    await step();
    await announcement.sayAt(deleted++);
  });
  await announcement.finish();
  for (const [id, failure] of closed) if (going.some(({ unit }) => unit === id)) skipped.push(skip(id, failure, context));
  // Without a word of it they would be missed.
  const gone = announcement.isSaid ? expired : [];
  await removeRuns(gone, repository);
  runs.save(gone);
  // One that stays is ended all the same, and goes the next time.
  for (const { path } of ended) await repository.removeObject(path).catch((error) => repository.report(error));
  const done = units.filter(({ retention }) => !closed.has(retention.unit));
  return resultOf(request, { units: done, skipped, removed, runs: gone.length, holds: ended.length, losses });
}

/** How long snapshots stood decides which of them go: while a record that says it cannot be read, but another day may be, none goes. */
function requireWitnesses({ unread }: RunIndex): void {
  const refused = unread.find(({ code }) => code !== 'repository_damaged');
  if (refused !== undefined) throw refused;
}

/** What retention says of a unit, and why it is not done. */
interface PlannedUnit {
  readonly retention: UnitRetention;
  readonly refusal: Refusal | undefined;
}

/** The same unit with everything staying. */
function untouched(retention: UnitRetention): UnitRetention {
  return { ...retention, doomed: [], kept: retention.snapshots.map(({ record }) => record) };
}

function skip(id: string, error: unknown, { reporter }: Pick<Context, 'reporter'>): PrunedUnit {
  const { code, message } = asFailure(error);
  reporter.log({ level: 'warning', code, message: `nothing of ${id} is deleted: ${message}`, affected: [id] });
  return {
    ...{ unit: unitNameOf(id), unitId: id, status: 'skipped', reason: message, needsConfirmation: false, refusedSince: null },
    ...{ kept: 0, deleted: 0, snapshots: [] },
  };
}

const ADVICE = 'Look at them with --dry-run. If that is intended, confirm with --yes; otherwise check the setting retention and the clock';

/** What came of a prune, or would: `runs` and `holds` that went, too, are counted. */
interface Pruned {
  readonly units: readonly PlannedUnit[];
  readonly skipped: readonly PrunedUnit[];
  readonly removed: Removed;
  readonly runs: number;
  readonly holds: number;
  readonly losses: Losses;
}

function resultOf(request: PruneRequest, { units, skipped, removed, runs, holds, losses }: Pruned): PruneResult {
  const dryRun = request.dryRun === true;
  const pruned = units.map(({ retention, refusal }): PrunedUnit => {
    const { unit, snapshots, decision, doomed, kept } = retention;
    const byId = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]));
    const stays = refusal !== undefined && !dryRun;
    return {
      ...{ unit: unitNameOf(unit), unitId: unit, status: refusal === undefined ? 'ok' : 'refused' },
      ...{ reason: refusal === undefined ? null : `${refusal.reason}. ${ADVICE}.` },
      ...{ needsConfirmation: refusal !== undefined, refusedSince: refusal?.since ?? null },
      ...{ kept: stays ? snapshots.length : kept.length, deleted: stays ? 0 : doomed.length },
      snapshots: decision.verdicts.map(({ id, keep, rules }) => {
        const snapshot = byId.get(id);
        if (snapshot === undefined) throw new Failure('internal', `retention decided about ${id}, which is no snapshot of ${unit}`);
        const { level, time } = snapshot;
        return { id, level, time, keep, rules: [...rules] };
      }),
    };
  });
  const isWhole = skipped.length === 0 && units.every(({ refusal }) => refusal === undefined);
  return {
    status: isWhole ? 'ok' : 'partial',
    dryRun,
    units: [...pruned, ...skipped],
    ...removed,
    runs,
    holds,
    accepted: losses.runs.length + losses.snapshots.length,
  };
}

import type { LevelRequest } from '../chain/choose-level.ts';
import { limitsOf } from '../config/limits.ts';
import { Failure } from '../failure.ts';
import { takeLock } from '../jobs/locks.ts';
import { keepMemorySmall } from '../linux/allocator.ts';
import { exclusionOf } from '../manifest/left-out-rules.ts';
import type { PanelUnit } from '../panel/unit.ts';
import { listUnits, requireLivingUnit } from '../panel/units.ts';
import { newTimedId } from '../repository/ids.ts';
import { ManifestCache } from '../repository/manifest-cache.ts';
import { FORMAT_VERSION } from '../repository/record.ts';
import { openRepository } from '../repository/repository.ts';
import type { RunUnit } from '../repository/run-record.ts';
import { ReaderPool } from '../scan/reader-pool.ts';
import { WorkerPool } from '../scan/worker-pool.ts';
import { PROGRAM } from '../version.ts';
import { LoadWatch } from './backup/load-watch.ts';
import { pacedBy } from './backup/paced-output.ts';
import { RunProgress } from './backup/run-progress.ts';
import type { RunTools, UnitBackup } from './backup/run-tools.ts';
import { backUpUnit } from './backup/unit-backup.ts';
import type { Context } from './context.ts';
import { leftOutOf } from './left-out.ts';
import type { RunRequest, RunResult, UnitOutcome } from './schemas/run.ts';
import { readLastUnchanged } from './unchanged-runs.ts';
import { toWireError } from './wire-error.ts';

/** What ended a unit, told to the caller and kept in the run's record. */
interface Ended {
  readonly outcome: UnitOutcome;
  readonly entry: RunUnit;
}

/**
 * Backs up the named units, or everything on the server, one unit after the other; what fails in one does not stop the
 * others. Throws before anything is done when the request or the repository is wrong, or another run is under way.
 */
export async function run(request: RunRequest, context: Context): Promise<RunResult> {
  if (process.geteuid?.() !== 0) throw new Failure('not_root', 'only root can read every account', { advice: 'Run this as root.' });
  const { settings, reporter } = context;
  // A wrong pattern stops the run before it begins.
  exclusionOf(leftOutOf(undefined, settings));
  const wanted = request.units ?? [];
  const units = wanted.length === 0 ? listUnits(settings) : wanted.map((name) => requireLivingUnit(settings, name));
  const repository = await openRepository(settings, 'write', (notice) => reporter.log(notice));
  const lock = takeLock(settings.stateDirectory, 'backup', 'a backup');
  keepMemorySmall();
  const limits = limitsOf(settings);
  const pool = new WorkerPool(limits.workers, limits.readRate);
  const readers = new ReaderPool();
  const progress = new RunProgress(units.length, reporter);
  const load = limits.load === undefined ? undefined : new LoadWatch(limits.load, context, [pool, progress]);
  try {
    const started = context.now();
    const id = newTimedId(started);
    const unchanged = await readLastUnchanged(repository);
    const cache = new ManifestCache(repository);
    const paced = pacedBy(limits.sendRate, context.signal);
    const tools: RunTools = { context, repository, cache, pool, readers, unchanged, progress, load, paced };
    const ended = await backUpAll(units, request.level ?? 'auto', tools);
    const finished = context.now().toISOString();
    const status = overallStatus(ended.map(({ outcome }) => outcome.status));
    const { identity, server } = repository;
    await repository.commitRun({
      formatVersion: FORMAT_VERSION,
      id,
      repository: identity.id,
      server,
      time: started.toISOString(),
      finished,
      status,
      units: ended.map(({ entry }) => entry),
      tool: PROGRAM,
    });
    if (context.signal.aborted) throw new Failure('cancelled', 'the backup was stopped', { affected: [id] });
    return { status, run: id, started: started.toISOString(), finished, units: ended.map(({ outcome }) => outcome) };
  } finally {
    try {
      await Promise.all([load?.stop(), pool.stop(), readers.stop()]);
    } finally {
      lock.release();
    }
  }
}

/** Units whose scan is over and whose objects are still being made durable. */
const COMMITS_UNDER_WAY = 4;

/** One scan at a time, with all workers; the next one begins while the units before are being committed. */
async function backUpAll(units: readonly PanelUnit[], level: LevelRequest, tools: RunTools): Promise<Ended[]> {
  const running: Promise<Ended>[] = [];
  for (const unit of units) {
    await running.at(-COMMITS_UNDER_WAY);
    tools.progress.begin(unit.name);
    await tools.load?.pass();
    const { promise: scanned, resolve } = Promise.withResolvers<void>();
    const backup = backUpOne(unit, level, tools, resolve);
    running.push(backup);
    await Promise.race([scanned, backup]);
  }
  return Promise.all(running);
}

async function backUpOne(unit: PanelUnit, level: LevelRequest, tools: RunTools, onScanned: () => void): Promise<Ended> {
  const { now, signal, reporter } = tools.context;
  const time = now().toISOString();
  try {
    if (signal.aborted) throw new Failure('cancelled', 'the run was stopped before this unit');
    for (const root of unit.missing) {
      reporter.log({ level: 'warning', code: 'root_missing', message: `${unit.name} has no ${root}`, affected: [unit.name] });
    }
    return succeeded(await backUpUnit(unit, level, tools, onScanned), unit, time);
  } catch (error) {
    return failed(unit, error, time);
  }
}

function succeeded(backup: UnitBackup, unit: PanelUnit, time: string): Ended {
  const { record, isNew, warnings } = backup;
  const complete = !warnings.isIncomplete;
  const status = !complete ? 'partial' : isNew ? 'ok' : 'unchanged';
  const { counts, bytes } = record;
  const outcome: UnitOutcome = {
    unit: unit.name,
    status,
    snapshot: record.id,
    level: record.level,
    reason: backup.plan.reason,
    entries: counts.entries,
    changed: isNew ? counts.changed : 0,
    deleted: isNew ? counts.deleted : 0,
    bytesTotal: bytes.total,
    bytesRead: isNew ? bytes.read : 0,
    bytesStored: isNew ? bytes.stored : 0,
    warnings: [...warnings.list],
    warningCount: warnings.count,
    error: null,
  };
  const { warningCount } = outcome;
  return {
    outcome,
    entry: { name: unit.name, unit: backup.unit.unit, outcome: status, time, snapshot: backup.link, warningCount, complete, failure: null },
  };
}

function failed(unit: PanelUnit, error: unknown, time: string): Ended {
  const wire = toWireError(error);
  const { code, message } = wire;
  return {
    outcome: {
      unit: unit.name,
      status: 'failed',
      snapshot: null,
      level: null,
      reason: '',
      entries: 0,
      changed: 0,
      deleted: 0,
      bytesTotal: 0,
      bytesRead: 0,
      bytesStored: 0,
      warnings: [],
      warningCount: 0,
      error: wire,
    },
    entry: {
      name: unit.name,
      unit: null,
      outcome: 'failed',
      time,
      snapshot: null,
      warningCount: 0,
      complete: false,
      failure: { code, message },
    },
  };
}

/** Failed only when nothing succeeded: one good snapshot is worth being told from none. */
function overallStatus(statuses: readonly UnitOutcome['status'][]): RunResult['status'] {
  const failures = statuses.filter((status) => status === 'failed').length;
  if (failures > 0 && failures === statuses.length) return 'failed';
  return failures > 0 || statuses.includes('partial') ? 'partial' : 'ok';
}

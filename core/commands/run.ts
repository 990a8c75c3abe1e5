import { reportExport } from '../backup/databases/export-if-due.ts';
import { LiveFiles } from '../backup/databases/live-files.ts';
import { settleDeadRestores } from '../backup/databases/settle-restores.ts';
import { rootMissing } from '../backup/previous/lost-roots.ts';
import { recordDeadRun } from '../backup/run/dead-run.ts';
import { type EndedUnit, failed, overallStatus, succeeded, withinAnswer } from '../backup/run/ended-unit.ts';
import { LoadWatch } from '../backup/run/load-watch.ts';
import { tellMissingUnits } from '../backup/run/missing-units.ts';
import { checkOwnersRequest, ownersAllowance, withinAllowance } from '../backup/run/owner-run.ts';
import { RunControl } from '../backup/run/run-control.ts';
import { NO_JOURNAL, type RunJournal } from '../backup/run/run-journal.ts';
import { RunProgress } from '../backup/run/run-progress.ts';
import type { RunTools } from '../backup/run/run-tools.ts';
import { type RunUnits, unitsOfRun } from '../backup/run/run-units.ts';
import { throttledBy } from '../backup/run/throttled-output.ts';
import { UnitsInHand } from '../backup/run/units-in-hand.ts';
import { backUpUnit } from '../backup/unit-backup.ts';
import { differentialDueSince, type LevelRequest } from '../chain/choose-level.ts';
import { databasesOf } from '../config/databases.ts';
import { limitsOf } from '../config/limits.ts';
import type { Settings } from '../config/settings.ts';
import type { Context } from '../context/context.ts';
import { Databases } from '../databases/databases.ts';
import { asFailure, Failure } from '../failure.ts';
import { keepMemorySmall } from '../linux/allocator.ts';
import { type Lock, takeLock, type Waiting, waitForLock } from '../locks/locks.ts';
import { unitBackupLock } from '../locks/unit-locks.ts';
import type { PanelUnit } from '../panel/unit.ts';
import { findLivingUnit, listUnits } from '../panel/units.ts';
import { readDeletions } from '../repository/history/deletions.ts';
import { newTimedId, unitNameOf } from '../repository/ids.ts';
import { ManifestCache } from '../repository/manifest-cache.ts';
import { mendObjects } from '../repository/mend-objects.ts';
import { openRepository } from '../repository/open-repository.ts';
import { FORMAT_VERSION } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { RunIndex } from '../repository/run-index.ts';
import type { RunRecord } from '../repository/run-record.ts';
import { WorkerPool } from '../scan/pack/worker-pool.ts';
import { ReaderPool } from '../scan/walk/reader-pool.ts';
import type { WireError } from '../schemas/parts.ts';
import type { RunRequest, RunResult } from '../schemas/run.ts';
import { toWireError } from '../schemas/wire-error.ts';
import { refuseOwnPlaces } from '../targets/own-places.ts';
import { requireUsablePatterns } from '../timeline/exclude-rules.ts';
import { leavingAccounts } from '../timeline/leaving-accounts.ts';
import { schedulePolicy } from '../timeline/policies.ts';
import { localTimeZone } from '../timeline/time-zone.ts';
import { type LastUnchanged, lastUnchanged } from '../timeline/unchanged-runs.ts';
import { verifiedOf } from '../verify/verified-units.ts';
import { PROGRAM } from '../version.ts';
import { takeRetentionLock } from './hold.ts';

/**
 * Backs up the named units, or everything on the server, one unit after the other; what fails in one does not stop the
 * others. Throws before anything is done when the request or the repository is wrong, or another run
 * is under way for longer than this one waits. With an earlier part in its journal it goes on with that run.
 */
export async function run(request: RunRequest, context: Context, journal: RunJournal = NO_JOURNAL): Promise<RunResult> {
  if (process.geteuid?.() !== 0) throw new Failure('not_root', 'only root can read every account', { advice: 'Run this as root.' });
  const { settings, reporter } = context;
  // A wrong pattern stops the run before it begins.
  requireUsablePatterns(settings);
  const wanted = request.units ?? [];
  // Before anything is written: a server whose accounts are not there, and a repository inside of what is backed up, are no place for it.
  const present = wanted.length === 0 ? listUnits(settings) : wanted.flatMap((name) => findLivingUnit(settings, name) ?? []);
  refuseOwnPlaces(present, settings);
  const limits = limitsOf(settings);
  if (request.policy === 'owner') checkOwnersRequest(request);
  const repository = await openRepository(settings, 'write', (notice) => reporter.log(notice));
  if (wanted.length === 0) repository.expectAll();
  const { living: units, vanished } = await unitsOfRun(wanted, repository, settings);
  const isOwners = request.policy === 'owner';
  if (isAlone(request) && units.length === 0) throw rootMissing(wanted[0] as string, ['it is not on the server any more']);
  const minutes = request.wait ?? (isOwners ? Math.min(OWNERS_WAIT, limits.wait) : limits.wait);
  // The lock went with the process that had it: whoever came between ends at some time.
  const waiting = waitingFor(journal.earlier === undefined ? minutes : Math.max(minutes, limits.wait), context);
  // Such a run takes the lock of its own unit alone: it neither stops nor delays anybody else's.
  const lock = await waitForLock(
    settings.stateDirectory,
    isAlone(request) ? unitBackupLock((units[0] as PanelUnit).name) : 'backup',
    'a backup',
    waiting,
  );
  try {
    return await backUp({ request, living: units, vanished, lock, waiting }, repository, context, journal);
  } finally {
    lock.release();
  }
}

/** Small objects of the server that were damaged or removed. While somebody changes holds the next run does it; what fails keeps nobody from the backups. */
async function putBackDamaged(repository: Repository, { settings }: Context): Promise<void> {
  let lock: Lock | undefined;
  try {
    lock = takeRetentionLock(settings.stateDirectory, 'a backup');
    await mendObjects(repository, 'quick');
  } catch (error) {
    if (asFailure(error).code !== 'locked') repository.report(error);
  } finally {
    lock?.release();
  }
}

/** Whether a run is of one unit alone, beside others: an owner's, or the last one of an account. */
function isAlone({ policy, alone }: RunRequest): boolean {
  return policy === 'owner' || alone === true;
}

/** Without the accounts that failed because the panel deleted them meanwhile, and said so: nothing was to be backed up any more. */
function withoutDeleted(ended: readonly EndedUnit[], settings: Settings): EndedUnit[] {
  const leaving = new Set(leavingAccounts(settings.stateDirectory).map(({ unit }) => unitNameOf(unit)));
  const isGone = (name: string): boolean => (findLivingUnit(settings, name)?.roots.length ?? 0) === 0;
  return ended.filter(({ outcome: { status, unit } }) => status !== 'failed' || !leaving.has(unit) || !isGone(unit));
}

const NEVER = new AbortController().signal;

/** Minutes; whoever asked by the panel has a connection open meanwhile. */
const OWNERS_WAIT = 1;

/** A run that may begin. */
interface AdmittedRun extends RunUnits {
  readonly request: RunRequest;
  /** The server's or, for an owner, that of the only unit. */
  readonly lock: Lock;
  /** How long it waits for others. */
  readonly waiting: Waiting;
}

async function backUp(
  { request, living, vanished, lock, waiting }: AdmittedRun,
  repository: Repository,
  context: Context,
  journal: RunJournal,
): Promise<RunResult> {
  const { settings, reporter } = context;
  const { earlier } = journal;
  const limits = limitsOf(settings);
  const owner =
    request.policy === 'owner' && earlier === undefined ? await ownersAllowance(living[0] as PanelUnit, repository, context) : undefined;
  const done = new Set(earlier?.ended.map(({ outcome }) => outcome.unit));
  const units = living.filter(({ name }) => !done.has(name));
  keepMemorySmall();
  const pool = new WorkerPool(limits.workers, limits.readRate);
  const readers = new ReaderPool();
  const progress = new RunProgress(living.length, reporter, living.length - units.length);
  const load = limits.load === undefined ? undefined : new LoadWatch(limits.load, context, [pool, progress]);
  const databases = new Databases(settings, context.signal);
  let inHand: UnitsInHand | undefined;
  try {
    const started = earlier === undefined ? context.now() : new Date(earlier.started);
    const id = earlier?.id ?? newTimedId(started);
    journal.begin({ id, started: started.toISOString() });
    const exported = context.databaseExport;
    if (exported !== undefined && earlier === undefined) reportExport(exported, context);
    if (!isAlone(request) && databasesOf(settings).method === 'stream') await settleDeadRestores(databases, context);
    const { unchanged, runs } = await readRuns(repository, started, context);
    const history = { runs, deletions: await readDeletions(repository, (error) => repository.report(error)) };
    const isRunMissing = (await repository.runs.missing()) !== undefined;
    if (!isAlone(request)) await putBackDamaged(repository, context);
    // Whose backups others are is not the business of such a run.
    const isUnitMissing = !isAlone(request) && (await tellMissingUnits({ repository, history }, context));
    const cache = new ManifestCache(repository);
    const throttled = withinAllowance(owner, throttledBy(limits.sendRate, context.signal));
    const control = new RunControl({ progress, signal: context.signal, load, throttled });
    const readBack = request.readBack ?? settings.readBack;
    const isWhole = (request.units ?? []).length === 0;
    const dead =
      isWhole && earlier === undefined
        ? UnitsInHand.ofDeadRun(
            settings.stateDirectory,
            [...units, ...vanished].map(({ name }) => name),
          )
        : undefined;
    if (dead !== undefined) await recordDeadRun(dead, repository, context);
    inHand = isWhole ? new UnitsInHand(settings.stateDirectory, id) : undefined;
    const tools: RunTools = {
      context,
      repository,
      cache,
      pool,
      readers,
      databases,
      liveFiles: new LiveFiles(settings, databases),
      exporters: exported === undefined ? [] : [exported],
      unchanged,
      history,
      control,
      readBack,
      inHand,
      journal,
    };
    // What the schedule wants on top of an incremental is the server's to take.
    const level = request.policy === 'owner' ? 'incremental' : (request.level ?? 'auto');
    const missing = vanished
      .filter(({ name }) => !done.has(name))
      .map(({ name }) => failed({ name }, rootMissing(name, ['it is not on the server any more']), started.toISOString()));
    const suspects = new Set(dead?.units ?? earlier?.suspects);
    const now =
      earlier?.isLast === true
        ? units.map((unit) => failed(unit, notBegun(unit), context.now().toISOString()))
        : await backUpAll(units, { suspects, level, waiting, held: isAlone(request) ? lock : undefined }, tools);
    const all = [...missing, ...(earlier?.ended ?? []), ...now];
    const ended = isWhole ? withoutDeleted(all, settings) : all;
    const finished = context.now().toISOString();
    const ofUnits = overallStatus(ended.map(({ outcome }) => outcome.status));
    const status = ofUnits === 'ok' && (exported?.result === 'failed' || isRunMissing || isUnitMissing) ? 'partial' : ofUnits;
    const entries = ended.map(({ entry }) => entry);
    const { identity, server } = repository;
    const unrecorded = await recordRun(
      {
        formatVersion: FORMAT_VERSION,
        id,
        repository: identity.id,
        server,
        time: started.toISOString(),
        finished,
        status,
        units: entries,
        ...(isWhole ? { whole: true, verified: verifiedOf(entries, repository.stateFolder) } : {}),
        tool: PROGRAM,
      },
      repository,
      {
        stateDirectory: settings.stateDirectory,
        waiting: { ...waiting, minutes: 1, signal: NEVER },
        mayBeThere: earlier !== undefined,
      },
    );
    if (context.signal.aborted) throw new Failure('cancelled', 'the backup was stopped', { affected: [id] });
    return {
      status: unrecorded !== undefined && status === 'ok' ? 'partial' : status,
      run: id,
      started: started.toISOString(),
      finished,
      ...(exported === undefined ? {} : { databaseExport: exported }),
      units: ended.map(({ outcome }) => outcome).map(withinAnswer()),
      ...(unrecorded === undefined ? {} : { unrecorded }),
    };
  } finally {
    inHand?.close();
    await Promise.all([load?.stop(), pool.stop(), readers.stop(), databases.close()]);
  }
}

/**
 * Writes the record of a run; gives why that could not be done. Its snapshots stand all the same, and their outcomes are still to be told.
 * With `mayBeThere` an earlier part of the run may have written it, and ended behind that.
 */
async function recordRun(
  run: RunRecord,
  repository: Repository,
  { stateDirectory, waiting, mayBeThere }: { readonly stateDirectory: string; readonly waiting: Waiting; readonly mayBeThere: boolean },
): Promise<WireError | undefined> {
  try {
    // Another run may end in the same moment, and both note which ones there are.
    const noting = await waitForLock(stateDirectory, 'runs', 'the record of a run', waiting);
    try {
      await repository.runs.commit(run);
    } finally {
      noting.release();
    }
    return undefined;
  } catch (error) {
    if (mayBeThere && error instanceof Failure && error.code === 'object_exists') return undefined;
    return toWireError(error);
  }
}

/** Units whose scan is over and whose objects are still being made durable. */
const COMMITS_UNDER_WAY = 4;

/** How the units of a run are backed up. */
interface UnitsOrder {
  readonly suspects: ReadonlySet<string>;
  readonly level: LevelRequest;
  readonly waiting: Waiting;
  readonly held: Lock | undefined;
}

interface OneUnit {
  readonly level: LevelRequest;
  readonly onScanned: () => void;
  readonly take: TakeLock;
}

/**
 * One scan at a time, with all workers; the next one begins while the units before are being committed. A unit that somebody else
 * works on comes after all others, and is waited for then; behind those come the suspects, each when all before it are done, so that the
 * one that ends the process ends nothing besides. `held` is the lock of all of them, where that is taken already.
 */
async function backUpAll(
  units: readonly PanelUnit[],
  { suspects, level, waiting, held }: UnitsOrder,
  tools: RunTools,
): Promise<EndedUnit[]> {
  const { stateDirectory } = tools.context.settings;
  const running: Promise<EndedUnit>[] = [];
  const ended = new Map<PanelUnit, Promise<EndedUnit>>();
  const begin = async (unit: PanelUnit, lock: TakeLock) => {
    tools.control.progress.next(unit.name);
    await tools.control.mayGoOn();
    const { promise: scanned, resolve } = Promise.withResolvers<void>();
    const backup = backUpOne(unit, { level, onScanned: resolve, take: lock }, tools);
    running.push(backup);
    ended.set(unit, backup);
    await Promise.race([scanned, backup]);
  };
  const busy: PanelUnit[] = [];
  for (const unit of units) {
    if (suspects.has(unit.name)) continue;
    await running.at(-COMMITS_UNDER_WAY);
    const lock = held === undefined ? freeLock(stateDirectory, unit) : () => held;
    if (lock === undefined) busy.push(unit);
    else await begin(unit, lock);
  }
  const taking = (unit: PanelUnit) => () => held ?? waitForLock(stateDirectory, unitBackupLock(unit.name), 'a backup', waiting);
  for (const unit of busy) await begin(unit, taking(unit));
  for (const unit of units.filter(({ name }) => suspects.has(name))) {
    await Promise.all(running);
    await begin(unit, taking(unit));
  }
  return Promise.all(
    units.map((unit) => {
      const backup = ended.get(unit);
      if (backup === undefined) throw new Failure('internal', `the backup of ${unit.name} was never begun`);
      return backup;
    }),
  );
}

/** Asked for its lock when a unit's turn has come, and not before: what refuses it then has somebody who hears it, also after a pause. */
type TakeLock = () => Lock | Promise<Lock>;

/** The lock of a unit's backup, undefined while somebody else has it. Why there can be none is for that unit alone. */
function freeLock(stateDirectory: string, { name }: PanelUnit): TakeLock | undefined {
  try {
    const lock = takeLock(stateDirectory, unitBackupLock(name), 'a backup');
    return () => lock;
  } catch (error) {
    if (error instanceof Failure && error.code === 'locked') return undefined;
    return () => {
      throw error;
    };
  }
}

/** How this run waits, and says so. */
function waitingFor(minutes: number, { signal, reporter }: Context): Waiting {
  const onWait = ({ message, affected }: Failure) =>
    reporter.log({ level: 'info', code: 'waiting', message: `${message}; waiting for at most ${minutes} minutes`, affected });
  return { minutes, signal, onWait };
}

/** What earlier runs found unchanged, as far as it matters for the level. */
async function readRuns(
  repository: Repository,
  now: Date,
  { settings }: Context,
): Promise<{ readonly unchanged: LastUnchanged; readonly runs: RunIndex }> {
  const instant = Temporal.Instant.fromEpochMilliseconds(now.getTime());
  const since = differentialDueSince(schedulePolicy(settings), instant, localTimeZone(repository.notify));
  const runs = await RunIndex.read(repository, now.getTime(), since);
  runs.save();
  return { unchanged: lastUnchanged(runs), runs };
}

async function backUpOne(unit: PanelUnit, { level, onScanned, take }: OneUnit, tools: RunTools): Promise<EndedUnit> {
  const { now, signal, reporter } = tools.context;
  const time = now().toISOString();
  let lock: Lock | undefined;
  try {
    lock = await take();
    tools.inHand?.begin(unit.name);
    // Whoever hears of the unit's progress can count on it that the unit counts as begun.
    tools.journal.beginUnit(unit.name);
    tools.control.progress.begin();
    if (signal.aborted) throw new Failure('cancelled', 'the run was stopped before this unit');
    for (const { path, reason } of unit.missing) {
      reporter.log({ level: 'warning', code: 'root_missing', message: `${unit.name}: ${path} ${reason}`, affected: [unit.name] });
    }
    for (const message of unit.followed) reporter.log({ level: 'info', code: 'link_followed', message, affected: [unit.name] });
    return noted(succeeded(await backUpUnit(unit, level, tools, onScanned), unit, time), tools);
  } catch (error) {
    return noted(failed(unit, error, time), tools);
  } finally {
    tools.inHand?.end(unit.name);
    lock?.release();
  }
}

function noted(ended: EndedUnit, { journal }: RunTools): EndedUnit {
  journal.endUnit(ended);
  return ended;
}

function notBegun({ name }: PanelUnit): Failure {
  const message = 'not begun: the program ended too often in this run';
  return new Failure('unit_crashed', message, { affected: [name], advice: 'See why the units before it failed.', retry: true });
}

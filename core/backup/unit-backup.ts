import type { LevelRequest } from '../chain/choose-level.ts';
import { newest } from '../chain/snapshot.ts';
import { limitsOf } from '../config/limits.ts';
import { keepInState } from '../context/keep-state.ts';
import { VIRTUAL_FOLDERS } from '../databases/virtual-paths.ts';
import { asFailure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { ManifestReader } from '../manifest/read/manifest-reader.ts';
import type { RawDatabases } from '../panel/raw-databases.ts';
import type { PanelUnit } from '../panel/unit.ts';
import { missingSnapshots, type ReadUnit } from '../repository/history/missing.ts';
import { keepSeenSnapshot } from '../repository/history/seen.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { newTimedId } from '../repository/ids.ts';

import { damagedSnapshots } from '../repository/known-damage.ts';
import { packId } from '../repository/layout.ts';

import { plainManifest, type SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { ContentIndex, writeContentIndex } from '../scan/known/content-index.ts';
import { type IndexedManifest, UnitContents } from '../scan/known/unit-contents.ts';
import { scan } from '../scan/scan.ts';
import { mountedPaths } from '../scan/walk/mounted-paths.ts';
import { chainSnapshots, type RecordedSnapshot } from '../timeline/chain-snapshots.ts';
import { excludedThen, excludeOf } from '../timeline/exclude-rules.ts';
import { schedulePolicy } from '../timeline/policies.ts';
import { dumpDatabases } from './databases/dump-databases.ts';
import { replacementsOf, withoutLiveFiles } from './databases/live-files.ts';
import { discard } from './packs/pack-compaction.ts';
import { SnapshotPacks } from './packs/snapshot-packs.ts';
import { unitOf } from './previous/account-unit.ts';
import { fullInstead, planUnit, type UnitPlan } from './previous/level.ts';
import { lostRoots, rootIdentities, rootMissing, vanishedLocations, withoutRoots } from './previous/lost-roots.ts';
import { noteRename } from './previous/renamed-account.ts';
import { withRevealedNewest } from './previous/revealed-newest.ts';
import { type UnitDevices, unitDevices } from './previous/unit-devices.ts';
import { ManifestOutput } from './rows/manifest-output.ts';
import { SnapshotOutput } from './rows/snapshot-output.ts';
import { flagUnseen } from './rows/unseen-rows.ts';
import { ROOT_MOVED, ROOT_VANISHED } from './rows/warning-list.ts';
import type { BackedUpUnit } from './run/backed-up-unit.ts';
import { tellOnce } from './run/missing-units.ts';
import type { RunTools } from './run/run-tools.ts';
import { timeBudget } from './run/time-budget.ts';
import { commitSnapshot, type ScannedUnit } from './snapshot-commit.ts';

/**
 * Backs up one unit: decides the level, scans, stores what is new, commits. A failure leaves no trace in any snapshot. Calls
 * `onScanned` when the workers are free for another unit; what remains is waiting for the disk.
 */
export async function backUpUnit(given: PanelUnit, request: LevelRequest, tools: RunTools, onScanned: () => void): Promise<BackedUpUnit> {
  const { context, repository, cache } = tools;
  const started = context.now();
  if (given.roots.length === 0 && given.missing.length > 0) throw withoutRoots(given);
  const liveFiles = await tools.liveFiles.in(given);
  const subject = withoutLiveFiles(given, liveFiles, tools);
  const unit = await unitOf(subject, repository, context.reporter);
  await noteRename(subject, unit, repository, context.reporter);
  cache.discardUnfinished(unit.unit);
  const found = await repository.readSnapshots(unit.unit);
  for (const { failure } of found.unusable) repository.report(failure);
  const isHistoryMissing = await tellMissing(unit.unit, found, tools);
  const history = await withRevealedNewest(chainSnapshots(found.records, repository, tools.unchanged), repository);
  await requireRoots(subject, unit, history, repository);
  const damaged = damagedSnapshots(repository.stateFolder, unit.unit);
  const usable = history.map((snapshot) => (damaged.has(snapshot.id) ? { ...snapshot, usable: false } : snapshot));
  const plan = await planUnit(request, { schedule: schedulePolicy(context.settings), history: usable, now: started, repository, cache });
  const last = newest(history)?.record;
  const vanished = repository.units.isGone(unit) ? [] : vanishedLocations(subject, last);
  const attempt = async (wanted: UnitPlan): Promise<BackedUpUnit> => {
    tools.control.progress.expect(last, wanted.previous !== undefined);
    const rows = new ManifestOutput(cache.temporaryFile(unit.unit));
    const run = new UnitRun({ subject, unit, liveFiles, plan: wanted, started, rows, vanished, lastRecord: last }, tools);
    try {
      return await run.run(onScanned);
    } finally {
      run.close();
    }
  };
  try {
    const backup = await attempt(plan).catch((error) => {
      const full = fullInstead(plan, error, repository);
      if (full === undefined) throw error;
      return attempt(full);
    });
    await repository.units.forgetGone(unit);
    rememberNewest(backup.record, tools);
    return { ...backup, isHistoryMissing };
  } finally {
    plan.previous?.close();
  }
}

/** Whether a snapshot is gone that the server did not delete, and no run said so before; says so. What is left is authentic: the backup goes on from that. */
async function tellMissing(unit: string, found: ReadUnit, { context, repository, history }: RunTools): Promise<boolean> {
  const missing = await missingSnapshots(unit, found, repository, history.runs, history.deletions);
  return tellOnce(unit, missing, repository, context.reporter);
}

/** So that it is missed when somebody takes it away. */
function rememberNewest({ unit, id }: SnapshotRecord, { context, repository }: RunTools): void {
  const { stateFolder } = repository;
  keepInState(
    stateFolder,
    (notice) => context.reporter.log(notice),
    () => keepSeenSnapshot(stateFolder, unit, id),
  );
}

/** Throws `root_missing` when something is not there that was backed up before, unless somebody said that it is gone. */
async function requireRoots(
  subject: PanelUnit,
  unit: UnitIdentity,
  history: readonly RecordedSnapshot[],
  repository: Repository,
): Promise<void> {
  if (repository.units.isGone(unit)) return;
  const lost = await lostRoots(subject, unitDevices(subject.roots, undefined), history, repository);
  if (lost.length > 0) throw rootMissing(subject.name, lost);
}

/** What a unit's backup is told. */
interface UnitOrder {
  readonly subject: PanelUnit;
  readonly unit: UnitIdentity;
  /** Live files of database servers that are left out. */
  readonly liveFiles: readonly RawDatabases[];
  readonly plan: UnitPlan;
  readonly started: Date;
  /** What the scan finds goes here. */
  readonly rows: ManifestOutput;
  /** Locations of the last backup that are not there any more. */
  readonly vanished: readonly ByteString[];
  readonly lastRecord: SnapshotRecord | undefined;
}

class UnitRun {
  readonly #subject: PanelUnit;
  readonly #unit: UnitIdentity;
  readonly #liveFiles: readonly RawDatabases[];
  readonly #plan: UnitPlan;
  readonly #started: Date;
  readonly #rows: ManifestOutput;
  readonly #vanished: readonly ByteString[];
  readonly #lastRecord: SnapshotRecord | undefined;
  readonly #tools: RunTools;
  readonly #id: string;
  readonly #devices: UnitDevices;
  readonly #identities: readonly string[];
  #rewritten: ManifestOutput | undefined;

  constructor({ subject, unit, liveFiles, plan, started, rows, vanished, lastRecord }: UnitOrder, tools: RunTools) {
    this.#subject = subject;
    this.#unit = unit;
    this.#liveFiles = liveFiles;
    this.#plan = plan;
    this.#started = started;
    this.#rows = rows;
    this.#vanished = vanished;
    this.#lastRecord = lastRecord;
    this.#tools = tools;
    this.#id = newTimedId(started);
    this.#devices = unitDevices(subject.roots, plan.previous?.chain.at(-1));
    this.#identities = rootIdentities(subject.roots);
  }

  async run(onScanned: () => void): Promise<BackedUpUnit> {
    const { repository, pool, readers, control } = this.#tools;
    const unit = this.#unit.unit;
    const idOfPack = (number: number): string => packId(this.#id, number);
    const packs = new SnapshotPacks(
      async (number) => control.throttled(await repository.createPack(unit, idOfPack(number))),
      repository.backend.isDistant,
    );
    const known = this.#indexedChain();
    const output = new SnapshotOutput(this.#rows, repository.stateFolder, this.#devices.numbers);
    const contents = known.length === 0 ? undefined : UnitContents.open(known, this.#devices.numbers);
    const { settings } = this.#tools.context;
    const exclude = excludeOf(this.#subject, settings);
    this.#reportMoved(output);
    for (const path of this.#vanished)
      output.problem(path, ROOT_VANISHED, 'was backed up before and is not there any more; only earlier backups have it');
    const packing = pool.begin({ packNames: repository.packNames(unit, this.#id), known, sink: packs });
    try {
      const dumped = await dumpDatabases(this.#subject, this.#plan, this.#lastRecord, packing, output, this.#tools);
      const filesFrom = this.#tools.context.now();
      const scanned = await scan(
        {
          roots: this.#subject.roots,
          previous: this.#plan.previous?.readersToday(this.#devices.numbers) ?? [],
          exclude,
          elsewhere: VIRTUAL_FOLDERS,
          mounts: mountedPaths(this.#subject.roots),
          includeSubvolumes: settings.includeSubvolumes,
          ...(contents === undefined ? {} : { known: contents }),
          budget: timeBudget(this.#subject.roots, this.#plan.previous?.chain.at(-1), limitsOf(settings).readRate),
          control: control.ofScan(dumped.totals),
        },
        { packing, readers },
        output,
      );
      await packing.end();
      this.#requireSameRoots();
      onScanned();
      const rawDatabases = replacementsOf(this.#subject, this.#liveFiles, dumped.records, this.#tools);
      const complete: ScannedUnit = {
        subject: this.#subject,
        unit: this.#unit,
        id: this.#id,
        started: this.#started,
        plan: this.#plan,
        devices: this.#devices,
        rows: this.#flagged(output),
        output,
        packs,
        sent: packing.sent,
        packId: idOfPack,
        totals: { entries: dumped.totals.entries + scanned.entries, bytes: dumped.totals.bytes + scanned.bytes },
        databases: dumped.records.map((record) => ({ ...record, secondsBeforeFiles: secondsBetween(record.at, filesFrom) })),
        excluded: { ...excludedThen(exclude), ...(rawDatabases.length === 0 ? {} : { rawDatabases }) },
      };
      return await commitSnapshot(complete, this.#tools);
    } finally {
      // In this order: no frame comes any more when the packs are dropped, and no worker reads when files are closed.
      await packing.end();
      await packs.abort();
      output.close();
      contents?.close();
    }
  }

  /** Names the roots that are found through a link elsewhere than in the last snapshot. */
  #reportMoved(output: SnapshotOutput): void {
    const then = this.#plan.previous?.chain.at(-1)?.roots ?? [];
    if (this.#subject.followed.length === 0) return;
    for (const { name, source } of this.#devices.roots) {
      const before = then.find((root) => root.name === name)?.source;
      if (before !== undefined && before !== source)
        output.problem(name, ROOT_MOVED, `a link leads to where it is now, ${source}; the link was followed`);
    }
  }

  /** A disk that was unmounted in the middle of it must not look as if everything had been deleted. */
  #requireSameRoots(): void {
    if (this.#subject.folder === undefined) return;
    const now = rootIdentities(this.#subject.roots);
    const other = this.#subject.roots.filter((_, index) => now[index] !== this.#identities[index]);
    if (other.length > 0)
      throw rootMissing(
        this.#subject.name,
        other.map(({ path }) => `${path} went away while it was read`),
      );
  }

  /** The rows that the scan gave; where a directory turned out later to be not seen completely, written once more. */
  #flagged(output: SnapshotOutput): ManifestOutput {
    if (output.unseenPaths.size === 0) return this.#rows;
    this.#rows.finish();
    const flagged = new ManifestOutput(this.#tools.cache.temporaryFile(this.#unit.unit));
    this.#rewritten = flagged;
    const previous = this.#plan.previous?.readers ?? [];
    for (const row of flagUnseen(this.#rows.reader().rows(), output.unseenPaths, previous)) flagged.add(row);
    return flagged;
  }

  /** To be called when the unit is over. */
  close(): void {
    for (const rows of [this.#rows, this.#rewritten]) if (rows !== undefined) discard(rows);
  }

  /** Where contents of the chain can be looked up; makes the indexes that are lost or damaged. */
  #indexedChain(): IndexedManifest[] {
    const { previous } = this.#plan;
    if (previous === undefined) return [];
    const { cache } = this.#tools;
    return previous.chain.map((record, number) => {
      const index = cache.indexPathOf(record);
      this.#ensureIndex(index, previous.readers[number] as ManifestReader);
      return { manifest: cache.pathOf(record), index, expected: plainManifest(record.manifest) };
    });
  }

  /** Without an index contents are stored once more: that is no reason to have no backup. */
  #ensureIndex(file: string, reader: ManifestReader): void {
    const opened = ContentIndex.open(file, reader);
    if (opened !== undefined) {
      opened.close();
      return;
    }
    try {
      writeContentIndex(file, reader);
    } catch (error) {
      const { code, message } = asFailure(error);
      this.#tools.context.reporter.log({
        level: 'warning',
        code,
        message: `known contents cannot be looked up, so everything that changed is stored again: ${message}`,
        affected: [file],
      });
    }
  }
}

/** How long after a moment, RFC 3339, another one is, in seconds. */
function secondsBetween(moment: string, later: Date): number {
  return Math.max(0, (later.getTime() - Date.parse(moment)) / 1000);
}

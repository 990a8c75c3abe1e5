import { Failure } from '../../failure.ts';
import { recordIdOf, runPath, snapshotPath } from '../layout.ts';
import type { SnapshotRecord } from '../record.ts';
import type { Repository, UnusableRecord } from '../repository.ts';
import type { IndexedLog, RunIndex } from '../run-index.ts';
import { coversRun, type FoundDeletions, readDeletions } from './deletions.ts';
import { readSeenSnapshot, seenUnits } from './seen.ts';

/** Which runs are there, and what those that were read say of the ones before them. */
export interface LoggedRuns {
  readonly ids: readonly string[];
  readonly log: ReadonlyMap<string, Pick<IndexedLog, 'previous'>>;
}

/** The ids of runs whose records later ones link to, and that are gone without their server having deleted them. */
export async function missingRuns(repository: Repository, { ids, log }: LoggedRuns): Promise<string[]> {
  const there = new Set(ids);
  const unlisted = [...log.values()].flatMap(({ previous }) => (previous === null || there.has(previous.id) ? [] : previous));
  const gone = await goneOf(unlisted, ({ id }) => runPath(id), repository);
  if (gone.length === 0) return [];
  const deleted = await readDeletions(repository, (error) => repository.report(error));
  return gone.filter(({ sequence }) => !coversRun(deleted, sequence)).map(({ id }) => id);
}

/** What was not listed and is not there now either: a run beside may have stored it since, and others remember it already. */
async function goneOf<T>(unlisted: readonly T[], pathOf: (each: T) => string, repository: Repository): Promise<T[]> {
  const gone: T[] = [];
  for (const each of unlisted) if (await repository.isGone(pathOf(each))) gone.push(each);
  return gone;
}

/** A unit of which nothing is there any more, and a snapshot that it had. */
export interface MissingUnit {
  readonly unit: string;
  readonly snapshot: string;
}

/** What the log of runs says of snapshots. */
export interface LoggedSnapshots extends Pick<RunIndex, 'mentionedSince' | 'units' | 'untold'> {
  readonly named: ReadonlyMap<string, { readonly id: string }>;
}

/**
 * The units of which not even the folder is there, or nothing in it, though this machine saw snapshots of them, or the log of runs or `before` name some,
 * and that their server did not delete. Only those that are meant are looked for.
 */
export async function missingUnits(
  repository: Repository,
  runs?: LoggedSnapshots,
  { before, isMeant = () => true }: { readonly before?: FoundDeletions; readonly isMeant?: (unit: string) => boolean } = {},
): Promise<MissingUnit[]> {
  const there = new Set(await repository.units.ids());
  const seen = repository.isOwn ? seenUnits(repository.stateFolder) : [];
  const missing: MissingUnit[] = [];
  for (const unit of new Set([...seen, ...(runs?.named.keys() ?? []), ...(runs?.units ?? []), ...namesOf(before)])) {
    if (!isMeant(unit) || (there.has(unit) && !(await repository.units.isEmpty(unit)))) continue;
    const ids = await missingSnapshots(unit, { records: [], unusable: [] }, repository, runs, before);
    missing.push(...ids.map((snapshot) => ({ unit, snapshot })));
  }
  return missing;
}

function namesOf(deletions: FoundDeletions | undefined): string[] {
  return deletions?.standing.map(({ unit }) => unit) ?? [];
}

/** What was read of a unit. */
export interface ReadUnit {
  readonly records: readonly Pick<SnapshotRecord, 'id'>[];
  readonly unusable: readonly Pick<UnusableRecord, 'path'>[];
}

/** The ids of the snapshots of a unit that stand as its server says: what it left when it deleted last, and what runs named since. */
export function standingOf(unit: string, runs: LoggedSnapshots, { standing, isWhole }: FoundDeletions): string[] {
  // What a damaged record says that was deleted, nobody knows. Its damage is told.
  if (!isWhole) return [];
  const left = standing.find((each) => each.unit === unit && each.sequence >= runs.untold);
  return [...(left?.snapshots ?? []), ...runs.mentionedSince(unit, left?.sequence ?? 0)];
}

/**
 * The ids of snapshots of a unit that are gone without their server having deleted them: that were the newest, as this machine saw or as the log of
 * runs says; and with `before`, what the server said that it deleted, whichever else stood.
 */
export async function missingSnapshots(
  unit: string,
  read: ReadUnit,
  repository: Repository,
  runs?: Pick<LoggedSnapshots, 'named'>,
  before?: undefined,
): Promise<string[]>;
export async function missingSnapshots(
  unit: string,
  read: ReadUnit,
  repository: Repository,
  runs: LoggedSnapshots | undefined,
  before: FoundDeletions | undefined,
): Promise<string[]>;
export async function missingSnapshots(
  unit: string,
  { records, unusable }: ReadUnit,
  repository: Repository,
  runs?: LoggedSnapshots | Pick<LoggedSnapshots, 'named'>,
  before?: FoundDeletions,
): Promise<string[]> {
  const there = new Set([...records.map(({ id }) => id), ...unusable.map(({ path }) => recordIdOf(path))]);
  const own = repository.isOwn ? readSeenSnapshot(repository.stateFolder, unit) : undefined;
  const newest = new Set([own, runs?.named.get(unit)?.id].filter((id) => id !== undefined));
  const standing = (deletions: FoundDeletions | undefined): string[] =>
    deletions === undefined || runs === undefined || !('untold' in runs) ? [] : standingOf(unit, runs, deletions);
  const unlisted = [...new Set([...newest, ...standing(before)])].filter((id) => !there.has(id));
  const gone = await goneOf(unlisted, (id) => snapshotPath(unit, id), repository);
  if (gone.length === 0) return [];
  // Read again: a prune beside may have deleted meanwhile, and says so before.
  const deleted = await readDeletions(repository, (error) => repository.report(error));
  const stillStanding = new Set(before === undefined ? [] : standing(deleted));
  const isDeleted = (id: string) => deleted.snapshots.some((snapshot) => snapshot.unit === unit && snapshot.id === id);
  return gone.filter((id) => !isDeleted(id) && (newest.has(id) || stillStanding.has(id)));
}

export function snapshotMissing(unit: string, id: string): Failure {
  const message = `the snapshot ${id} of ${unit} is gone, and the server did not delete it: it was taken away, or an older state of the repository was put back`;
  const advice = 'When the loss is known and nothing brings it back: `apiscp-backup prune --accept-missing`.';
  return new Failure('history_missing', message, { affected: [unit, id], advice });
}

export function runMissing(id: string): Failure {
  return new Failure('history_missing', `the record of the run ${id} is gone, and the server did not delete it`, { affected: [id] });
}

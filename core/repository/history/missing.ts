import { Failure } from '../../failure.ts';
import { recordIdOf, runPath, snapshotPath } from '../layout.ts';
import type { SnapshotRecord } from '../record.ts';
import type { Repository, UnusableRecord } from '../repository.ts';
import type { RunIndex } from '../run-index.ts';
import { coversRun, readDeletions } from './deletions.ts';
import { readSeenSnapshot, seenUnits } from './seen.ts';

/** The ids of runs whose records later ones link to, and that are gone without their server having deleted them. */
export async function missingRuns(repository: Repository, { ids, log }: RunIndex): Promise<string[]> {
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
  for (const each of unlisted) if ((await repository.objectSize(pathOf(each))) === undefined) gone.push(each);
  return gone;
}

/** A unit of which nothing is there any more, and its newest snapshot. */
export interface MissingUnit {
  readonly unit: string;
  readonly snapshot: string;
}

/**
 * The units of which not even the folder is there, or nothing in it, though this machine saw snapshots of them or the log of runs names some, and that
 * their server did not delete.
 */
export async function missingUnits(
  repository: Repository,
  runs?: { readonly named: ReadonlyMap<string, { readonly id: string }> },
): Promise<MissingUnit[]> {
  const there = new Set(await repository.units.ids());
  const seen = repository.isOwn ? seenUnits(repository.stateFolder) : [];
  const missing: MissingUnit[] = [];
  for (const unit of new Set([...seen, ...(runs?.named.keys() ?? [])])) {
    if (there.has(unit) && !(await repository.units.isEmpty(unit))) continue;
    const ids = await missingSnapshots(unit, { records: [], unusable: [] }, repository, runs);
    missing.push(...ids.map((snapshot) => ({ unit, snapshot })));
  }
  return missing;
}

/** What was read of a unit. */
export interface ReadUnit {
  readonly records: readonly Pick<SnapshotRecord, 'id'>[];
  readonly unusable: readonly Pick<UnusableRecord, 'path'>[];
}

/**
 * The ids of snapshots of a unit that were the newest, as this machine saw or as the log of runs says, and that are gone without their
 * server having deleted them.
 */
export async function missingSnapshots(
  unit: string,
  { records, unusable }: ReadUnit,
  repository: Repository,
  runs?: { readonly named: ReadonlyMap<string, { readonly id: string }> },
): Promise<string[]> {
  const there = new Set([...records.map(({ id }) => id), ...unusable.map(({ path }) => recordIdOf(path))]);
  const own = repository.isOwn ? readSeenSnapshot(repository.stateFolder, unit) : undefined;
  const wanted = new Set([own, runs?.named.get(unit)?.id].filter((id) => id !== undefined));
  const unlisted = [...wanted].filter((id) => !there.has(id));
  const gone = await goneOf(unlisted, (id) => snapshotPath(unit, id), repository);
  if (gone.length === 0) return [];
  const deleted = await readDeletions(repository, (error) => repository.report(error));
  return gone.filter((id) => !deleted.snapshots.some((snapshot) => snapshot.unit === unit && snapshot.id === id));
}

export function snapshotMissing(unit: string, id: string): Failure {
  const message = `the snapshot ${id} of ${unit} is gone, which was the newest: it was taken away, or an older state of the repository was put back`;
  return new Failure('history_missing', message, { affected: [unit, id] });
}

export function runMissing(id: string): Failure {
  return new Failure('history_missing', `the record of the run ${id} is gone, and the server did not delete it`, { affected: [id] });
}

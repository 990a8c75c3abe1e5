import { Failure } from '../../failure.ts';
import { recordIdOf } from '../layout.ts';
import type { SnapshotRecord } from '../record.ts';
import type { Repository, UnusableRecord } from '../repository.ts';
import type { RunIndex } from '../run-index.ts';
import { coversRun, readDeletions } from './deletions.ts';
import { readSeenSnapshot } from './seen.ts';

/** The ids of runs whose records later ones link to, and that are gone without their server having deleted them. */
export async function missingRuns(repository: Repository, { ids, log }: RunIndex): Promise<string[]> {
  const there = new Set(ids);
  const gone = [...log.values()].flatMap(({ previous }) => (previous === null || there.has(previous.id) ? [] : previous));
  if (gone.length === 0) return [];
  const deleted = await readDeletions(repository, (error) => repository.report(error));
  return gone.filter(({ sequence }) => !coversRun(deleted, sequence)).map(({ id }) => id);
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
  const gone = [...wanted].filter((id) => !there.has(id));
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

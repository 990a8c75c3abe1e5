import type { Accepted, UnitSnapshot } from '../repository/history/deletion-record.ts';
import { readDeletions } from '../repository/history/deletions.ts';
import { missingRuns, missingSnapshots, missingUnits } from '../repository/history/missing.ts';
import type { Repository } from '../repository/repository.ts';
import type { RunIndex } from '../repository/run-index.ts';
import type { UnitRetention } from './unit-retention.ts';

/** What is missing of a server's history, and is missed no more because somebody said so. */
export interface Losses {
  /** Ids of run records. */
  readonly runs: readonly string[];
  readonly snapshots: readonly UnitSnapshot[];
  /** The same with the time, as it is recorded; none when nothing is missing. */
  readonly accepted: readonly Accepted[];
}

/** Nothing was accepted. */
export const NO_LOSSES: Losses = { runs: [], snapshots: [], accepted: [] };

/** What is missing now of the units that were read, of those of which nothing is there, and of the log of runs. */
export async function missingNow(units: readonly UnitRetention[], runs: RunIndex, repository: Repository, now: number): Promise<Losses> {
  const deletions = await readDeletions(repository, (error) => repository.report(error));
  const newest = await repository.runs.missing();
  const lostRuns = [...new Set([...(newest === undefined ? [] : [newest.id]), ...(await missingRuns(repository, runs))])];
  const snapshots: UnitSnapshot[] = [];
  for (const { unit, kept, doomed } of units) {
    const ids = await missingSnapshots(unit, { records: [...kept, ...doomed], unusable: [] }, repository, runs, deletions);
    snapshots.push(...ids.map((id) => ({ unit, id })));
  }
  const whole = await missingUnits(repository, runs, { before: deletions });
  snapshots.push(...whole.map(({ unit, snapshot: id }) => ({ unit, id })));
  if (lostRuns.length === 0 && snapshots.length === 0) return NO_LOSSES;
  return { runs: lostRuns, snapshots, accepted: [{ time: new Date(now).toISOString(), runs: lostRuns, snapshots }] };
}

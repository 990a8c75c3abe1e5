import type { Context } from '../../context/context.ts';
import type { FoundDeletions } from '../../repository/history/deletions.ts';
import { missingUnits, snapshotMissing } from '../../repository/history/missing.ts';
import { keepSeenSnapshot, keepTold, readTold } from '../../repository/history/seen.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RunIndex } from '../../repository/run-index.ts';

/** Whether units are gone as a whole that this machine stored snapshots of; says so, once. Their accounts begin anew, or are gone themselves. */
export async function tellMissingUnits(
  { repository, history: { runs, deletions } }: HistoryTools,
  { reporter }: Pick<Context, 'reporter'>,
): Promise<boolean> {
  const missing = await missingUnits(repository, runs, { before: deletions });
  let isNew = false;
  for (const [unit, snapshots] of Map.groupBy(missing, (each) => each.unit)) {
    const untold = tellOnce(
      unit,
      snapshots.map(({ snapshot }) => snapshot),
      repository,
      reporter,
    );
    isNew ||= untold;
    if (!untold) continue;
    try {
      keepSeenSnapshot(repository.stateFolder, unit, undefined);
    } catch {
      // Then the next run says it again.
    }
  }
  return isNew;
}

/** What a run knows of what should be there. */
export interface HistoryTools {
  readonly repository: Repository;
  readonly history: { readonly runs: RunIndex; readonly deletions: FoundDeletions };
}

/** Says of missing snapshots of a unit what no run said before; whether there was anything. */
export function tellOnce(unit: string, missing: readonly string[], { stateFolder }: Repository, reporter: Context['reporter']): boolean {
  const before = readTold(stateFolder, unit);
  const untold = missing.filter((id) => !before.includes(id));
  for (const id of untold) {
    const { code, message, affected } = snapshotMissing(unit, id);
    reporter.log({ level: 'error', code, message, affected });
  }
  try {
    if (untold.length > 0 || before.some((id) => !missing.includes(id))) keepTold(stateFolder, unit, missing);
  } catch {
    // Then the next run says it again.
  }
  return untold.length > 0;
}

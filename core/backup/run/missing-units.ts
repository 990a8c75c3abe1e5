import type { Context } from '../../context/context.ts';
import { missingUnits, snapshotMissing } from '../../repository/history/missing.ts';
import { keepSeenSnapshot } from '../../repository/history/seen.ts';
import type { Repository } from '../../repository/repository.ts';

/** Whether units are gone as a whole that this machine stored snapshots of; says so, once. Their accounts begin anew, or are gone themselves. */
export async function tellMissingUnits(repository: Repository, { reporter }: Pick<Context, 'reporter'>): Promise<boolean> {
  const missing = await missingUnits(repository);
  for (const { unit, snapshot } of missing) {
    const { code, message, affected } = snapshotMissing(unit, snapshot);
    reporter.log({ level: 'error', code, message, affected });
    try {
      keepSeenSnapshot(repository.stateFolder, unit, undefined);
    } catch {
      // Then the next run says it again.
    }
  }
  return missing.length > 0;
}

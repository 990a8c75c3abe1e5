import type { Context } from '../context/context.ts';
import { asFailure } from '../failure.ts';
import { takeLock } from '../locks/locks.ts';
import { findLivingUnit } from '../panel/units.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { forgetLeaving, leavingAccounts } from '../timeline/leaving-accounts.ts';
import { holdAfterwards } from './hold-deleted.ts';

/** An account that is on the server so long after the panel was going to delete it stays. In milliseconds. */
const STAYS_AFTER = 2 * 86_400_000;

/** Says of accounts that the panel deleted that they are meant to be gone, so that nobody misses them. Never throws; what waits, waits on. */
export async function settleDeletions(context: Context): Promise<void> {
  const { settings, reporter } = context;
  const { stateDirectory } = settings;
  const leaving = leavingAccounts(stateDirectory);
  if (leaving.length === 0) return;
  try {
    const repository = await openRepository(settings, 'write', (notice) => reporter.log(notice));
    const lock = takeLock(stateDirectory, 'backup', 'a deletion');
    try {
      for (const { unit, at } of leaving) {
        const isSettled = await settle(unit, repository, context);
        if (isSettled || context.now().getTime() > at + STAYS_AFTER) forgetLeaving(stateDirectory, unit);
      }
    } finally {
      lock.release();
    }
  } catch (error) {
    const { code, message } = asFailure(error);
    if (code !== 'locked') reporter.log({ level: 'warning', code, message: `deleted accounts could not be noted: ${message}` });
  }
}

/** Whether nothing is left to be done about an account that was going to be deleted. */
async function settle(id: string, repository: Repository, context: Context): Promise<boolean> {
  const { settings } = context;
  const unit = await repository.units.resolve(id);
  const living = findLivingUnit(settings, unit.name);
  if (living !== undefined && living.roots.length > 0 && repository.units.livesAs(unit, living.incarnation)) return false;
  await holdAfterwards(unit.unit, repository, context).catch((error: unknown) => {
    // One that has no backup has nothing to hold.
    if (asFailure(error).code !== 'snapshot_unknown') throw error;
  });
  if (!repository.units.isGone(unit))
    await repository.units.addNote({ unit: unit.unit, kind: 'gone', reason: 'the panel deleted the account' });
  return true;
}

import { lostRoots } from '../backup/previous/lost-roots.ts';
import { withRevealedNewest } from '../backup/previous/revealed-newest.ts';
import { unitDevices } from '../backup/previous/unit-devices.ts';
import type { Context } from '../context/context.ts';
import { Failure } from '../failure.ts';
import { takeLock } from '../locks/locks.ts';
import { findLivingUnit } from '../panel/units.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import type { ForgetRequest, ForgetResult } from '../schemas/forget.ts';
import { chainSnapshots, type RecordedSnapshot } from '../timeline/chain-snapshots.ts';

/**
 * Says that an account, or what is missing of it, is gone for good: runs do not miss it any more. Its backups stay, and are kept as the
 * rules of retention say. Should it be there again, it goes on. Throws `unit_unknown`, and `usage` when nothing of it is missing.
 */
export async function forget({ unit: name }: ForgetRequest, context: Context): Promise<ForgetResult> {
  const { settings, reporter } = context;
  const repository = await openRepository(settings, 'write', (notice) => reporter.log(notice));
  const lock = takeLock(settings.stateDirectory, 'backup', 'a forgetting');
  try {
    const unit = await repository.units.resolve(name);
    const history = await withRevealedNewest(chainSnapshots(await repository.snapshots(unit.unit), repository), repository);
    if (!(await isMissing(unit, history, repository, context))) {
      throw new Failure('usage', `nothing of ${unit.unit} is missing: it can be backed up as it is`, { affected: [unit.unit] });
    }
    if (!repository.units.isGone(unit))
      await repository.units.addNote({ unit: unit.unit, kind: 'gone', reason: 'an administrator said so' });
    return { status: 'ok', unit: unit.name, unitId: unit.unit, snapshots: history.length } as ForgetResult;
  } finally {
    lock.release();
  }
}

async function isMissing(
  unit: UnitIdentity,
  history: readonly RecordedSnapshot[],
  repository: Repository,
  { settings }: Context,
): Promise<boolean> {
  const living = findLivingUnit(settings, unit.name);
  if (living === undefined || living.roots.length === 0 || !repository.units.livesAs(unit, living.incarnation)) return true;
  return (await lostRoots(living, unitDevices(living.roots, undefined), history, repository)).length > 0;
}

import { accountSettingsOf } from '../config/notify.ts';
import type { Context } from '../context/context.ts';
import { readHolds, type StoredHold } from '../repository/holds.ts';
import { snapshotPath } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { hold } from './hold.ts';

/** How the reason of such a hold begins: the event can come twice. */
export const REASON = 'the account was deleted';

/** Holds of the backups of a deleted account. */
export async function heldAsDeleted(unit: string, repository: Repository): Promise<StoredHold[]> {
  const held: StoredHold[] = [];
  for (const each of await readHolds(repository)) {
    const isOfUnit = each.reason.startsWith(REASON) && (await repository.objectSize(snapshotPath(unit, each.snapshot))) !== undefined;
    if (isOfUnit) held.push(each);
  }
  return held;
}

/** Holds the newest backup of an account that is gone, where that could not be done when the panel told of it. Throws what keeps it from being held. */
export async function holdAfterwards(unit: string, repository: Repository, context: Context): Promise<void> {
  const { keepDeleted } = accountSettingsOf(context.settings);
  if (keepDeleted === false || (await heldAsDeleted(unit, repository)).length > 0) return;
  await hold({ snapshot: 'latest', unit, reason: REASON, until: keepDeleted }, context);
}

import type { Settings } from '../config/settings.ts';
import { Failure } from '../failure.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import { type AccountUsers, FIRST_USER_ID, readAccountUsers } from '../panel/account-users.ts';
import { isAccountName } from '../panel/accounts.ts';
import { findLivingUnit, requireLivingUnit } from '../panel/units.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import type { Repository } from '../repository/repository.ts';
import { isOwnersPath, OWNERS_TREE } from '../restore/owner/owner-gate.ts';
import type { OwnerRights } from '../restore/owner/owner-rights.ts';

/** An account's owner as the one who asks: which backups are meant, and who the account's users are. */
export interface OwnerRequest {
  readonly unit: UnitIdentity;
  readonly users: AccountUsers;
}

/**
 * Whose account an owner's request is about: always the incarnation that lives now, so that a new customer never gets what an
 * earlier one of the same name left. Throws `usage` for anything but an account's name, `unit_unknown`, `unsupported`.
 */
export async function resolveOwner(name: string, repository: Repository, settings: Settings): Promise<OwnerRequest> {
  if (!isAccountName(name)) throw new Failure('usage', 'an owner has an account, named like site12', { affected: [name] });
  const living = requireLivingUnit(settings, name);
  if (!repository.isOwn) throw new Failure('unit_unknown', `this server has no backups of ${name} yet`, { affected: [name] });
  const unit = await repository.units.resolve(name, living.incarnation);
  return { unit, users: readAccountUsers(settings.accountsRoot, name, living.adminUser) };
}

/** The paths that an owner's request means; none: all that owners may have. Throws `owner_not_allowed` for others. */
export function ownersPaths(paths: readonly ByteString[]): readonly ByteString[] {
  const refused = paths.filter((path) => !isOwnersPath(path));
  if (refused.length > 0) {
    throw new Failure('owner_not_allowed', `only what is below ${OWNERS_TREE}, and not the panel's, can be restored`, {
      affected: refused,
    });
  }
  return paths.length === 0 ? [OWNERS_TREE] : paths;
}

/**
 * The users of the account of this name as it lives now; none when it cannot be told, as of one that is gone. Undefined for the
 * server's own files, which no tenant has a hand in.
 */
export function usersOfAccount(name: string, settings: Settings): ReadonlySet<number> | undefined {
  if (!isAccountName(name)) return undefined;
  const living = findLivingUnit(settings, name);
  try {
    if (living !== undefined) return readAccountUsers(settings.accountsRoot, name, living.adminUser).users;
  } catch (error) {
    if (errorCode(error) === undefined && !(error instanceof Failure)) throw error;
  }
  return new Set();
}

/** What the writer may give to the users of an account; `elsewhere` says that it goes to a folder of their own. */
export function rightsOf({ administrator, users, group, named }: AccountUsers, elsewhere: boolean): OwnerRights {
  return { users, group, folderOwner: administrator, systemIdsBelow: FIRST_USER_ID, named, elsewhere };
}

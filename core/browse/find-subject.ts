import type { Context } from '../context/context.ts';
import { Failure } from '../failure.ts';
import type { AccountUsers } from '../panel/account-users.ts';
import { openRepository } from '../repository/open-repository.ts';
import { resolveOwner } from '../targets/owner-restore.ts';
import { type FoundUnit, findUnit, type UnitRequest } from './find-unit.ts';

/** A unit, and of an owner's request who the users of the account are. */
export interface Subject extends FoundUnit {
  readonly users: AccountUsers | undefined;
}

/**
 * Whose backups a request means: an owner's own ones on this server, an administrator's any. An owner does not hear what is noticed of
 * the repository, which is about others, too. Throws `unit_unknown`, `server_unknown`, `owner_not_allowed`.
 */
export async function findSubject(request: UnitRequest & { readonly policy?: 'owner' | undefined }, context: Context): Promise<Subject> {
  const { unit, server, earlier, policy } = request;
  if (policy !== 'owner') return { ...(await findUnit(request, context)), users: undefined };
  if (server !== undefined) throw new Failure('owner_not_allowed', 'an owner cannot name another server', { affected: [server] });
  if (earlier === true)
    throw new Failure('owner_not_allowed', 'an owner sees only the backups of the account that lives now', { affected: [unit] });
  const file = request.identity ?? request.passphraseFile;
  if (file !== undefined) throw new Failure('owner_not_allowed', 'an owner reads with the key that the server has', { affected: [file] });
  const repository = await openRepository(context.settings, 'read', () => {});
  return { repository, ...(await resolveOwner(unit, repository, context.settings)) };
}

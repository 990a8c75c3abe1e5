import type { Settings } from '../config/settings.ts';
import { Failure } from '../failure.ts';
import { findAccount, isAccountName } from '../panel/accounts.ts';
import { type Asker, type JobRecord, unitsOfRequest } from './record/job-record.ts';

const ADMINISTRATOR: Asker = { role: 'administrator', site: null, incarnation: null };

/** Who asks, as the request of a long operation says it. Throws `usage`, `unit_unknown`. */
export function askerOf(request: Readonly<Record<string, unknown>>, settings: Settings): Asker {
  if (request.policy !== 'owner') return ADMINISTRATOR;
  const [site, ...others] = unitsOfRequest(request);
  if (others.length > 0) throw new Failure('usage', 'an owner has one account', { affected: [site as string, ...others] });
  return owner(site, settings);
}

/** Who asks about jobs. */
export function viewerOf(
  { policy, unit }: { readonly policy?: 'owner' | undefined; readonly unit?: string | undefined },
  settings: () => Settings,
): Asker {
  return policy === 'owner' ? owner(unit, settings()) : ADMINISTRATOR;
}

function owner(site: string | undefined, { accountsRoot }: Settings): Asker {
  if (site === undefined || !isAccountName(site)) throw new Failure('usage', 'an owner’s request has to name the account, such as site12');
  const incarnation = findAccount(accountsRoot, site)?.incarnation ?? '';
  // Two accounts that cannot be told apart are not the same one.
  if (incarnation === '') throw new Failure('unit_unknown', `there is no account ${site} on this server`, { affected: [site] });
  return { role: 'owner', site, incarnation };
}

/** An owner sees the jobs that he asked for himself, an administrator all. */
export function maySee({ asker }: JobRecord, viewer: Asker): boolean {
  if (viewer.role === 'administrator') return true;
  return asker.role === 'owner' && asker.site === viewer.site && asker.incarnation === viewer.incarnation;
}

export function isSameAsker(a: Asker, b: Asker): boolean {
  return a.role === b.role && a.site === b.site && a.incarnation === b.incarnation;
}

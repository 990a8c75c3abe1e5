import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { asFailure } from '../failure.ts';
import { probeAttributes } from '../linux/attribute-probe.ts';
import { pathBytes } from '../panel/unit.ts';
import { listUnits } from '../panel/units.ts';
import type { Check } from '../schemas/doctor.ts';
import { ok, problem, warning } from './checks.ts';

const DAY = 86_400_000;
/** The system makes its exports every day; a day more may pass while one of them is at work. */
const EXPORTS_MAY_BE = 2 * DAY;

type Places = Pick<Settings, 'accountsRoot' | 'systemRoot'>;

/** What this process may do. */
export function checkRights(): Check {
  if (process.geteuid?.() === 0) return ok('rights', 'runs as root');
  return problem('rights', 'this is not root, who alone can read every account', 'Run this as root.');
}

/** Whether the accounts' file system takes what ApisCP's accounts are made of, and whether this process can read it. */
export function checkAttributes({ accountsRoot }: Places): Check {
  let support: ReturnType<typeof probeAttributes>;
  try {
    support = probeAttributes(pathBytes(accountsRoot));
  } catch (error) {
    return problem(
      'attributes',
      `${accountsRoot}: ${asFailure(error).message}`,
      'Correct the setting accountsRoot, or mount what should be there.',
    );
  }
  if (support === undefined)
    return warning(
      'attributes',
      `it cannot be tried on the file system of ${accountsRoot}`,
      'Restore one account into a folder there, and compare.',
    );
  if (support.trusted !== undefined) {
    const why = `attributes in trusted cannot be written and read in ${accountsRoot} (${support.trusted})`;
    return problem('attributes', why, 'They need CAP_SYS_ADMIN: start the program as root, outside of containers.');
  }
  if (support.accessLists !== undefined) {
    const why = `the file system of ${accountsRoot} takes no ACLs (${support.accessLists})`;
    return problem('attributes', why, 'Mount it with the option acl: Fortification is made of ACLs.');
  }
  return ok('attributes', `${accountsRoot} takes ACLs and attributes in trusted`);
}

/** The accounts, and which of them have something missing. */
export function checkAccounts(places: Places): Check {
  try {
    const accounts = listUnits(places).filter(({ name }) => name !== 'system');
    if (accounts.length === 0) {
      return warning(
        'accounts',
        `there is no account in ${places.accountsRoot}`,
        'If there should be some, correct the setting accountsRoot.',
      );
    }
    const incomplete = accounts.filter(({ missing }) => missing.length > 0).map(({ name }) => name);
    const unnamed = accounts.filter(({ domain, missing }) => domain === null && missing.length === 0).map(({ name }) => name);
    if (incomplete.length > 0) return problem('accounts', `something is missing of ${names(incomplete)}`, 'See `apiscp-backup status`.');
    if (unnamed.length > 0) {
      return warning(
        'accounts',
        `the domain of ${names(unnamed)} is not known`,
        'Look at info/current/siteinfo of the account; its backups are made all the same.',
      );
    }
    return ok('accounts', `${accounts.length} accounts in ${places.accountsRoot}`);
  } catch (error) {
    return problem('accounts', asFailure(error).message, 'Correct the setting accountsRoot, or mount what should be there.');
  }
}

function names(all: readonly string[]): string {
  return all.slice(0, 5).join(', ') + (all.length > 5 ? ` and ${all.length - 5} more` : '');
}

/** The server-wide exports that ApisCP's vendor names, in the folders that they are in. */
const EXPORTS = [
  ['var/lib/mysql', 'mysql-grants'],
  ['var/log', 'mailer_table'],
] as const;

/** Whether the exports of grants and of the mailbox map are there, and of these days. */
export function checkExports({ systemRoot }: Places, now: number): Check {
  const found = EXPORTS.map(([folder, name]) => ({ name, age: now - newest(join(systemRoot, folder), name) }));
  const lost = found.filter(({ age }) => age === Number.POSITIVE_INFINITY).map(({ name }) => name);
  const old = found.filter(({ age }) => age > EXPORTS_MAY_BE && age !== Number.POSITIVE_INFINITY);
  const advice = 'The system makes them by logrotate every day: look at /etc/logrotate.d and at the log of cron.';
  if (lost.length > 0) return warning('exports', `there is no export ${lost.join(', ')}`, advice);
  if (old.length > 0) {
    return warning('exports', old.map(({ name, age }) => `${name} is ${Math.floor(age / DAY)} days old`).join(', '), advice);
  }
  return ok('exports', 'those of grants and of the mailbox map are of these days');
}

/** When the newest file of a folder whose name begins so was changed; minus infinity when there is none. */
function newest(folder: string, name: string): number {
  try {
    const times = readdirSync(folder)
      .filter((file) => file.startsWith(name))
      .map((file) => statSync(join(folder, file)).mtimeMs);
    return Math.max(Number.NEGATIVE_INFINITY, ...times);
  } catch {
    return Number.NEGATIVE_INFINITY;
  }
}

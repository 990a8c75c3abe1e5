import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { errorCode } from '../linux/system-error.ts';
import { readAccountMetadata } from './account-metadata.ts';
import { ACCOUNT_EXCLUSIONS } from './exclusions.ts';
import { folderIncarnation } from './incarnation.ts';
import { type PanelUnit, pathBytes } from './unit.ts';

const ACCOUNT_NAME = /^site[1-9][0-9]*$/;

/** What of an account is backed up: `fst` is a view of `shadow` and of the panel's template, and is left out. */
const ACCOUNT_ROOTS = ['shadow', 'info'];

/** Whether a name is that of an account: `site12`. */
export function isAccountName(name: string): boolean {
  return ACCOUNT_NAME.test(name);
}

/** Not a link: accounts also stand there under their domain and their group, and would be taken twice. */
function isRealDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function readAccount(accountsRoot: string, name: string): PanelUnit {
  const folder = join(accountsRoot, name);
  const present = ACCOUNT_ROOTS.filter((root) => isRealDirectory(join(folder, root)));
  return {
    name,
    incarnation: folderIncarnation(pathBytes(folder)),
    ...readAccountMetadata(folder),
    roots: present.map((path) => ({ path, parent: pathBytes(folder) })),
    excluded: ACCOUNT_EXCLUSIONS,
    missing: ACCOUNT_ROOTS.filter((root) => !present.includes(root)),
  };
}

/**
 * All accounts of the server, suspended ones too, by their number. Throws `unit_unknown` when the folder of the accounts is
 * not there: a server whose accounts are not mounted must not count as one without any.
 */
export function listAccounts(accountsRoot: string): PanelUnit[] {
  let names: string[];
  try {
    names = readdirSync(accountsRoot);
  } catch (cause) {
    if (errorCode(cause) !== 'ENOENT' && errorCode(cause) !== 'ENOTDIR') throw cause;
    throw new Failure('unit_unknown', `the folder of the accounts, ${accountsRoot}, does not exist`, {
      affected: [accountsRoot],
      advice: 'Mount it, or set `accountsRoot`.',
      cause,
    });
  }
  const number = (name: string) => Number(name.slice('site'.length));
  return names
    .filter((name) => isAccountName(name) && isRealDirectory(join(accountsRoot, name)))
    .sort((a, b) => number(a) - number(b))
    .map((name) => readAccount(accountsRoot, name));
}

/** One account; undefined when there is none of this name. */
export function findAccount(accountsRoot: string, name: string): PanelUnit | undefined {
  return isAccountName(name) && isRealDirectory(join(accountsRoot, name)) ? readAccount(accountsRoot, name) : undefined;
}

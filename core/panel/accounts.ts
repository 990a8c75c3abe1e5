import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { ScanRoot } from '../scan/walk/scan-roots.ts';
import { readAccountMetadata } from './account-metadata.ts';
import { ACCOUNT_EXCLUSIONS } from './always-excluded.ts';
import { folderIncarnation } from './incarnation.ts';
import { type FollowedLink, followTrustedLink } from './trusted-link.ts';
import { type MissingRoot, type PanelUnit, pathBytes } from './unit.ts';

const ACCOUNT_NAME = /^site[1-9][0-9]*$/;

/** What of an account is backed up: `fst` is a view of `shadow` and of the panel's template, and is left out. */
const ACCOUNT_ROOTS = ['shadow', 'info'];

/** Whether a name is that of an account: `site12`. */
export function isAccountName(name: string): boolean {
  return ACCOUNT_NAME.test(name);
}

function isRealDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** Where an account is, or why nobody can say. */
type AccountPlace = { readonly folder: ByteString; readonly followed: readonly string[] } | { readonly reason: string };

/**
 * The folder of the account `name`. Undefined when there is none: accounts also stand there as links under their domain and their group, and
 * a link that leads to another account of the server would take that one twice.
 */
function placeOf(accountsRoot: string, name: string): AccountPlace | undefined {
  const folder = join(accountsRoot, name);
  if (isRealDirectory(folder)) return { folder: pathBytes(folder), followed: [] };
  if (!isLink(folder)) return undefined;
  const place = leadsTo(pathBytes(folder));
  if ('reason' in place) return place.isAway ? undefined : { reason: place.reason };
  if (isInside(place.path, pathBytes(accountsRoot))) return undefined;
  return { folder: place.path, followed: [`${folder} leads to ${place.path}`] };
}

/** A folder at the top of the file system is the system's, whatever leads there. */
function leadsTo(path: ByteString): FollowedLink {
  const place = followTrustedLink(path);
  if ('reason' in place || place.path.lastIndexOf('/') > 0) return place;
  return { reason: `is a link that leads to ${place.path}, which is no place of an account` };
}

function isInside(path: ByteString, folder: ByteString): boolean {
  try {
    return dirname(path) === realpathSync(Buffer.from(folder, 'latin1'), { encoding: 'latin1' });
  } catch {
    return false;
  }
}

function readRoot(folder: ByteString, path: string, followed: string[]): ScanRoot | MissingRoot {
  const source = `${folder}/${path}`;
  const text = Buffer.from(source, 'latin1');
  const status = lstatSync(text, { throwIfNoEntry: false });
  if (status?.isDirectory()) return { path, parent: folder };
  if (status === undefined) return { path, reason: 'is not there' };
  if (!status.isSymbolicLink()) return { path, reason: 'is no directory' };
  const place = leadsTo(source);
  if ('reason' in place) return { path, reason: place.reason };
  followed.push(`${source} leads to ${place.path}`);
  const entry = basename(place.path);
  return { path, parent: dirname(place.path), ...(entry === path ? {} : { entry }) };
}

function readAccount(name: string, place: AccountPlace): PanelUnit {
  const head = { name, excluded: ACCOUNT_EXCLUSIONS };
  if ('reason' in place) {
    const missing = ACCOUNT_ROOTS.map((path) => ({ path, reason: place.reason }));
    return { ...head, incarnation: '', domain: null, adminUser: null, roots: [], missing, followed: [], folder: undefined };
  }
  const { folder } = place;
  const followed = [...place.followed];
  const roots = ACCOUNT_ROOTS.map((path) => readRoot(folder, path, followed));
  return {
    ...head,
    incarnation: folderIncarnation(folder),
    ...readAccountMetadata(Buffer.from(folder, 'latin1').toString('utf8')),
    roots: roots.filter((root) => 'parent' in root),
    missing: roots.filter((root) => 'reason' in root),
    followed,
    folder,
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
    .filter(isAccountName)
    .sort((a, b) => number(a) - number(b))
    .flatMap((name) => findAccount(accountsRoot, name) ?? []);
}

/** One account; undefined when there is none of this name. */
export function findAccount(accountsRoot: string, name: string): PanelUnit | undefined {
  const place = isAccountName(name) ? placeOf(accountsRoot, name) : undefined;
  return place === undefined ? undefined : readAccount(name, place);
}

import { Failure } from '../failure.ts';
import { readNames } from '../linux/directories.ts';
import { closeDescriptor, openAt, openDirectoryAt, openTrustedDirectory } from '../linux/files.ts';
import { O_DIRECTORY, O_RDONLY } from '../linux/flags.ts';
import { ACCESS_ACL, DEFAULT_ACL, isNamed, parseAcl } from '../linux/posix-acl.ts';
import { StatBuffer, statAt } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import { readXattrs } from '../linux/xattrs.ts';
import type { ByteString } from '../manifest/entry.ts';
import { sourceOf } from '../scan/walk/scan-roots.ts';
import { findAccount } from './accounts.ts';
import { pathBytes } from './unit.ts';

/** Ids below this are the system's on every release (`UID_MIN` was 500 before it was 1000). */
export const FIRST_USER_ID = 500;
const HOMES = 'home';
/** Below `shadow`: where the panel's own ACLs stand (Fortification), each with the folders in it. */
const PANELS_FOLDERS: readonly (readonly ByteString[])[] = [[], [HOMES], ['var'], ['var', 'www']];

/** The ids of an account as it lives now. */
export interface AccountUsers {
  /** The administrator's. */
  readonly administrator: number;
  /** Each has a uid that is its own on the whole server; the administrator's is among them. */
  readonly users: ReadonlySet<number>;
  /** Their names, as their homes are called, and whose uid that is. */
  readonly homes: ReadonlyMap<ByteString, number>;
  /** One for the whole account. */
  readonly group: number;
  /** All users and groups that the ACLs of the account's uppermost folders name. */
  readonly named: ReadonlySet<number>;
}

/**
 * Reads who belongs to an account: whoever has a home in `shadow/home` with the group of the administrator's home, which is that
 * of the whole account and of nobody else on the server. From the live tree, never from a snapshot: ids are given again.
 * Throws `unsupported` when the administrator has no home.
 */
export function readAccountUsers(accountsRoot: string, account: string, adminUser: string | null): AccountUsers {
  const shadow = openTrustedDirectory(shadowOf(accountsRoot, account));
  try {
    const named = namedIds(shadow);
    const homes = openBelow(shadow, [HOMES]);
    try {
      return { ...readHomes(homes, account, adminUser), named };
    } finally {
      if (homes !== undefined) closeDescriptor(homes);
    }
  } finally {
    closeDescriptor(shadow);
  }
}

/** Where the files of an account are, also when root's link leads there. */
function shadowOf(accountsRoot: string, account: string): ByteString {
  const shadow = findAccount(accountsRoot, account)?.roots.find(({ path }) => path === 'shadow');
  return shadow === undefined ? pathBytes(`${accountsRoot}/${account}/shadow`) : sourceOf(shadow);
}

function readHomes(homes: number | undefined, account: string, adminUser: string | null): Omit<AccountUsers, 'named'> {
  const stat = new StatBuffer();
  const isHome = homes !== undefined && adminUser !== null && isUsers(homes, pathBytes(adminUser), stat);
  if (!isHome) {
    throw new Failure(
      'unsupported',
      `the home of the administrator of ${account} is missing, so it cannot be determined who owns the account`,
      {
        affected: [account],
        advice: 'An administrator of the server can restore it.',
      },
    );
  }
  const [administrator, group] = [stat.uid, stat.gid];
  const named = new Map<ByteString, number>();
  for (const name of readNames(homes)) if (isUsers(homes, name, stat) && stat.gid === group) named.set(name, stat.uid);
  return { administrator, users: new Set([administrator, ...named.values()]), homes: named, group };
}

/** Whether this is a directory of somebody who is not of the system; fills `stat`, which says whose. */
function isUsers(directory: number, name: ByteString, stat: StatBuffer): boolean {
  return isName(name) && statAt(directory, name, stat) && stat.isDirectory && stat.uid >= FIRST_USER_ID && stat.gid >= FIRST_USER_ID;
}

/** A name of the service files is not trusted to be one. */
function isName(name: ByteString): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

function openBelow(directory: number, names: readonly ByteString[]): number | undefined {
  let descriptor = openAt(directory, '.', O_RDONLY | O_DIRECTORY);
  for (const name of names) {
    const above = descriptor;
    try {
      descriptor = openDirectoryAt(above, name);
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR') return undefined;
      throw error;
    } finally {
      closeDescriptor(above);
    }
  }
  return descriptor;
}

function namedIds(shadow: number): Set<number> {
  const named = new Set<number>();
  for (const folder of PANELS_FOLDERS) {
    const descriptor = openBelow(shadow, folder);
    if (descriptor === undefined) continue;
    const names = readNames(descriptor);
    closeDescriptor(descriptor);
    for (const path of [folder, ...names.map((name) => [...folder, name])]) addNamed(shadow, path, named);
  }
  return named;
}

function addNamed(shadow: number, path: readonly ByteString[], named: Set<number>): void {
  const descriptor = openBelow(shadow, path);
  if (descriptor === undefined) return;
  try {
    for (const { name, value } of readXattrs(descriptor)) {
      if (name !== ACCESS_ACL && name !== DEFAULT_ACL) continue;
      for (const entry of parseAcl(value) ?? []) if (isNamed(entry)) named.add(entry.id);
    }
  } finally {
    closeDescriptor(descriptor);
  }
}

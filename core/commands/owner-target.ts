import { join } from 'node:path';
import { geteuid } from 'node:process';
import type { Settings } from '../config/settings.ts';
import { Failure } from '../failure.ts';
import { closeDescriptor, makeDirectoryAt, openDirectoryAt, openTrustedDirectory } from '../linux/files.ts';
import { setOwner } from '../linux/metadata.ts';
import { StatBuffer, statAt, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { AccountUsers } from '../panel/account-users.ts';
import { liveTree } from '../panel/live-mounts.ts';
import { pathBytes } from '../panel/unit.ts';
import { openNothing, type RestoreTarget } from './restore-target.ts';

/** Nobody but its owner looks into what was restored aside. */
const PRIVATE = 0o700;

const stat = new StatBuffer();

/**
 * The folder `path` of an account (below its `fst` or `shadow`, as the server sees it) for a restore that its owner asked for.
 * Walked one component at a time without following a link or entering a mount; it, and the folder that it is in, must belong
 * to the account. With `make` it is made when it is missing, for the owner of the folder that it is in; else it counts as
 * empty. Throws `owner_not_allowed`.
 */
export function openOwnerTarget(path: ByteString, account: string, users: AccountUsers, settings: Settings, make: boolean): RestoreTarget {
  const names = namesInAccount(path, account, settings);
  const name = names.pop() as ByteString;
  const parent = openParent(names, path, account, settings);
  try {
    statDescriptor(parent, stat);
    const { uid } = stat;
    if (!users.users.has(uid)) throw refusal(path, 'the folder that it is in does not belong to the account');
    const descriptor =
      make && makeNew(parent, name) ? openMade(parent, name, path, uid, users) : openExisting(parent, name, path, users, make);
    // What the snapshot has as deleted is not in a new folder anyway: as through a mount, no whiteouts are made.
    const roots = [{ at: '', descriptor, crossMounts: false, overlay: true }];
    return { description: path, roots, upperRoots: [], close: () => closeDescriptor(descriptor) };
  } finally {
    closeDescriptor(parent);
  }
}

function refusal(path: ByteString, reason: string, cause?: unknown): Failure {
  return new Failure('owner_not_allowed', `nothing can be restored there: ${reason}`, { affected: [path], cause });
}

/** The components below `fst` or `shadow`, which both mean the account as it sees itself. */
function namesInAccount(path: ByteString, account: string, { accountsRoot }: Settings): ByteString[] {
  const folder = `${pathBytes(join(accountsRoot, account))}/`;
  const [tree, ...names] = path.startsWith(folder) ? path.slice(folder.length).replace(/\/+$/, '').split('/') : [];
  const isInside = (tree === 'fst' || tree === 'shadow') && names.length > 0;
  if (!isInside || names.some((name) => name === '' || name === '.' || name === '..')) throw refusal(path, 'it is not in the account');
  return names;
}

/** Opens the folders from the account's root on: through its mount while it is mounted, else in `shadow`. */
function openParent(names: readonly ByteString[], path: ByteString, account: string, { accountsRoot }: Settings): number {
  let descriptor = openTrustedDirectory(liveTree(accountsRoot, account) ?? pathBytes(join(accountsRoot, account, 'shadow')));
  for (const name of names) {
    const above = descriptor;
    try {
      descriptor = openStep(above, name, path, () => {});
    } finally {
      closeDescriptor(above);
    }
  }
  return descriptor;
}

function openMade(parent: number, name: ByteString, path: ByteString, uid: number, { group }: AccountUsers): number {
  return openStep(parent, name, path, (descriptor) => {
    if (stat.uid !== geteuid?.() || (stat.mode & 0o077) !== 0) throw refusal(path, 'the new folder was replaced by somebody');
    setOwner(descriptor, uid, group);
  });
}

function openExisting(parent: number, name: ByteString, path: ByteString, { users }: AccountUsers, make: boolean): number {
  if (!make && !statAt(parent, name, stat)) return openNothing();
  return openStep(parent, name, path, () => {
    if (!users.has(stat.uid)) throw refusal(path, 'it does not belong to the account');
  });
}

/** Opens the directory `name` and lets `check` look at it, with what `stat` says. */
function openStep(parent: number, name: ByteString, path: ByteString, check: (descriptor: number) => void): number {
  let descriptor: number;
  try {
    descriptor = openDirectoryAt(parent, name);
  } catch (error) {
    throw refusal(path, 'a folder of the path does not exist, or is a link or no folder', error);
  }
  try {
    statDescriptor(descriptor, stat);
    if (stat.isMountRoot) throw refusal(path, 'something else is mounted in the path');
    check(descriptor);
    return descriptor;
  } catch (error) {
    closeDescriptor(descriptor);
    throw error;
  }
}

function makeNew(parent: number, name: ByteString): boolean {
  try {
    makeDirectoryAt(parent, name, PRIVATE);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return false;
  }
}

import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { Context } from '../context/context.ts';
import { Failure } from '../failure.ts';
import { closeDescriptor, makeDirectoryAt, openDirectoryAt, openTrustedDirectory, removeDirectoryAt, renameAt } from '../linux/files.ts';
import { setOwner } from '../linux/metadata.ts';
import { StatBuffer, statAt, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { AccountUsers } from '../panel/account-users.ts';
import { liveTree } from '../panel/live-mounts.ts';
import { pathBytes } from '../panel/unit.ts';
import type { Report } from '../restore/rules.ts';
import { stagedName } from '../restore/target/names.ts';
import { ProjectFolders } from '../restore/target/project-folders.ts';
import { Staging } from '../restore/target/staging.ts';
import { isRootsAlone } from '../restore/target/trusted-folder.ts';
import { asNotice, openNothing, type RestoreTarget } from './restore-target.ts';

/** Nobody but its owner looks into what was restored aside. */
const PRIVATE = 0o700;

/**
 * The folder `path` of an account (below its `fst` or `shadow`, as the server sees it) for a restore that its owner asked for.
 * Walked one component at a time without following a link or entering a mount; it, and the folder that it is in, must belong
 * to the account. With `make` it is made when it is missing, for the owner of the folder that it is in; else it counts as
 * empty. Throws `owner_not_allowed`.
 */
export function openOwnerTarget(
  path: ByteString,
  account: string,
  users: AccountUsers,
  context: Pick<Context, 'settings' | 'reporter'>,
  make: boolean,
): RestoreTarget {
  const { settings, reporter } = context;
  const names = namesInAccount(path, account, settings);
  const name = names.pop() as ByteString;
  const site = openTrustedDirectory(pathBytes(join(settings.accountsRoot, account)));
  try {
    const parent = openParent(names, path, account, users, settings);
    try {
      const stat = new StatBuffer();
      statDescriptor(parent, stat);
      const { uid } = stat;
      if (!users.users.has(uid)) throw refusal(path, 'the folder that it is in does not belong to the account');
      const made = make && !statAt(parent, name, stat) ? makeNew(parent, name, site, { uid, users, left: asNotice(reporter) }) : undefined;
      const descriptor = made ?? openExisting(parent, name, path, users, make);
      // What the snapshot has as deleted is not in a new folder anyway: as through a mount, no whiteouts are made.
      const roots = [{ at: '', descriptor, crossMounts: false, overlay: true, stagingIn: site }];
      return { description: path, roots, layers: undefined, close: () => [descriptor, site].forEach(closeDescriptor) };
    } finally {
      closeDescriptor(parent);
    }
  } catch (error) {
    closeDescriptor(site);
    throw error;
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
function openParent(
  names: readonly ByteString[],
  path: ByteString,
  account: string,
  users: AccountUsers,
  { accountsRoot }: Settings,
): number {
  let descriptor = openTrustedDirectory(liveTree(accountsRoot, account)?.path ?? pathBytes(join(accountsRoot, account, 'shadow')));
  for (const name of names) {
    const above = descriptor;
    try {
      descriptor = openStep(above, name, path, (stat) => checkStep(above, path, stat, users));
    } finally {
      closeDescriptor(above);
    }
  }
  return descriptor;
}

/**
 * Below a folder that not only root can write to goes on only what is the account's: a private folder of somebody else's, which may
 * hold what was kept of the account, can be renamed by whom the folder above it belongs to. `entered` is of
 * the folder that is entered.
 */
function checkStep(above: number, path: ByteString, entered: StatBuffer, { users }: AccountUsers): void {
  const folder = new StatBuffer();
  statDescriptor(above, folder);
  if (!isRootsAlone(folder) && !users.has(entered.uid)) throw refusal(path, 'a folder of the path belongs to somebody else');
}

/** Whose a folder is that is made, and who hears of what stays behind. */
interface NewFolder {
  readonly uid: number;
  readonly users: AccountUsers;
  readonly left: Report;
}

/**
 * Makes the folder where no tenant reaches it, gives it to its owner and renames it into its place, so that what is opened is what was
 * made. Undefined when something came there meanwhile.
 */
function makeNew(parent: number, name: ByteString, site: number, { uid, users: { group }, left }: NewFolder): number | undefined {
  const staging = Staging.open(parent, site);
  const projects = new ProjectFolders();
  try {
    const aside = projects.in(staging.descriptor, parent);
    const staged = stagedName();
    makeDirectoryAt(aside, staged, PRIVATE);
    const descriptor = openDirectoryAt(aside, staged);
    try {
      setOwner(descriptor, uid, group);
      renameAt(aside, staged, parent, name, true);
      return descriptor;
    } catch (error) {
      closeDescriptor(descriptor);
      removeDirectoryAt(aside, staged);
      if (errorCode(error) !== 'EEXIST') throw error;
      return undefined;
    }
  } finally {
    projects.close();
    staging.close(left);
  }
}

function openExisting(parent: number, name: ByteString, path: ByteString, { users }: AccountUsers, make: boolean): number {
  if (!make && !statAt(parent, name, new StatBuffer())) return openNothing();
  return openStep(parent, name, path, (stat) => {
    if (!users.has(stat.uid)) throw refusal(path, 'it does not belong to the account');
  });
}

/** Opens the directory `name` and lets `check` look at it. */
function openStep(parent: number, name: ByteString, path: ByteString, check: (stat: StatBuffer) => void): number {
  let descriptor: number;
  try {
    descriptor = openDirectoryAt(parent, name);
  } catch (error) {
    throw refusal(path, 'a folder of the path does not exist, or is a link or no folder', error);
  }
  try {
    const stat = new StatBuffer();
    statDescriptor(descriptor, stat);
    if (stat.isMountRoot) throw refusal(path, 'something else is mounted in the path');
    check(stat);
    return descriptor;
  } catch (error) {
    closeDescriptor(descriptor);
    throw error;
  }
}

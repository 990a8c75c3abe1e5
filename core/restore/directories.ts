import { Failure } from '../failure.ts';
import { closeDescriptor, makeDirectoryAt, openAt, openDirectoryAt, removeDirectoryAt, renameAt, unlinkAt } from '../linux/files.ts';
import { O_DIRECTORY, O_RDONLY } from '../linux/flags.ts';
import { setOwner } from '../linux/metadata.ts';
import { StatBuffer, statAt, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { changeAttributes, writeHarmlessFlags, writeProject, writeProtectingFlags } from './attributes.ts';
import type { Inode } from './hard-links.ts';
import { stagedName } from './names.ts';
import { checkDirectory } from './owner-rights.ts';
import { pastProtection, unprotect } from './protection.ts';
import { type Report, refusalsOf, type Witness, type WriteRules } from './rules.ts';
import type { Place, Target } from './target.ts';

/** Until a directory is finished only its owner enters it. */
const PRIVATE = 0o700;

const stat = new StatBuffer();

/** Whom a new directory belongs to. */
export type Ownership = Pick<Entry, 'uid' | 'gid'>;

/** What became of a directory in the first pass. */
export interface MadeDirectory extends Inode {
  /** Whether it is new; else it was there and keeps its entries. */
  readonly made: boolean;
}

/**
 * Makes the directory `path` for whom it will belong to, closed to others until `finishDirectory`. It is made in the staging folder and
 * renamed into its place, so it is certainly the one that is written into. One that exists is kept; anything else in its place,
 * a link too, is replaced, or with `overwrite: never` is `target_in_the_way`. `witness` learns which it is.
 */
export function makeDirectory(target: Target, path: ByteString, owner: Ownership, rules: WriteRules, witness: Witness): MadeDirectory {
  const place = target.place(path);
  const descriptor = place.name === '' ? undefined : makeNew(place, path, owner, rules);
  if (descriptor !== undefined) target.adopt(path, descriptor);
  statDescriptor(target.directory(path), stat);
  witness(stat);
  return { made: descriptor !== undefined, device: stat.device, inode: stat.inode };
}

/** The open new directory; undefined when there is one. */
function makeNew(place: Place, path: ByteString, owner: Ownership, rules: WriteRules): number | undefined {
  const isThere = statAt(place.directory, place.name, stat);
  if (isThere && stat.isDirectory) return undefined;
  if (isThere && rules.overwrite === 'never') {
    throw new Failure('target_in_the_way', 'something that is no directory stands here', { affected: [path] });
  }
  checkDirectory(place.directory, rules.owner);
  const staged = stagedName();
  makeDirectoryAt(place.staging, staged, PRIVATE);
  const descriptor = openDirectoryAt(place.staging, staged);
  try {
    giveTo(descriptor, owner);
    if (isThere) pastProtection(place.directory, place.name, rules.owner, () => unlinkAt(place.directory, place.name));
    publishDirectory(staged, place);
    return descriptor;
  } catch (error) {
    closeDescriptor(descriptor);
    removeDirectoryAt(place.staging, staged);
    // Somebody else made one in the same moment.
    if (errorCode(error) === 'EEXIST' && statAt(place.directory, place.name, stat) && stat.isDirectory) return undefined;
    throw error;
  }
}

/** Where the target does not take it, the last pass says so. */
function giveTo(descriptor: number, { uid, gid }: Ownership): void {
  try {
    setOwner(descriptor, uid, gid);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

function publishDirectory(staged: ByteString, { staging, directory, name }: Place): void {
  try {
    renameAt(staging, staged, directory, name, true);
  } catch (error) {
    // Network and FUSE file systems rename without conditions only; that replaces nothing but an empty directory.
    if (errorCode(error) !== 'EINVAL') throw error;
    renameAt(staging, staged, directory, name);
  }
}

/** Takes the protecting flags off a directory that was there before; returns which it had. */
export function unlock(target: Target, path: ByteString): number {
  const descriptor = openAt(target.directory(path), '.', O_RDONLY | O_DIRECTORY);
  try {
    return unprotect(descriptor);
  } finally {
    closeDescriptor(descriptor);
  }
}

/**
 * Opens a directory of the first pass again and hands it over. Throws `replaced` when its name no longer stands for it: somebody
 * else's must not get what is this one's.
 */
export function withDirectory(target: Target, place: Place, path: ByteString, known: Inode, action: (descriptor: number) => void): void {
  const descriptor = place.name === '' ? target.directory(path) : openDirectoryAt(place.directory, place.name);
  try {
    statDescriptor(descriptor, stat);
    if (stat.inode !== known.inode || stat.device !== known.device) {
      throw new Failure('replaced', 'another directory was put in its place', { affected: [path] });
    }
    action(descriptor);
  } finally {
    if (place.name !== '') closeDescriptor(descriptor);
  }
}

/** Gives a directory its owner, mode, attributes and time, once nothing below it will change any more. */
export function finishDirectory(
  target: Target,
  place: Place,
  entry: Entry,
  directory: MadeDirectory,
  rules: WriteRules,
  report: Report,
): void {
  withDirectory(target, place, entry.path, directory, (descriptor) => {
    // `stat` is of this descriptor.
    if (!directory.made && place.forced?.owners !== true) checkKept(entry, rules, stat);
    const refuse = refusalsOf(entry.path, report);
    writeHarmlessFlags(descriptor, entry, place, refuse);
    changeAttributes(descriptor, entry, place, refuse);
    writeProject(descriptor, entry, place, refuse);
    writeProtectingFlags(descriptor, entry, refuse);
  });
}

/**
 * A directory that was there and is somebody else's than the snapshot's owner of it, or the account's, may have been renamed to
 * this place by a tenant in whose directory it stood: nobody is given it. `status` is of the directory.
 */
export function checkKept({ path, uid }: Entry, { owner, accountUsers }: WriteRules, status: StatBuffer): void {
  if (owner !== undefined && !owner.users.has(status.uid)) {
    throw new Failure('owner_not_allowed', 'the directory does not belong to the account', { affected: [path] });
  }
  if (accountUsers === undefined || status.uid === uid || accountUsers.has(status.uid)) return;
  throw new Failure('replaced', `the directory belongs to user ${status.uid} now, and in the snapshot to ${uid}: it stays as it is`, {
    affected: [path],
    advice: 'Give it to its owner or move it away, and restore again.',
  });
}

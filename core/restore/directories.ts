import { geteuid } from 'node:process';
import { Failure } from '../failure.ts';
import { readNames } from '../linux/directories.ts';
import { closeDescriptor, makeDirectoryAt, openAt, openDirectoryAt, unlinkAt } from '../linux/files.ts';
import { O_DIRECTORY, O_RDONLY } from '../linux/flags.ts';
import { StatBuffer, statAt, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { writeAttributes, writeHarmlessFlags, writeProtectingFlags } from './attributes.ts';
import { NOTHING_LEFT_OUT } from './left-out.ts';
import { childPath, isHiddenName } from './names.ts';
import { checkReplaceable } from './owner-rights.ts';
import { pastProtection, unprotect } from './protection.ts';
import { removeTree } from './remove-tree.ts';
import { type Report, refusalsOf, type WriteRules } from './rules.ts';
import type { Place, Target } from './target.ts';

const stat = new StatBuffer();

/** What became of a directory in the first pass. */
export interface MadeDirectory {
  /** Whether it is new; else it was there and keeps its entries. */
  readonly made: boolean;
  /** What the last pass has to find again under this name. */
  readonly inode: bigint;
}

/**
 * Makes the directory `path`, closed to everybody but root until `finishDirectory`. One that exists is kept; anything else in
 * its place, a link too, is replaced, or with `overwrite: never` is `target_in_the_way`.
 */
export function makeDirectory(target: Target, path: ByteString, rules: WriteRules): MadeDirectory {
  const place = target.place(path);
  const made = place.name !== '' && makeNew(place, path, rules);
  const descriptor = target.directory(path);
  statDescriptor(descriptor, stat);
  if (made && (stat.uid !== geteuid?.() || (stat.mode & 0o077) !== 0)) {
    throw new Failure('replaced', 'the new directory was replaced by somebody', { affected: [path] });
  }
  return { made, inode: stat.inode };
}

function makeNew(place: Place, path: ByteString, rules: WriteRules): boolean {
  const make = () => makeDirectoryAt(place.directory, place.name, 0o700);
  try {
    make();
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  if (statAt(place.directory, place.name, stat) && stat.isDirectory) return false;
  if (rules.overwrite === 'never') {
    throw new Failure('target_in_the_way', 'something that is no directory stands here', { affected: [path] });
  }
  checkReplaceable(place.directory, place.name, rules.owner);
  pastProtection(place.directory, place.name, rules.owner, () => unlinkAt(place.directory, place.name));
  make();
  return true;
}

/**
 * Prepares a directory that was there before: takes off protecting flags when `unlock`, and removes what a killed restore left
 * behind, which only names of exactly our form that belong to root can be. `isWanted` says whether the snapshot has a path.
 */
export function prepareKept(target: Target, path: ByteString, unlock: boolean, isWanted: (path: ByteString) => boolean): void {
  // A listing reads from the descriptor's position: not from the shared one.
  const descriptor = openAt(target.directory(path), '.', O_RDONLY | O_DIRECTORY);
  try {
    if (unlock) unprotect(descriptor);
    for (const name of readNames(descriptor)) {
      if (isHiddenName(name)) removeLeftover(descriptor, name, childPath(path, name), isWanted);
    }
  } finally {
    closeDescriptor(descriptor);
  }
}

function removeLeftover(directory: number, name: ByteString, path: ByteString, isWanted: (path: ByteString) => boolean): void {
  if (!statAt(directory, name, stat) || stat.uid !== geteuid?.() || isWanted(path)) return;
  if (stat.isFile || (stat.isDirectory && (stat.mode & 0o077) === 0))
    removeTree(directory, name, path, { leftOut: NOTHING_LEFT_OUT, owner: undefined });
}

/**
 * Gives a directory its owner, mode, attributes and time, once nothing below it will change any more. Throws `replaced` when the
 * name no longer stands for the directory of the first pass: somebody else's must not get this one's owner.
 */
export function finishDirectory(target: Target, place: Place, entry: Entry, { made, inode }: MadeDirectory, report: Report): void {
  const descriptor = place.name === '' ? target.directory(entry.path) : openDirectoryAt(place.directory, place.name);
  try {
    statDescriptor(descriptor, stat);
    if (stat.inode !== inode) throw new Failure('replaced', 'another directory was put in its place', { affected: [entry.path] });
    if (!made && place.owner?.users.has(stat.uid) === false) {
      throw new Failure('owner_not_allowed', 'the directory does not belong to the account', { affected: [entry.path] });
    }
    const refuse = refusalsOf(entry.path, report);
    writeHarmlessFlags(descriptor, entry, place, refuse);
    writeAttributes(descriptor, entry, place, refuse);
    writeProtectingFlags(descriptor, entry, refuse);
  } finally {
    if (place.name !== '') closeDescriptor(descriptor);
  }
}

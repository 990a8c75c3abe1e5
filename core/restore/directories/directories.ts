import { Failure } from '../../failure.ts';
import { closeDescriptor, makeDirectoryAt, openAt, openDirectoryAt, removeDirectoryAt, renameAt, unlinkAt } from '../../linux/files.ts';
import { O_DIRECTORY, O_RDONLY } from '../../linux/flags.ts';
import { setMode, setOwner } from '../../linux/metadata.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import { isOpaque } from '../overlay/overlay-attributes.ts';
import type { UpperLayer } from '../overlay/overlay-layers.ts';
import { checkDirectory } from '../owner/owner-rights.ts';
import { type Report, refusalsOf, type Witness, type WriteRules } from '../rules.ts';
import { stagedName } from '../target/names.ts';
import { noteOpened } from '../target/opened-folders.ts';
import { pastProtection, unprotect } from '../target/protection.ts';
import type { Place, Target } from '../target/target.ts';
import { changeAttributes, writeHarmlessFlags, writeProject, writeProtectingFlags } from '../write/attributes.ts';
import type { Inode } from '../write/hard-links.ts';
import { checkKept } from './kept-directory.ts';

/** Until a directory is finished only its owner enters it. */
const PRIVATE = 0o700;
/** Of a directory that is made in its place, until it is open: nobody else gives one such a mode, and no tenant can to one of root's. */
const UNMISTAKABLE = 0o1100;
const SET_GROUP_ID = 0o2000;
const ROOT = 0;

const stat = new StatBuffer();

/** Whom a new directory belongs to, and of one of the snapshot what it has besides. */
export interface NewDirectory extends Pick<Entry, 'uid' | 'gid'> {
  readonly xattrs?: Entry['xattrs'];
}

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
export function makeDirectory(target: Target, path: ByteString, owner: NewDirectory, rules: WriteRules, witness: Witness): MadeDirectory {
  const place = target.place(path);
  const descriptor = place.name === '' ? undefined : makeNew(place, path, owner, rules);
  if (descriptor !== undefined) target.adopt(path, descriptor);
  statDescriptor(target.directory(path), stat);
  witness(stat);
  return { made: descriptor !== undefined, device: stat.device, inode: stat.inode };
}

/** The open new directory; undefined when there is one. */
function makeNew(place: Place, path: ByteString, owner: NewDirectory, rules: WriteRules): number | undefined {
  const isThere = statAt(place.directory, place.name, stat);
  if (isThere && stat.isDirectory) return undefined;
  if (isThere && rules.overwrite === 'never') {
    throw new Failure('target_in_the_way', 'something that is no directory stands here', { affected: [path] });
  }
  checkDirectory(place.directory, rules.owner);
  const makeRoom = (): void => {
    if (isThere) pastProtection(place.directory, place.name, rules.owner, () => unlinkAt(place.directory, place.name));
  };
  if (place.overlay && !isOpaque(owner.xattrs ?? [])) {
    makeRoom();
    return makeInPlace(place, owner);
  }
  const staged = stagedName();
  makeDirectoryAt(place.staging, staged, PRIVATE);
  const descriptor = openDirectoryAt(place.staging, staged);
  try {
    giveTo(descriptor, owner);
    makeRoom();
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

/**
 * A directory that is renamed within a mounted overlay to where the layers below have one, too, the kernel makes opaque, which this one is
 * not to be. So it is made where it belongs, and what is opened is given away only if it is certainly that. Undefined when somebody else's
 * stands there by then.
 */
function makeInPlace({ directory, name }: Place, owner: NewDirectory): number | undefined {
  try {
    makeDirectoryAt(directory, name, UNMISTAKABLE);
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && statAt(directory, name, stat) && stat.isDirectory) return undefined;
    throw error;
  }
  const descriptor = openDirectoryAt(directory, name);
  try {
    statDescriptor(descriptor, stat);
    if (stat.uid === ROOT && (stat.mode & ~SET_GROUP_ID) === UNMISTAKABLE) {
      setMode(descriptor, PRIVATE);
      giveTo(descriptor, owner);
      return descriptor;
    }
  } catch (error) {
    closeDescriptor(descriptor);
    throw error;
  }
  closeDescriptor(descriptor);
  return undefined;
}

/** Where the target does not take it, the last pass says so. */
function giveTo(descriptor: number, { uid, gid }: NewDirectory): void {
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

/**
 * Takes the protecting flags off a directory that was there before; returns which it had. They are noted first: a restore that is
 * killed leaves the directory open, and the next one closes it.
 */
export function unlock(target: Target, path: ByteString): number {
  const descriptor = openAt(target.directory(path), '.', O_RDONLY | O_DIRECTORY);
  try {
    return unprotect(descriptor, (flags) => noteOpened(target.stagingAbove(path), descriptor, flags));
  } finally {
    closeDescriptor(descriptor);
  }
}

/**
 * Opens a directory of the first pass again and hands it over. Throws `replaced` when its name no longer stands for it: somebody
 * else's must not get what is this one's.
 */
export function withDirectory(
  target: Target,
  place: Place,
  path: ByteString,
  known: Inode,
  action: (descriptor: number, stat: StatBuffer) => void,
): void {
  const descriptor = place.name === '' ? target.directory(path) : openDirectoryAt(place.directory, place.name);
  try {
    statDescriptor(descriptor, stat);
    if (stat.inode !== known.inode || stat.device !== known.device) {
      throw new Failure('replaced', 'another directory was put in its place', { affected: [path] });
    }
    action(descriptor, stat);
  } finally {
    if (place.name !== '') closeDescriptor(descriptor);
  }
}

/** A directory of the first pass, and what it is to be like. */
interface Finished {
  readonly target: Target;
  readonly place: Place;
  readonly entry: Entry;
  readonly directory: MadeDirectory;
}

/** Gives a directory its owner, mode, attributes and time, once nothing below it will change any more. */
export function finishDirectory(
  { target, place, entry, directory }: Finished,
  { rules, report, upper }: { readonly rules: WriteRules; readonly report: Report; readonly upper?: UpperLayer | undefined },
): void {
  withDirectory(target, place, entry.path, directory, (descriptor, stat) => {
    if (!directory.made && place.forced?.owners !== true) checkKept(entry, rules, stat, place.overlay ? upper : undefined);
    const refuse = refusalsOf(entry.path, report);
    writeHarmlessFlags(descriptor, entry, place, refuse);
    changeAttributes(descriptor, entry, place, refuse);
    writeProject(descriptor, entry, place, refuse);
    writeProtectingFlags(descriptor, entry, refuse);
  });
}

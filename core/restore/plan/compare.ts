import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { closeDescriptor, openAt, openHandleAt, readLinkAt } from '../../linux/files.ts';
import { O_NOATIME, O_NONBLOCK, O_RDONLY } from '../../linux/flags.ts';
import { dataRanges } from '../../linux/holes.ts';
import { readInodeFlags } from '../../linux/inode-flags.ts';
import { readProjectId } from '../../linux/project-id.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { readXattrs } from '../../linux/xattrs.ts';
import type { ByteString, DataRange, Entry, Xattr } from '../../manifest/entry.ts';
import { isWhiteout } from '../overlay/overlay-attributes.ts';
import { checkDirectory } from '../owner/owner-rights.ts';
import { type Report, refusalsOf, type Witness } from '../rules.ts';
import { unprotect } from '../target/protection.ts';
import type { Place } from '../target/target.ts';
import { changeAttributes, planAttributes, writeHarmlessFlags, writeProject, writeProtectingFlags } from '../write/attributes.ts';

const PIECE = 1024 * 1024;
const piece = Buffer.alloc(PIECE);
/** The set-uid and set-gid bits. */
const SET_IDS = 0o6000;
const CAPABILITY: ByteString = 'security.capability';
/** For one comparison after the other: each entry that exists is compared. It is passed on to whoever reads it. */
const scratch = new StatBuffer();

/** How an existing entry compares with the snapshot's. */
export type Likeness = 'different' | 'same' | 'same-content';

/**
 * Compares what is at `place` with `entry` in everything that a restore sets, content included. Only regular files can be
 * `same-content`; with other names than the snapshot knows they are `different`, so that those names are let go. `witness` learns
 * which inode is the same.
 */
export function compareWithTarget(place: Place, entry: Entry, witness?: Witness): Likeness {
  const stat = scratch;
  const seen = (likeness: Likeness): Likeness => {
    if (likeness === 'same') witness?.(stat);
    return likeness;
  };
  const isThere = place.name === '' || statAt(place.directory, place.name, stat);
  // Through the mount a whiteout is that nothing is there.
  if (place.overlay && isWhiteout(entry)) return isThere ? 'different' : 'same';
  if (place.name === '' || !isThere || stat.kind !== entry.kind) return 'different';
  if (entry.kind === 'file') return withFile(place, (descriptor) => seen(compareFile(descriptor, entry, place, stat)));
  const handle = openHandleAt(place.directory, place.name);
  try {
    statDescriptor(handle, stat);
    const isSame = stat.kind === entry.kind && isSameSpecial(place, entry, stat) && hasSameMetadata(handle, entry, place, stat);
    return seen(isSame ? 'same' : 'different');
  } finally {
    closeDescriptor(handle);
  }
}

/** What `bringUpToDate` would do, or for what is no file whether it would be left; changes nothing. */
export function likenessOf(place: Place, entry: Entry): 'same' | 'updated' | 'different' {
  const likeness = compareWithTarget(place, entry);
  if (likeness !== 'same-content') return likeness;
  return withFile(place, (descriptor) => {
    statDescriptor(descriptor, scratch);
    return mayChangeInPlace(entry, scratch) ? 'updated' : 'different';
  });
}

/**
 * Leaves an existing file that is as the snapshot has it (`same`), and gives one with the right content the right metadata
 * (`updated`), if that gives nobody power over it whom it did not belong to. `different` when the file has to be written.
 */
export function bringUpToDate(place: Place, entry: Entry, report: Report, witness?: Witness): 'same' | 'updated' | 'different' {
  const likeness = compareWithTarget(place, entry, witness);
  if (likeness !== 'same-content') return likeness;
  checkDirectory(place.directory, place.owner);
  return withFile(place, (descriptor) => {
    if (compareFile(descriptor, entry, place, scratch) === 'different' || !mayChangeInPlace(entry, scratch)) return 'different';
    const refuse = refusalsOf(entry.path, report);
    if (place.owner === undefined) unprotect(descriptor);
    writeHarmlessFlags(descriptor, entry, place, refuse);
    changeAttributes(descriptor, entry, place, refuse);
    writeProject(descriptor, entry, place, refuse);
    writeProtectingFlags(descriptor, entry, refuse);
    return 'updated';
  });
}

/**
 * Whoever has a file open or mapped keeps it when its owner changes, and may write what then runs with the rights of another. So
 * a file stays the one that it is only where it changes neither hands nor what it may do. `stat` is of the file.
 */
function mayChangeInPlace({ uid, gid, mode, xattrs }: Entry, stat: StatBuffer): boolean {
  const isOwners = stat.uid === uid && stat.gid === gid;
  return isOwners && ((stat.mode | mode) & SET_IDS) === 0 && !xattrs.some(({ name }) => name === CAPABILITY);
}

function withFile<Result>(place: Place, action: (descriptor: number) => Result): Result {
  const descriptor = openAt(place.directory, place.name, O_RDONLY | O_NONBLOCK | O_NOATIME);
  try {
    return action(descriptor);
  } finally {
    closeDescriptor(descriptor);
  }
}

/** `stat` is filled with what the file was at last. */
function compareFile(descriptor: number, entry: Entry, place: Place, stat: StatBuffer): Likeness {
  statDescriptor(descriptor, stat);
  if (!stat.isFile || stat.size !== entry.size || hasAnotherName(entry, stat)) return 'different';
  if (!hasSameContent(descriptor, entry)) return 'different';
  statDescriptor(descriptor, stat);
  const isSame = hasSameMetadata(descriptor, entry, place, stat) && readInodeFlags(descriptor) === entry.inodeFlags;
  if (isSame && isSameProject(descriptor, entry, place)) return 'same';
  return entry.linkCount === 1 ? 'same-content' : 'different';
}

/**
 * Whether a file of one name has another one, too. How many of those that a file of several names has are not the snapshot's, the
 * plan has found out (`hasForeignNames`). `stat` is of what is compared.
 */
function hasAnotherName({ linkCount }: Entry, stat: StatBuffer): boolean {
  return linkCount === 1 && stat.linkCount !== 1;
}

function isSameProject(descriptor: number, { projectId }: Entry, { owner }: Place): boolean {
  return projectId === undefined || owner !== undefined || readProjectId(descriptor) === projectId;
}

function hasSameContent(descriptor: number, entry: Entry): boolean {
  if (entry.size === 0) return true;
  if (entry.content === undefined) return false;
  const { sparse } = entry.content;
  if (sparse !== undefined && !isSameRanges(dataRanges(descriptor, entry.size), sparse)) return false;
  const hash = createHash('sha256');
  for (const range of sparse ?? [{ offset: 0, length: entry.size }]) {
    for (let done = 0; done < range.length; ) {
      const read = readSync(descriptor, piece, 0, Math.min(PIECE, range.length - done), range.offset + done);
      if (read === 0) return false;
      hash.update(piece.subarray(0, read));
      done += read;
    }
  }
  return hash.digest().equals(entry.content.digest);
}

function isSameRanges(present: readonly DataRange[] | undefined, wanted: readonly DataRange[]): boolean {
  if (present === undefined || present.length !== wanted.length) return false;
  return present.every(({ offset, length }, index) => offset === wanted[index]?.offset && length === wanted[index]?.length);
}

/** Everything but content and inode flags; `stat` is what the descriptor says. */
function hasSameMetadata(descriptor: number, entry: Entry, place: Place, stat: StatBuffer): boolean {
  const sameMode = entry.kind === 'symlink' || stat.mode === entry.mode;
  if (!sameMode || stat.uid !== entry.uid || stat.gid !== entry.gid || stat.mtime !== entry.mtime) return false;
  if (hasAnotherName(entry, stat)) return false;
  const { wanted, isKept } = planAttributes(descriptor, entry, place);
  const known = (name: string) => wanted.some((xattr) => xattr.name === name);
  return isSameXattrs(
    readXattrs(descriptor).filter(({ name }) => !isKept(name) || known(name)),
    wanted,
  );
}

function isSameXattrs(present: readonly Xattr[], wanted: readonly Xattr[]): boolean {
  if (present.length !== wanted.length) return false;
  return present.every(({ name, value }, index) => name === wanted[index]?.name && value.equals((wanted[index] as Xattr).value));
}

function isSameSpecial(place: Place, entry: Entry, stat: StatBuffer): boolean {
  if (entry.kind === 'symlink') return readLinkAt(place.directory, place.name) === entry.linkTarget;
  if (entry.deviceNumber === undefined) return true;
  const { major, minor } = stat.deviceNumber;
  return major === entry.deviceNumber.major && minor === entry.deviceNumber.minor;
}

import type { ExcludeMatcher } from '../../exclude/exclude-matcher.ts';
import { Failure } from '../../failure.ts';
import { readNames } from '../../linux/directories.ts';
import { letGo, openDirectoryAt, openTrustedDirectory } from '../../linux/files.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { lowerBound } from '../../manifest/lower-bound.ts';
import { isWithin } from '../../manifest/path-order.ts';
import { childPath } from '../../manifest/paths.ts';
import { identityOf, isOnDeviceOf } from '../compare/inode-identity.ts';
import { type MountKind, mountsByDirectory } from './mounted-names.ts';
import { type ReaderLevel, ReaderStack } from './reader-level.ts';
import { Note, type RowPage } from './row-page.ts';
import { arrangeRoots, entryOfRoot, isScanRoot, type ScanRoot, type VirtualLevel } from './scan-roots.ts';
import { SeenDirectories } from './seen-directories.ts';

/** Directories below this depth are excluded: no software makes them, and their paths alone would fill the memory. */
export const MAXIMUM_DEPTH = 4096;

/** What lies in a directory with a longer path than this is excluded, too: four times what a system call takes at once. */
export const PATH_BYTES_LIMIT = 16 * 1024;

/** What a reader walks through. */
export interface ReaderTask {
  readonly roots: readonly ScanRoot[];
  /** Paths (as in the snapshot) where something else is mounted. */
  readonly mounts: ReadonlyMap<ByteString, MountKind>;
  /** Whether what lies in btrfs subvolumes inside the roots belongs to them; left out: it does not. */
  readonly includeSubvolumes?: boolean;
}

/** A stretch of a walk: the paths from `from` on and before `to`; no end where a side is undefined. */
export interface Segment {
  readonly from: ByteString | undefined;
  readonly to: ByteString | undefined;
}

/**
 * Reads the roots in path order: lists, looks at every name, decides what is excluded and what is entered. Descriptor by
 * descriptor, never through a link, never onto another mount. Memory: the names of the directories on the way down.
 */
export class TreeReader {
  readonly #exclude: ExcludeMatcher;
  readonly #mounts: ReadonlyMap<ByteString, ReadonlyMap<ByteString, MountKind>>;
  readonly #includeSubvolumes: boolean;
  readonly #roots: VirtualLevel;
  readonly #stack = new ReaderStack();
  readonly #seen = new SeenDirectories();
  readonly #stat = new StatBuffer();
  /** Why the name just looked at is not readable or not listable. */
  #message = '';
  /** Levels from this one on lead to where the segment begins and are to be announced. */
  #announced = 0;

  constructor(task: ReaderTask, exclude: ExcludeMatcher) {
    this.#exclude = exclude;
    this.#mounts = mountsByDirectory(task.mounts);
    this.#includeSubvolumes = task.includeSubvolumes === true;
    this.#roots = arrangeRoots(task.roots);
  }

  /** Goes to the beginning of a segment, which must not lie before the one read last. Keeps what both have in common. */
  begin({ from, to }: Segment): void {
    const stack = this.#stack;
    const begin = from?.split('/');
    const end = to?.split('/');
    while (stack.top !== undefined && !leadsTo(stack.top, from)) stack.pop();
    for (let depth = 0; depth < stack.depth; depth++) {
      const level = stack.at(depth);
      const name = begin?.[depth];
      if (name === undefined) throw new Failure('internal', `a segment begins above ${level.path}, in which its reader is`);
      level.next = firstFrom(level.names, name) + 1;
      level.end = leadsTo(level, to) ? end?.slice(depth) : undefined;
    }
    if (stack.top === undefined) this.#pushVirtual('', '', this.#roots, begin, end);
    else stack.top.begin = begin?.slice(stack.depth - 1);
    this.#announced = 1;
  }

  /** Adds rows to a page until it is full; false when the segment is over. */
  fill(page: RowPage): boolean {
    while (!page.isFull) {
      const level = this.#stack.top;
      if (level === undefined) return false;
      if (this.#announced < this.#stack.depth) this.#announce(page);
      else if (level.isLost) {
        page.add(Note.lost, this.#stack.depth - 1, '');
        this.#stack.pop();
      } else if (level.begin !== undefined) this.#approach(level, level.begin, page);
      else {
        const name = level.names[level.next];
        if (name === undefined) this.#stack.pop();
        else if (level.end !== undefined && isBehind(name, level.end)) return false;
        else {
          level.next++;
          this.#visit(level, name, page, undefined);
        }
      }
    }
    return true;
  }

  /** Lets go of every descriptor. */
  close(): void {
    this.#stack.clear();
  }

  /** Says which directory the following names lie in. */
  #announce(page: RowPage): void {
    const level = this.#stack.at(this.#announced);
    page.addResumed(this.#announced - 1, level.name, level.identity);
    this.#announced++;
  }

  /** Passes over what lies before the segment, and goes one step down to where it begins. */
  #approach(level: ReaderLevel, begin: readonly ByteString[], page: RowPage): void {
    const [name, ...rest] = begin;
    if (name === undefined) throw new Failure('internal', `a segment that begins in ${level.path} does not say where`);
    level.begin = undefined;
    level.next = firstFrom(level.names, name);
    if (rest.length === 0) return;
    if (level.names[level.next] === name) {
      level.next++;
      this.#visit(level, name, page, rest);
    } else page.add(Note.missing, this.#stack.depth - 1, name);
  }

  /** `begin` is where in the directory `name` the segment begins; its own row was in an earlier segment then. */
  #visit(level: ReaderLevel, name: ByteString, page: RowPage, begin: readonly ByteString[] | undefined): void {
    if (level.descriptor !== undefined) {
      this.#visitEntry(level, level.descriptor, name, page, begin);
      return;
    }
    const node = level.virtual?.children.get(name);
    if (node === undefined) throw new Failure('internal', `${level.path} is neither open nor above a root that is called so`);
    if (!isScanRoot(node)) {
      if (begin === undefined) page.add(Note.virtual, this.#stack.depth - 1, name);
      this.#pushVirtual(name, childPath(level.path, name), node, begin, endBelow(level, name));
      return;
    }
    const parent = openTrustedDirectory(node.parent);
    try {
      this.#visitEntry(level, parent, name, page, begin, entryOfRoot(node));
    } finally {
      letGo(parent);
    }
  }

  /** `entry` is what the name is called in the open directory `parent`: of a root that may be something else. */
  #visitEntry(
    level: ReaderLevel,
    parent: number,
    name: ByteString,
    page: RowPage,
    begin: readonly ByteString[] | undefined,
    entry = name,
  ): void {
    const depth = this.#stack.depth - 1;
    const note = this.#look(level, parent, name, entry, begin);
    if (begin === undefined) {
      if (note !== undefined) page.add(note, depth, name, this.#stat, this.#message);
    } else if (note !== Note.entered) page.add(Note.missing, depth, name);
    this.#message = '';
  }

  /** Undefined when the name is not there or left out. */
  #look(
    level: ReaderLevel,
    parent: number,
    name: ByteString,
    entry: ByteString,
    begin: readonly ByteString[] | undefined,
  ): number | undefined {
    const stat = this.#stat;
    const mounted = level.mounted?.get(name);
    if (mounted === 'served') return level.excludes?.(name, true) === true ? undefined : Note.covered;
    try {
      if (!statAt(parent, entry, stat)) return undefined;
    } catch (error) {
      // Whether it is a directory nobody knows: what a pattern for directories leaves out is not complained about.
      if (level.excludes?.(name, true) === true) return undefined;
      this.#message = (error as Error).message;
      return Note.unreadable;
    }
    if (level.excludes?.(name, stat.isDirectory) === true) return undefined;
    const isMount = mounted !== undefined || (stat.isMountRoot && level.identity !== undefined);
    if (stat.isDirectory) return isMount ? Note.mounted : this.#enter(level, parent, name, entry, begin);
    return isMount ? Note.covered : Note.entry;
  }

  /** Goes down into a directory, or says why not. */
  #enter(level: ReaderLevel, parent: number, name: ByteString, entry: ByteString, begin: readonly ByteString[] | undefined): number {
    const stat = this.#stat;
    const path = childPath(level.path, name);
    if (level.identity !== undefined && !isOnDeviceOf(level.identity, stat.words)) {
      if (!isSubvolumeTop(stat)) return Note.mounted;
      if (!this.#includeSubvolumes) return Note.subvolume;
    }
    if (this.#stack.depth >= MAXIMUM_DEPTH || path.length > PATH_BYTES_LIMIT) return Note.tooDeep;
    // The way to where a segment begins is entered once more.
    if (begin === undefined && !this.#seen.add(stat.words)) return Note.moved;
    let descriptor: number | undefined;
    try {
      descriptor = openDirectoryAt(parent, entry);
      const names = readNames(descriptor);
      const identity = identityOf(stat.words);
      const excludes = this.#exclude.inDirectory(path);
      const mounted = this.#mounts.get(path);
      const end = endBelow(level, name);
      this.#push({ name, path, names, next: 0, descriptor, identity, excludes, mounted, virtual: undefined, end, begin, isLost: false });
      return Note.entered;
    } catch (error) {
      // Gone or something else by now: the entry itself is read as what it is then.
      const isGone = descriptor === undefined ? isAbsence(error) : hasNoName(descriptor);
      if (descriptor !== undefined) letGo(descriptor);
      this.#message = (error as Error).message;
      return isGone ? Note.entry : Note.unlistable;
    }
  }

  #pushVirtual(
    name: ByteString,
    path: ByteString,
    virtual: VirtualLevel,
    begin: readonly ByteString[] | undefined,
    end: readonly ByteString[] | undefined,
  ): void {
    const names = [...virtual.children.keys()].sort();
    const excludes = this.#exclude.inDirectory(path);
    const above = { descriptor: undefined, identity: undefined, mounted: undefined, virtual, isLost: false };
    this.#push({ name, path, names, next: 0, excludes, end, begin, ...above });
  }

  #push(level: ReaderLevel): void {
    this.#stack.push(level);
    if (level.begin === undefined) this.#announced = this.#stack.depth;
  }
}

/** Whether opening failed because the directory has gone or is none any more. */
function isAbsence(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR';
}

const opened = new StatBuffer();

/** Whether an open directory was removed meanwhile: then it has no links any more. */
function hasNoName(descriptor: number): boolean {
  try {
    statDescriptor(descriptor, opened);
    return opened.linkCount === 0;
  } catch {
    return false;
  }
}

/** The inode number that the top of every btrfs subvolume has. */
const SUBVOLUME_TOP = 256;

/** Whether a directory that lies on another device than the one above it, and is no mount, is a btrfs subvolume. */
function isSubvolumeTop({ words }: StatBuffer): boolean {
  return words[8] === SUBVOLUME_TOP && words[9] === 0;
}

/** Whether `path` lies below the directory of a level. */
function leadsTo(level: ReaderLevel, path: ByteString | undefined): boolean {
  return path !== undefined && path !== level.path && isWithin(path, level.path);
}

/** Whether a name lies at or behind the end of the segment. The end itself may lie below a name, which is still to be read then. */
function isBehind(name: ByteString, end: readonly ByteString[]): boolean {
  const last = end[0] as ByteString;
  return name > last || (name === last && end.length === 1);
}

/** The rest of the way to the segment's end, from the directory `name` of a level on. */
function endBelow({ end }: ReaderLevel, name: ByteString): readonly ByteString[] | undefined {
  return end !== undefined && end.length > 1 && end[0] === name ? end.slice(1) : undefined;
}

/** The index of the first of the sorted names that is not before `name`. */
function firstFrom(names: readonly ByteString[], name: ByteString): number {
  return lowerBound(names.length, (index) => (names[index] as ByteString) < name);
}

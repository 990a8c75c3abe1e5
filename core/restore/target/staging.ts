import { asFailure, Failure } from '../../failure.ts';
import { placeOf } from '../../linux/descriptor.ts';
import { readNames } from '../../linux/directories.ts';
import { closeDescriptor, makeDirectoryAt, openDirectoryAt, removeDirectoryAt, unlinkAt } from '../../linux/files.ts';
import { tryLock } from '../../linux/locks.ts';
import { setMode, setModificationTime } from '../../linux/metadata.ts';
import { mountOf } from '../../linux/mounts.ts';
import { ACCESS_ACL, DEFAULT_ACL } from '../../linux/posix-acl.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import { readXattrs, removeXattr } from '../../linux/xattrs.ts';
import type { ByteString } from '../../manifest/entry.ts';
import type { Problem, Report } from '../rules.ts';
import { hiddenName, isHiddenName } from './names.ts';
import { closeOpened, isNotes } from './opened-folders.ts';
import { isRootsAlone, openNearestTrusted } from './trusted-folder.ts';

const PRIVATE = 0o700;
const ROOT = 0;

/** Another restore takes a new folder for one that was left once in a very long time, and never so often. */
const ATTEMPTS = 50;

const stat = new StatBuffer();
const other = new StatBuffer();

/**
 * The folder in which the entries of one root are made, before they are renamed into their places. It is root's and closed, and stands,
 * wherever there is one, in a folder that is root's alone: nobody else can enter it, move it or put another one in its place. So
 * what is made in it is what is opened in it, and inherits nothing. While it is used it is locked; what a killed restore left
 * is known by that, and goes when the next one begins, which first closes the folders that the killed one had opened.
 */
export class Staging {
  readonly descriptor: number;
  readonly #parent: number;
  readonly #name: ByteString;
  /** What its making found of folders that a killed restore had opened. */
  readonly #found: readonly Problem[];
  /** When the folder that it stands in was changed last: before it came, and by its coming. */
  readonly #times: { readonly before: bigint; readonly since: bigint };

  private constructor(parent: number, name: ByteString, descriptor: number, before: bigint, found: readonly Problem[]) {
    this.#found = found;
    this.#parent = parent;
    this.#name = name;
    this.descriptor = descriptor;
    this.#times = { before, since: modificationTime(parent) };
  }

  /** For entries at and below the open `directory`; `preferred` is where it stands if that is on the same mount and root's alone. */
  static open(directory: number, preferred?: number): Staging {
    const found: Problem[] = [];
    let refusal: unknown;
    for (const choose of [() => preferredFolder(directory, preferred), () => openNearestTrusted(directory)]) {
      const parent = choose();
      if (parent === undefined) continue;
      try {
        found.push(...sweep(parent));
        return Staging.#make(parent, found);
      } catch (error) {
        closeDescriptor(parent);
        if (!isRefusal(error)) throw error;
        refusal = error;
      }
    }
    if (refusal !== undefined) throw refusal;
    // A file system whose every folder is somebody else's, such as one that forces owners: nothing there is better than this.
    const parent = openDirectoryAt(directory, '.');
    try {
      return Staging.#make(parent, found);
    } catch (error) {
      closeDescriptor(parent);
      throw error;
    }
  }

  static #make(parent: number, found: readonly Problem[]): Staging {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const name = hiddenName();
      const before = modificationTime(parent);
      makeDirectoryAt(parent, name, PRIVATE);
      const staging = Staging.#enter(parent, name, before, found);
      if (staging !== undefined) return staging;
    }
    throw new Failure('io_error', 'a new folder could not be locked, though nobody else has it', { retry: true });
  }

  /** Undefined when another restore took it, in the moment before it was locked, for one that was left. */
  static #enter(parent: number, name: ByteString, before: bigint, found: readonly Problem[]): Staging | undefined {
    let descriptor: number | undefined;
    try {
      descriptor = openDirectoryAt(parent, name);
      if (lock(descriptor) && isStill(parent, name, descriptor)) {
        closeToOthers(descriptor);
        return new Staging(parent, name, descriptor, before, found);
      }
    } catch (error) {
      // It is locked as long as it is open, and no later restore of this process would sweep it.
      if (descriptor !== undefined) closeDescriptor(descriptor);
      removeIfPossible(parent, name);
      throw error;
    }
    closeDescriptor(descriptor);
    removeIfPossible(parent, name);
    return undefined;
  }

  /**
   * Removes the folder with what was not finished in it. What was restored stays restored when it cannot go; `report` hears where it is,
   * and what a killed restore had left open.
   */
  close(report: Report): void {
    for (const problem of this.#found) report(problem);
    try {
      empty(this.descriptor);
      if (isStill(this.#parent, this.#name, this.descriptor)) this.#remove();
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      const path = this.#whereLeft();
      if (path !== undefined) report({ code: 'staging_left', message: leftText(error), path });
    } finally {
      closeDescriptor(this.descriptor);
      closeDescriptor(this.#parent);
    }
  }

  /** Undefined when it went all the same, although the call failed. */
  #whereLeft(): ByteString | undefined {
    try {
      if (!isStill(this.#parent, this.#name, this.descriptor)) return undefined;
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
    }
    return `${placeOf(this.#parent)}/${this.#name}`;
  }

  /** Its coming and going changed nothing for whoever looks at the folder that it stood in. */
  #remove(): void {
    const last = modificationTime(this.#parent);
    removeDirectoryAt(this.#parent, this.#name);
    setModificationTime(this.#parent, last === this.#times.since ? this.#times.before : last);
  }
}

function leftText(error: unknown): string {
  return `the folder in which this restore made its entries could not be removed: ${asFailure(error).message}`;
}

function modificationTime(folder: number): bigint {
  statDescriptor(folder, stat);
  return stat.mtime;
}

/** After something else has failed already. */
function removeIfPossible(parent: number, name: ByteString): void {
  try {
    removeDirectoryAt(parent, name);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

/** Whether this is a staging folder of some restore by its name, in a folder where nobody but root can give it one. */
export function mayBeStaging(directory: number, name: ByteString): boolean {
  if (!isHiddenName(name)) return false;
  statDescriptor(directory, stat);
  return isRootsAlone(stat);
}

function preferredFolder(directory: number, preferred: number | undefined): number | undefined {
  if (preferred === undefined || mountOf(preferred) !== mountOf(directory)) return undefined;
  statDescriptor(directory, other);
  statDescriptor(preferred, stat);
  if (stat.device !== other.device) return undefined;
  return isRootsAlone(stat) ? openDirectoryAt(preferred, '.') : undefined;
}

/** Whether a folder cannot be made there, but perhaps elsewhere: it is immutable, or mounted read-only. */
function isRefusal(error: unknown): boolean {
  return ['EPERM', 'EACCES', 'EROFS'].includes(errorCode(error) ?? '');
}

/** A file system without locks has nothing swept on it. */
function lock(descriptor: number): boolean {
  try {
    return tryLock(descriptor);
  } catch {
    return true;
  }
}

function isStill(parent: number, name: ByteString, descriptor: number): boolean {
  statDescriptor(descriptor, stat);
  return statAt(parent, name, other) && other.inode === stat.inode && other.device === stat.device;
}

/** Takes away what the folder inherited, so that nothing made in it inherits more. */
function closeToOthers(descriptor: number): void {
  for (const { name } of readXattrs(descriptor)) if (name === ACCESS_ACL || name === DEFAULT_ACL) removeXattr(descriptor, name);
  try {
    setMode(descriptor, PRIVATE);
  } catch (error) {
    // Where modes are forced they are what they are.
    if (errorCode(error) === undefined) throw error;
  }
}

/**
 * Removes what killed restores left in a folder that is root's alone: staging folders that nobody holds. Gives what is to be said of
 * the folders that they had opened.
 */
function sweep(parent: number): Problem[] {
  const found: Problem[] = [];
  const listing = openDirectoryAt(parent, '.');
  let names: ByteString[];
  try {
    names = readNames(listing).filter(isHiddenName);
  } finally {
    closeDescriptor(listing);
  }
  for (const name of names) {
    try {
      sweepOne(parent, name, (problem) => found.push(problem));
    } catch (error) {
      // Not what it looks like, or it cannot go: it is in nobody's way.
      if (errorCode(error) === undefined && !(error instanceof Failure)) throw error;
    }
  }
  return found;
}

function sweepOne(parent: number, name: ByteString, report: Report): void {
  if (!statAt(parent, name, stat) || !stat.isDirectory || stat.uid !== ROOT || stat.mode !== PRIVATE) return;
  const descriptor = openDirectoryAt(parent, name);
  try {
    if (!tryLock(descriptor)) return;
    const isSettled = closeOpened(descriptor, report);
    empty(descriptor, isNotes);
    if (isSettled) removeDirectoryAt(parent, name);
  } finally {
    closeDescriptor(descriptor);
  }
}

/**
 * Removes what a restore makes in its staging folder: single entries, empty folders, and those of projects, which hold such. Nothing that
 * is more than that, and nothing that `stays` by its name.
 */
function empty(descriptor: number, stays: (name: ByteString) => boolean = () => false, isInside = false): void {
  const listing = openDirectoryAt(descriptor, '.');
  try {
    for (const name of readNames(listing)) {
      if (stays(name) || !statAt(descriptor, name, other)) continue;
      if (other.isDirectory) removeFolder(descriptor, name, isInside);
      else unlinkAt(descriptor, name);
    }
  } finally {
    closeDescriptor(listing);
  }
}

function removeFolder(parent: number, name: ByteString, isInside: boolean): void {
  try {
    removeDirectoryAt(parent, name);
  } catch (error) {
    if (isInside || errorCode(error) !== 'ENOTEMPTY') throw error;
    const folder = openDirectoryAt(parent, name);
    try {
      empty(folder, undefined, true);
    } finally {
      closeDescriptor(folder);
    }
    removeDirectoryAt(parent, name);
  }
}

import { Failure } from '../failure.ts';
import { closeDescriptor, openDirectoryAt } from '../linux/files.ts';
import { StatBuffer, statAt, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import { componentsOf, parentPath } from './names.ts';
import type { OwnerRights } from './owner-rights.ts';

/** A directory that part of the virtual tree is written to. Everything above it is trusted, nothing below it is. */
export interface TargetRoot {
  /** The virtual path that this directory stands for; empty for the whole tree. */
  readonly at: ByteString;
  /** Open on the directory. Descriptors are the process' own, so all threads use this one. */
  readonly descriptor: number;
  /** Whether entries may lie on other file systems mounted below: true for a server's `/`, false for what tenants reach. */
  readonly crossMounts: boolean;
  /** Whether this is a mounted OverlayFS that stands for its upper layer: whiteouts are deletions then. */
  readonly overlay: boolean;
}

/** Where an entry is: its open directory and its name in there. The name is empty for a root itself. */
export interface Place {
  readonly directory: number;
  readonly name: ByteString;
  readonly overlay: boolean;
  /** Of a restore for an account's owner. */
  readonly owner: OwnerRights | undefined;
}

/** How many directories of the current path stay open; a deeper one is reached again from its root when it is left upwards. */
const OPEN_LEVELS = 64;
const CLOSED = -1;

/**
 * Resolves virtual paths below held descriptors, one component at a time, never through a link and never by a path string. Keeps
 * the directories of the path asked for last open, so that entries in path order cost one call each. One per thread.
 */
export class Target {
  readonly #roots: readonly TargetRoot[];
  readonly #owner: OwnerRights | undefined;
  readonly #stat = new StatBuffer();
  #root: TargetRoot;
  #names: ByteString[] = [];
  #descriptors: number[] = [];
  #path: ByteString | undefined;

  /** `owner` is handed on with every place. */
  constructor(roots: readonly TargetRoot[], owner?: OwnerRights) {
    this.#owner = owner;
    this.#roots = [...roots].sort((a, b) => b.at.length - a.at.length);
    this.#root = this.rootOf('');
  }

  /** The root that the path is written below. */
  rootOf(path: ByteString): TargetRoot {
    const root = this.#roots.find(({ at }) => isWithin(path, at)) ?? this.#roots.at(-1);
    if (root === undefined) throw new RangeError('a target needs a root');
    return root;
  }

  /** Which root the path is written below: entries of different roots cannot be hard links of each other. */
  rootIndex(path: ByteString): number {
    return this.#roots.indexOf(this.rootOf(path));
  }

  /** Whether the path is reached through a mounted overlay. */
  isOverlay(path: ByteString): boolean {
    return this.rootOf(path).overlay;
  }

  /** Whether something stands at `path`. What cannot be reached is not there; writing it will say why. */
  has(path: ByteString): boolean {
    try {
      const { directory, name } = this.place(path);
      return name === '' || statAt(directory, name, this.#stat);
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || error instanceof Failure) return false;
      throw error;
    }
  }

  /** Where the entry `path` is. The descriptor is good until the next call. */
  place(path: ByteString): Place {
    const root = this.rootOf(path);
    const { overlay } = root;
    if (path === root.at) return { directory: root.descriptor, name: '', overlay, owner: this.#owner };
    return { directory: this.directory(parentPath(path)), name: path.slice(path.lastIndexOf('/') + 1), overlay, owner: this.#owner };
  }

  /**
   * The open directory `path`, good until the next call. Throws `target_in_the_way` when a component is a link or no directory,
   * `mount_skipped` when something else is mounted there, ENOENT when it does not exist.
   */
  directory(path: ByteString): number {
    if (path !== this.#path) this.#enter(path);
    return this.#descriptors.at(-1) ?? this.#root.descriptor;
  }

  #enter(path: ByteString): void {
    const root = this.rootOf(path);
    const relative = root.at === '' ? path : path.slice(root.at.length + 1);
    const names = relative === '' ? [] : componentsOf(relative);
    this.#path = undefined;
    this.#leaveTo(root === this.#root ? this.#sharedDepth(names) : 0);
    this.#root = root;
    for (let depth = this.#names.length; depth < names.length; depth++) {
      const name = names[depth] as ByteString;
      this.#descriptors.push(this.#open(this.#descriptors.at(-1) ?? root.descriptor, name, path));
      this.#names.push(name);
      const leaving = this.#descriptors.length - OPEN_LEVELS - 1;
      if (leaving >= 0) this.#close(leaving);
    }
    this.#path = path;
  }

  /** How many components of the directories held now lead to `names`, going back to the deepest that is still open. */
  #sharedDepth(names: readonly ByteString[]): number {
    let depth = 0;
    while (depth < this.#names.length && depth < names.length && this.#names[depth] === names[depth]) depth++;
    while (depth > 0 && this.#descriptors[depth - 1] === CLOSED) depth--;
    return depth;
  }

  #leaveTo(depth: number): void {
    for (let level = depth; level < this.#descriptors.length; level++) this.#close(level);
    this.#descriptors.length = depth;
    this.#names.length = depth;
  }

  #close(level: number): void {
    const descriptor = this.#descriptors[level] as number;
    if (descriptor !== CLOSED) closeDescriptor(descriptor);
    this.#descriptors[level] = CLOSED;
  }

  #open(directory: number, name: ByteString, path: ByteString): number {
    const descriptor = openOrExplain(directory, name, path);
    if (this.#root.crossMounts) return descriptor;
    statDescriptor(descriptor, this.#stat);
    if (!this.#stat.isMountRoot) return descriptor;
    closeDescriptor(descriptor);
    throw new Failure('mount_skipped', 'another file system is mounted inside the target', { affected: [path] });
  }

  /** Forgets what is held; to be called when a directory of the path in use may have been replaced. */
  forget(): void {
    this.#leaveTo(0);
    this.#path = undefined;
  }

  /** Closes what this object opened; the roots stay with their owner. */
  close(): void {
    this.forget();
  }
}

function openOrExplain(directory: number, name: ByteString, path: ByteString): number {
  try {
    return openDirectoryAt(directory, name);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ELOOP' && code !== 'ENOTDIR') throw error;
    throw new Failure('target_in_the_way', 'a link or something else that is no directory stands in the path', {
      affected: [path],
      cause: error,
    });
  }
}

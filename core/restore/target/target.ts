import { Failure } from '../../failure.ts';
import { closeDescriptor, openDirectoryAt } from '../../linux/files.ts';
import { mountOf } from '../../linux/mounts.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { isWithin } from '../../manifest/path-order.ts';
import { lastComponent, parentPath } from '../../manifest/paths.ts';
import type { KnownDirectories } from '../directories/known-directories.ts';
import type { OwnerRights } from '../owner/owner-rights.ts';
import type { Report } from '../rules.ts';
import type { ForcedAttributes } from '../write/forced-attributes.ts';
import { componentsOf } from './names.ts';
import { ProjectFolders } from './project-folders.ts';
import { Staging } from './staging.ts';

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
  /** Open on the folder in which entries are made; none of a root that is only looked at, and of one that mounts are crossed in. */
  readonly staging?: number;
  /** What it gives to everything by itself, if that is known. */
  readonly forced?: ForcedAttributes;
  /** Whether its files are made without a name, in the directory that they belong in. */
  readonly unnamedFiles?: boolean;
  /** Open on the folder in which the staging folder stands if it can. */
  readonly stagingIn?: number;
  /** Whether something is written; where mounts are crossed, staging folders are made as they are needed. */
  readonly isWritten?: boolean;
}

/** Where an entry is: its open directory and its name in there. The name is empty for a root itself. */
export interface Place {
  readonly directory: number;
  readonly name: ByteString;
  readonly overlay: boolean;
  /** Open on the folder in which what belongs here is made; it can be renamed from there. */
  readonly staging: number;
  readonly forced?: ForcedAttributes | undefined;
  readonly unnamedFiles?: boolean | undefined;
  /** Of a restore for an account's owner. */
  readonly owner: OwnerRights | undefined;
}

/** How many directories of the current path stay open; a deeper one is reached again from its root when it is left upwards. */
const OPEN_LEVELS = 64;
const CLOSED = -1;
const NO_STAGING = -1;
const ROOT = 0;

/**
 * Resolves virtual paths below held descriptors, one component at a time, never through a link and never by a path string. Keeps
 * the directories of the path asked for last open, so that entries in path order cost one call each. One per thread.
 */
export class Target {
  readonly #roots: readonly TargetRoot[];
  readonly #owner: OwnerRights | undefined;
  readonly #known: KnownDirectories | undefined;
  /** Where mounts are crossed, and in subvolumes: the staging folder of each that something is written to. */
  readonly #stagings = new Map<string, Staging>();
  readonly #projects = new ProjectFolders();
  /** Where what belongs into the directory in use is made; undefined until it is asked for. */
  #staging: number | undefined;
  readonly #stat = new StatBuffer();
  readonly #places = new Map<TargetRoot, { mount: number; device: bigint }>();
  #root: TargetRoot;
  #names: ByteString[] = [];
  #descriptors: number[] = [];
  /** Whom they belong to, and the device that each lies on. */
  #owners: number[] = [];
  #devices: bigint[] = [];
  #path: ByteString | undefined;

  /** `owner` is handed on with every place; `known` are the directories that the restore has met, once it has met all. */
  constructor(roots: readonly TargetRoot[], owner?: OwnerRights, known?: KnownDirectories) {
    this.#owner = owner;
    this.#known = known;
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
    const owner = this.#owner;
    if (path === root.at) return { directory: root.descriptor, name: '', overlay, staging: NO_STAGING, forced: root.forced, owner };
    const directory = this.directory(parentPath(path));
    this.#staging ??= this.#chooseStaging(root, directory);
    const name = lastComponent(path);
    return { directory, name, overlay, staging: this.#staging, forced: root.forced, unnamedFiles: root.unnamedFiles, owner };
  }

  /**
   * The staging folder itself of the place of `path`, or of a root: every restore that comes by there sweeps where it stands before it
   * goes on below.
   */
  stagingAbove(path: ByteString): number {
    const root = this.rootOf(path);
    return this.#stagingIn(root, this.directory(path === root.at ? path : parentPath(path)));
  }

  /** For the directory that is open now. */
  #chooseStaging(root: TargetRoot, directory: number): number {
    const staging = this.#stagingIn(root, directory);
    return staging === NO_STAGING ? staging : this.#projects.in(staging, directory);
  }

  #stagingIn(root: TargetRoot, directory: number): number {
    const isElsewhere = root.crossMounts || (this.#devices.at(-1) ?? this.#rootDevice()) !== this.#rootDevice();
    return isElsewhere ? this.#stagingBeside(root, directory) : (root.staging ?? NO_STAGING);
  }

  /** Nothing can be renamed from another mount, nor from another subvolume. */
  #stagingBeside({ isWritten }: TargetRoot, directory: number): number {
    if (isWritten !== true) return NO_STAGING;
    statDescriptor(directory, this.#stat);
    const key = `${mountOf(directory, this.#stat)} ${this.#stat.device}`;
    let staging = this.#stagings.get(key);
    if (staging === undefined) {
      staging = Staging.open(directory);
      this.#stagings.set(key, staging);
    }
    return staging.descriptor;
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
    this.#staging = undefined;
    this.#leaveTo(root === this.#root ? this.#sharedDepth(names) : 0);
    this.#root = root;
    for (let depth = this.#names.length; depth < names.length; depth++) {
      const name = names[depth] as ByteString;
      this.#push(name, this.#open(this.#descriptors.at(-1) ?? root.descriptor, name, path));
    }
    this.#path = path;
  }

  /** Goes on from a directory that was made at `path` and is open already; it is closed like one that was opened here. */
  adopt(path: ByteString, descriptor: number): void {
    this.directory(parentPath(path));
    statDescriptor(descriptor, this.#stat);
    this.#push(lastComponent(path), descriptor);
    this.#staging = undefined;
    this.#path = path;
  }

  /** `#stat` is of the descriptor. */
  #push(name: ByteString, descriptor: number): void {
    this.#descriptors.push(descriptor);
    this.#owners.push(this.#stat.uid);
    this.#devices.push(this.#stat.device);
    this.#names.push(name);
    const leaving = this.#descriptors.length - OPEN_LEVELS - 1;
    if (leaving >= 0) this.#close(leaving);
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
    this.#owners.length = depth;
    this.#devices.length = depth;
    this.#names.length = depth;
  }

  #close(level: number): void {
    const descriptor = this.#descriptors[level] as number;
    if (descriptor !== CLOSED) closeDescriptor(descriptor);
    this.#descriptors[level] = CLOSED;
  }

  #open(directory: number, name: ByteString, path: ByteString): number {
    const descriptor = openOrExplain(directory, name, path);
    statDescriptor(descriptor, this.#stat);
    const isMount = !this.#root.crossMounts && (this.#stat.isMountRoot || mountOf(descriptor, this.#stat) !== this.#rootMount());
    if (!isMount && !this.#isPlanted()) return descriptor;
    closeDescriptor(descriptor);
    if (isMount) throw new Failure('mount_skipped', 'another file system is mounted inside the target', { affected: [path] });
    throw new Failure('replaced', 'a directory of root was put in the place of another one', { affected: [path] });
  }

  /**
   * Whether a tenant put a directory of root's where the restore had met another one: a private one that stands in a directory of
   * his can be renamed by him. `#stat` is of the directory that is about to be entered.
   */
  #isPlanted(): boolean {
    const above = this.#owners.at(-1) ?? ROOT;
    return this.#stat.uid === ROOT && above !== ROOT && this.#known?.isSealed === true && !this.#known.has(this.#stat);
  }

  #rootMount(): number {
    return this.#rootPlace().mount;
  }

  #rootDevice(): bigint {
    return this.#rootPlace().device;
  }

  /** Where the root in use lies, which its descriptor keeps. */
  #rootPlace(): { mount: number; device: bigint } {
    const root = this.#root;
    let place = this.#places.get(root);
    if (place === undefined) {
      const stat = new StatBuffer();
      statDescriptor(root.descriptor, stat);
      place = { mount: mountOf(root.descriptor, stat), device: stat.device };
      this.#places.set(root, place);
    }
    return place;
  }

  /** Forgets what is held; to be called when a directory of the path in use may have been replaced. */
  forget(): void {
    this.#leaveTo(0);
    this.#path = undefined;
    this.#staging = undefined;
  }

  /** Closes what this object opened; the roots stay with their owner. `report` hears of staging folders that could not be removed. */
  close(report: Report = () => {}): void {
    this.forget();
    this.#projects.close();
    for (const staging of this.#stagings.values()) staging.close(report);
    this.#stagings.clear();
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

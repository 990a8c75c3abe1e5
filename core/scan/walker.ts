import { readNames } from '../linux/directories.ts';
import { closeDescriptor, openDirectoryAt, openTrustedDirectory } from '../linux/files.ts';
import { StatBuffer, statAt } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { Exclusion } from '../manifest/exclusion.ts';
import type { MergedTree } from '../manifest/merged-tree.ts';
import { sameStat } from '../manifest/stat-columns.ts';
import { HeldDirectory } from './held-directory.ts';
import { arrangeRoots, isScanRoot, type ScanRoot, type VirtualLevel } from './scan-roots.ts';
import { LevelStack, type WalkLevel } from './walk-level.ts';

/** Directories below this depth are left out: no software makes them, and their paths alone would fill the memory. */
export const MAXIMUM_DEPTH = 4096;

/** What the walk tells, in the order of paths. */
export interface WalkListener {
  /** An entry that is new (or was not `known`) or differs from the previous state; `stat` is valid during the call. */
  changed(directory: HeldDirectory, name: ByteString, path: ByteString, stat: StatBuffer, known: boolean): void;
  /** A path that was there and is not, or is left out now; everything below it is gone, too. */
  deleted(path: ByteString): void;
  problem(path: ByteString, code: 'unreadable' | 'mount_skipped' | 'unsupported', message: string): void;
}

export interface WalkOptions {
  readonly roots: readonly ScanRoot[];
  /** The state to compare with; without it everything counts as new. */
  readonly previous?: MergedTree;
  readonly exclusion: Exclusion;
  /** Paths (as in the snapshot) where something else is mounted. */
  readonly mounts: ReadonlySet<ByteString>;
}

/**
 * Walks the roots in path order beside the previous state and reports the differences. Descriptor by descriptor, never
 * through a link, never onto another mount. Memory: the names of the directories on the way down.
 */
export class Walker {
  /** Entries seen so far, and the sizes of the files among them. */
  entries = 0;
  bytes = 0;
  readonly #listener: WalkListener;
  readonly #options: WalkOptions;
  readonly #previous: MergedTree | undefined;
  readonly #stack = new LevelStack();
  readonly #stat = new StatBuffer();

  constructor(options: WalkOptions, listener: WalkListener) {
    this.#options = options;
    this.#listener = listener;
    this.#previous = options.previous;
    this.#pushVirtual('', arrangeRoots(options.roots), this.#previous !== undefined);
  }

  /** Handles about `limit` names; false when the walk is over. */
  advance(limit: number): boolean {
    for (let left = limit; left > 0; left--) {
      const level = this.#stack.top;
      if (level === undefined) return false;
      const name = level.names[level.next];
      if (name === undefined || level.isLost) this.#leave(level);
      else {
        level.next++;
        this.#visit(level, name, this.#catchUp(level, name));
      }
    }
    return true;
  }

  /** Lets go of every descriptor when a walk is given up. */
  close(): void {
    this.#stack.clear();
  }

  /** Reports what the previous state has before `name`; whether it has `name` itself. */
  #catchUp(level: WalkLevel, name: ByteString | undefined): boolean {
    const previous = this.#previous;
    if (previous === undefined || !level.wasThere) return false;
    for (let known = previous.peek(); known !== undefined; known = previous.peek()) {
      if (name !== undefined && known >= name) return known === name;
      if (!level.isLost) this.#listener.deleted(join(level.path, known));
      previous.skip();
    }
    return false;
  }

  #visit(level: WalkLevel, name: ByteString, known: boolean): void {
    if (level.virtual !== undefined) {
      this.#visitVirtual(level, name, known);
      return;
    }
    this.#visitEntry(level, level.directory as HeldDirectory, name, known);
  }

  #visitVirtual(level: WalkLevel, name: ByteString, known: boolean): void {
    const node = level.virtual?.children.get(name) as VirtualLevel | ScanRoot;
    if (!isScanRoot(node)) {
      if (known) this.#previous?.descend();
      this.#pushVirtual(join(level.path, name), node, known);
      return;
    }
    const parent = new HeldDirectory(openTrustedDirectory(node.parent));
    try {
      this.#visitEntry(level, parent, name, known);
    } finally {
      parent.release();
    }
  }

  #visitEntry(level: WalkLevel, directory: HeldDirectory, name: ByteString, known: boolean): void {
    const stat = this.#stat;
    const present = this.#statEntry(level, directory, name);
    if (!present || level.excludes?.(name, stat.isDirectory) === true) {
      if (known) {
        this.#listener.deleted(join(level.path, name));
        this.#previous?.skip();
      }
      return;
    }
    this.entries++;
    if (stat.isFile) this.bytes += stat.size;
    const unchanged = known && this.#isUnchanged();
    if (!stat.isDirectory) {
      if (!unchanged) this.#listener.changed(directory, name, join(level.path, name), stat, known);
      if (known) this.#previous?.skip();
      return;
    }
    const path = join(level.path, name);
    if (!unchanged) this.#listener.changed(directory, name, path, stat, known);
    if (!this.#enter(level, directory, name, path, known) && known) this.#previous?.skip();
  }

  #statEntry(level: WalkLevel, directory: HeldDirectory, name: ByteString): boolean {
    try {
      return statAt(directory.descriptor, name, this.#stat);
    } catch (error) {
      this.#listener.problem(join(level.path, name), 'unreadable', (error as Error).message);
      return false;
    }
  }

  #isUnchanged(): boolean {
    const previous = this.#previous as MergedTree;
    if (previous.currentIsContext) return false;
    const { block, row } = previous.current;
    // Any flag says that the entry was not read as it should have been.
    return block.flags[row] === 0 && sameStat(block, row, this.#stat.words);
  }

  /** Goes down into a directory; false when it stays outside, with what the previous state has of it untouched. */
  #enter(level: WalkLevel, parent: HeldDirectory, name: ByteString, path: ByteString, known: boolean): boolean {
    const stat = this.#stat;
    const device = stat.device;
    const otherDevice = level.device !== undefined && level.device !== device;
    if (otherDevice || (level.device !== undefined && stat.isMountRoot) || this.#options.mounts.has(path)) {
      this.#listener.problem(path, 'mount_skipped', 'another file system is mounted here; its contents are left out');
      return false;
    }
    if (this.#stack.depth >= MAXIMUM_DEPTH) {
      this.#listener.problem(path, 'unsupported', `it lies deeper than ${MAXIMUM_DEPTH} directories; its contents are left out`);
      return false;
    }
    let descriptor: number | undefined;
    try {
      descriptor = openDirectoryAt(parent.descriptor, name);
      const names = readNames(descriptor);
      const excludes = this.#options.exclusion.inDirectory(path);
      const wasThere = known && this.#previous?.currentIsDirectory === true;
      if (wasThere) this.#previous?.descend();
      else if (known) this.#previous?.skip();
      const directory = new HeldDirectory(descriptor);
      this.#stack.push({
        path,
        names,
        next: 0,
        directory,
        device,
        inode: stat.inode,
        wasThere,
        excludes,
        virtual: undefined,
        isLost: false,
      });
      return true;
    } catch (error) {
      if (descriptor !== undefined) closeDescriptor(descriptor);
      // Gone or something else by now: the entry itself is read as what it is then.
      const code = errorCode(error);
      if (code !== 'ENOENT' && code !== 'ELOOP' && code !== 'ENOTDIR') {
        this.#listener.problem(path, 'unreadable', `it could not be listed: ${(error as Error).message}`);
      }
      return false;
    }
  }

  #pushVirtual(path: ByteString, virtual: VirtualLevel, wasThere: boolean): void {
    const names = [...virtual.children.keys()].sort();
    this.#stack.push({
      path,
      names,
      next: 0,
      directory: undefined,
      device: undefined,
      inode: 0n,
      wasThere,
      excludes: this.#options.exclusion.inDirectory(path),
      virtual,
      isLost: false,
    });
  }

  #leave(level: WalkLevel): void {
    this.#catchUp(level, undefined);
    if (level.isLost) this.#listener.problem(level.path, 'unreadable', 'it was moved while it was read; the rest of it is left out');
    const isTop = this.#stack.depth === 1;
    this.#stack.pop();
    if (level.wasThere && !isTop) this.#previous?.ascend();
  }
}

function join(directory: ByteString, name: ByteString): ByteString {
  return directory === '' ? name : `${directory}/${name}`;
}

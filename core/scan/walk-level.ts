import { openDirectoryAt } from '../linux/files.ts';
import { StatBuffer, statDescriptor } from '../linux/stat.ts';
import type { ByteString } from '../manifest/entry.ts';
import { HeldDirectory } from './held-directory.ts';
import type { VirtualLevel } from './scan-roots.ts';

/** Ancestors that keep their descriptor open; those above are opened again on the way up. */
const OPEN_LEVELS = 256;

/** One directory on the way down. */
export interface WalkLevel {
  readonly path: ByteString;
  readonly names: readonly ByteString[];
  /** Index of the next name. */
  next: number;
  /** Undefined in a level above the roots, and while too many levels are open. */
  directory: HeldDirectory | undefined;
  /** Undefined above a root, which may lie on any device. */
  device: bigint | undefined;
  readonly inode: bigint;
  /** Whether the previous state has this directory, and stands in it. */
  readonly wasThere: boolean;
  readonly excludes: ((name: ByteString, isDirectory: boolean) => boolean) | undefined;
  readonly virtual: VirtualLevel | undefined;
  /** Whether the directory could not be found again on the way up. */
  isLost: boolean;
}

/** The directories from the top to where the walk is, with a bounded number of open descriptors. */
export class LevelStack {
  readonly #levels: WalkLevel[] = [];
  readonly #stat = new StatBuffer();

  get depth(): number {
    return this.#levels.length;
  }

  get top(): WalkLevel | undefined {
    return this.#levels.at(-1);
  }

  push(level: WalkLevel): void {
    this.#levels.push(level);
    const far = this.#levels[this.#levels.length - 1 - OPEN_LEVELS];
    if (far?.directory !== undefined) {
      far.directory.release();
      far.directory = undefined;
    }
  }

  pop(): void {
    const left = this.#levels.pop();
    const top = this.top;
    if (left?.directory === undefined) {
      if (top !== undefined && top.virtual === undefined && top.directory === undefined) top.isLost = true;
      return;
    }
    if (top !== undefined && top.virtual === undefined && top.directory === undefined) this.#reopen(top, left.directory);
    left.directory.release();
  }

  clear(): void {
    for (const level of this.#levels) level.directory?.release();
    this.#levels.length = 0;
  }

  /** Up by `..`, which is only believed when it is the very directory that the walk came from. */
  #reopen(level: WalkLevel, child: HeldDirectory): void {
    const directory = new HeldDirectory(openDirectoryAt(child.descriptor, '..'));
    statDescriptor(directory.descriptor, this.#stat);
    if (this.#stat.inode === level.inode && this.#stat.device === level.device) level.directory = directory;
    else {
      directory.release();
      level.isLost = true;
    }
  }
}

import { letGo, openDirectoryAt } from '../../linux/files.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { SystemError } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { hasIdentity, type InodeIdentity } from '../compare/inode-identity.ts';
import type { MountKind } from './mounted-names.ts';
import type { VirtualLevel } from './scan-roots.ts';

/** Ancestors that keep their descriptor open; those above are opened again on the way up. */
const OPEN_LEVELS = 256;

/** One directory on the way down. */
export interface ReaderLevel {
  /** Its last component. */
  readonly name: ByteString;
  readonly path: ByteString;
  readonly names: readonly ByteString[];
  /** Index of the next name. */
  next: number;
  /** Undefined in a level above the roots, and while too many levels are open. */
  descriptor: number | undefined;
  /** Undefined above a root, which may lie on any device. */
  readonly identity: InodeIdentity | undefined;
  readonly excludes: ((name: ByteString, isDirectory: boolean) => boolean) | undefined;
  /** Names in it over which something is mounted. */
  readonly mounted: ReadonlyMap<ByteString, MountKind> | undefined;
  readonly virtual: VirtualLevel | undefined;
  /** The components of the segment's end from here on, when it lies below this directory. */
  end: readonly ByteString[] | undefined;
  /** The same of its beginning, while that was not reached. */
  begin: readonly ByteString[] | undefined;
  /** Whether the directory could not be found again on the way up. */
  isLost: boolean;
}

/** The directories from the top to where a reader is, with a bounded number of open descriptors. */
export class ReaderStack {
  readonly #levels: ReaderLevel[] = [];
  readonly #stat = new StatBuffer();

  get depth(): number {
    return this.#levels.length;
  }

  get top(): ReaderLevel | undefined {
    return this.#levels.at(-1);
  }

  at(depth: number): ReaderLevel {
    return this.#levels[depth] as ReaderLevel;
  }

  push(level: ReaderLevel): void {
    this.#levels.push(level);
    const far = this.#levels[this.#levels.length - 1 - OPEN_LEVELS];
    if (far?.descriptor !== undefined) {
      letGo(far.descriptor);
      far.descriptor = undefined;
    }
  }

  pop(): void {
    const left = this.#levels.pop();
    const top = this.top;
    const isClosed = top !== undefined && top.virtual === undefined && top.descriptor === undefined;
    if (left?.descriptor === undefined) {
      if (isClosed) top.isLost = true;
      return;
    }
    if (isClosed) this.#reopen(top, left.descriptor);
    letGo(left.descriptor);
  }

  clear(): void {
    for (const { descriptor } of this.#levels) if (descriptor !== undefined) letGo(descriptor);
    this.#levels.length = 0;
  }

  /** Up by `..`, which is only believed when it is the very directory that the reader came from. */
  #reopen(level: ReaderLevel, child: number): void {
    level.descriptor = this.#openAbove(level, child);
    level.isLost = level.descriptor === undefined;
  }

  #openAbove({ identity }: ReaderLevel, child: number): number | undefined {
    let descriptor: number | undefined;
    try {
      descriptor = openDirectoryAt(child, '..');
      statDescriptor(descriptor, this.#stat);
      if (identity !== undefined && hasIdentity(identity, this.#stat.words)) return descriptor;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
    if (descriptor !== undefined) letGo(descriptor);
    return undefined;
  }
}

import { openDirectoryAt, openTrustedDirectory } from '../../linux/files.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { entryOfRoot, isScanRoot, type ScanRoot, type VirtualLevel } from '../walk/scan-roots.ts';
import { HeldDirectory } from './held-directory.ts';
import { hasIdentity, type InodeIdentity } from './inode-identity.ts';

/** Of the open directories these nearest ones, and one in each stretch of those above, stay open. */
const NEAR_LEVELS = 128;
const STRETCH = 32;

/** One directory on the way down, as the comparison with the previous state sees it. */
export interface ComparedLevel {
  /** Its last component. */
  readonly name: ByteString;
  readonly path: ByteString;
  /** What the reader found it to be; undefined above a root. */
  readonly identity: InodeIdentity | undefined;
  readonly virtual: VirtualLevel | undefined;
  /** Whether the previous state has this directory, and stands in it. */
  readonly wasThere: boolean;
  /** Open only when something in it has changed. */
  directory: HeldDirectory | undefined;
}

/** A directory on the way that is not any more what the reader saw there. */
export class LostDirectory {
  readonly depth: number;
  /** Undefined when it has gone, or is no directory any more. */
  readonly problem: string | undefined;

  constructor(depth: number, problem: string | undefined) {
    this.depth = depth;
    this.problem = problem;
  }
}

export const MOVED = 'it was moved while it was read; the rest of it is skipped';

/** The directories from the top to where the comparison is. Each is opened when it is first needed, through the one above it. */
export class ComparedLevels {
  readonly #levels: ComparedLevel[] = [];
  readonly #stat = new StatBuffer();

  get depth(): number {
    return this.#levels.length;
  }

  at(depth: number): ComparedLevel | undefined {
    return this.#levels[depth];
  }

  push(level: ComparedLevel): void {
    this.#levels.push(level);
  }

  pop(): void {
    this.#levels.pop()?.directory?.release();
  }

  clear(): void {
    while (this.depth > 0) this.pop();
  }

  /** The directory at `depth`, below the roots. The levels hold it: whoever needs it longer than the next call holds it, too. */
  open(depth: number): HeldDirectory | LostDirectory {
    const wanted = this.#levels[depth] as ComparedLevel;
    if (wanted.directory !== undefined) return wanted.directory;
    let first = depth;
    while (this.#needsOpening(first - 1)) first--;
    for (let next = first; next <= depth; next++) {
      const lost = this.#openAt(next);
      if (lost !== undefined) return lost;
      this.#closeFar(next - NEAR_LEVELS);
    }
    return wanted.directory as unknown as HeldDirectory;
  }

  /** The trusted folder that the root `name` of the level above the roots at `depth` lies in; the caller releases it. */
  openParentOf(name: ByteString, depth: number): HeldDirectory {
    return new HeldDirectory(openTrustedDirectory(this.#rootAt(name, depth).parent));
  }

  /** What `name` in the level at `depth` is called in the directory that it lies in: of a root that may be something else. */
  entryOf(name: ByteString, depth: number): ByteString {
    return this.#levels[depth]?.virtual === undefined ? name : entryOfRoot(this.#rootAt(name, depth));
  }

  #rootAt(name: ByteString, depth: number): ScanRoot {
    const root = this.#levels[depth]?.virtual?.children.get(name);
    if (root === undefined || !isScanRoot(root)) throw new RangeError(`${name} is no root`);
    return root;
  }

  #needsOpening(depth: number): boolean {
    const level = this.#levels[depth] as ComparedLevel;
    return level.virtual === undefined && level.directory === undefined;
  }

  #openAt(depth: number): LostDirectory | undefined {
    const level = this.#levels[depth] as ComparedLevel;
    const above = this.#levels[depth - 1] as ComparedLevel;
    const parent = above.directory?.hold() ?? this.openParentOf(level.name, depth - 1);
    let opened: HeldDirectory | undefined;
    try {
      opened = new HeldDirectory(openDirectoryAt(parent.descriptor, this.entryOf(level.name, depth - 1)));
      statDescriptor(opened.descriptor, this.#stat);
      if (level.identity === undefined || !hasIdentity(level.identity, this.#stat.words)) return new LostDirectory(depth, MOVED);
      level.directory = opened;
      opened = undefined;
      return undefined;
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined) throw error;
      const hasGone = code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR';
      return new LostDirectory(depth, hasGone ? undefined : `it could not be opened: ${(error as Error).message}`);
    } finally {
      opened?.release();
      parent.release();
    }
  }

  /** Those in between are opened again, from the open one above them, when the walk comes back to them. */
  #closeFar(depth: number): void {
    const level = this.#levels[depth];
    if (level?.directory === undefined || depth % STRETCH === 0) return;
    level.directory.release();
    level.directory = undefined;
  }
}

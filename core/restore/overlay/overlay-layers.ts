import { Failure } from '../../failure.ts';
import { readNames } from '../../linux/directories.ts';
import { closeDescriptor, openAt, openHandleAt } from '../../linux/files.ts';
import { O_DIRECTORY, O_RDONLY } from '../../linux/flags.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import { readXattrs } from '../../linux/xattrs.ts';
import type { ByteString, Entry } from '../../manifest/entry.ts';
import { childPath } from '../../manifest/paths.ts';

import { Target, type TargetRoot } from '../target/target.ts';
import { isOpaque, isWhiteout, ORIGIN } from './overlay-attributes.ts';

/** The names in the directory `path` of a target; none when there is no such directory. Throws when it cannot be looked into. */
export function namesIn(target: Target, path: ByteString): ByteString[] {
  let descriptor: number;
  try {
    // A listing reads from the descriptor's position: not from the shared one.
    descriptor = openAt(target.directory(path), '.', O_RDONLY | O_DIRECTORY);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
  try {
    return readNames(descriptor);
  } finally {
    closeDescriptor(descriptor);
  }
}

/** Whether what was thrown says that nothing is there; anything else says that nobody knows. */
function isAbsence(error: unknown): boolean {
  return errorCode(error) === 'ENOENT' || (error instanceof Failure && error.code === 'target_in_the_way');
}

/** What is at `path` of a layer; undefined when nothing is. Throws when it cannot be looked at. */
function look(layer: Target, path: ByteString): StatBuffer | undefined {
  const stat = new StatBuffer();
  try {
    const { directory, name } = layer.place(path);
    if (name !== '') return statAt(directory, name, stat) ? stat : undefined;
    statDescriptor(directory, stat);
    return stat;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** What a mounted overlay is made of. */
export interface OverlayLayers {
  /** Roots of the upper layer, by the same virtual paths as the mount's. */
  readonly upper: readonly TargetRoot[];
  /** Of the layers below, the uppermost first; undefined where they are not known. */
  readonly lower: readonly TargetRoot[] | undefined;
  /** What an administrator needs to undo what hides a layer below: the folder of the upper layer, and the command that mounts anew. */
  readonly undo: { readonly shadow: ByteString; readonly reload: string } | undefined;
}

/**
 * Looks below a mounted overlay at its upper layer, which is what a backup reads, and at those below. Only looks: what is changed
 * there while the overlay is mounted, the kernel does not notice. What cannot be looked at throws: it is not taken for absent.
 */
export class UpperLayer {
  readonly undo: OverlayLayers['undo'];
  readonly #upper: Target;
  readonly #lower: readonly Target[] | undefined;

  constructor({ upper, lower, undo }: OverlayLayers) {
    this.#upper = new Target(upper);
    this.#lower = lower?.map((root) => new Target([root]));
    this.undo = undo;
  }

  /** Whether the layers below have something at `path`, or may have, where they are not known. */
  mayShine(path: ByteString): boolean {
    if (this.#lower === undefined) return true;
    for (const layer of this.#lower) {
      const stat = look(layer, path);
      if (stat !== undefined) return !isWhiteout(stat);
    }
    return false;
  }

  /** Whether the upper layer's directory hides what the layers below have at its place. */
  isOpaque(path: ByteString): boolean {
    if (look(this.#upper, path)?.isDirectory !== true) return false;
    return isOpaque(readXattrs(this.#upper.directory(path)));
  }

  /** The names that the upper layer marks as deleted in a directory. */
  whiteouts(path: ByteString): ByteString[] {
    return namesIn(this.#upper, path).filter((name) => this.hasWhiteout(childPath(path, name)));
  }

  /** Which directory the upper layer has at `path`; undefined where it has none. */
  directoryAt(path: ByteString): { readonly inode: bigint; readonly birthTime: bigint } | undefined {
    const stat = look(this.#upper, path);
    if (stat?.isDirectory !== true) return undefined;
    return { inode: stat.inode, birthTime: stat.birthTime };
  }

  close(): void {
    for (const target of [this.#upper, ...(this.#lower ?? [])]) target.close();
  }

  /** Whether the upper layer marks `path` as deleted. */
  hasWhiteout(path: ByteString): boolean {
    const stat = look(this.#upper, path);
    return stat !== undefined && isWhiteout(stat);
  }

  /** Whether the upper layer's entry is the kernel's copy of one below, which would come back to light without it. */
  isCopiedUp(path: ByteString): boolean {
    if (!this.hasOwn(path)) return false;
    const { directory, name } = this.#upper.place(path);
    if (name === '') return true;
    const handle = openHandleAt(directory, name);
    try {
      return readXattrs(handle).some((xattr) => xattr.name === ORIGIN);
    } finally {
      closeDescriptor(handle);
    }
  }

  /** Whether the upper layer has an entry here that is no whiteout. */
  hasOwn(path: ByteString): boolean {
    const stat = look(this.#upper, path);
    return stat !== undefined && !isWhiteout(stat);
  }

  /** The entries of the upper layer in a directory, without whiteouts. */
  ownNames(path: ByteString): ByteString[] {
    return namesIn(this.#upper, path).filter((name) => !this.hasWhiteout(childPath(path, name)));
  }

  /**
   * The names in a directory that must go unless the snapshot has them: with `deletion` those of the upper layer, and where the
   * snapshot's directory is opaque those that shine through from the layers below. `merged` are the names that the mount shows.
   */
  namesToJudge(directory: Entry, merged: readonly ByteString[], deletion: boolean): ByteString[] | undefined {
    const opaque = isOpaque(directory.xattrs);
    if (!deletion && !opaque) return undefined;
    const own = new Set(this.ownNames(directory.path));
    return merged.filter((name) => (own.has(name) ? deletion : opaque));
  }
}

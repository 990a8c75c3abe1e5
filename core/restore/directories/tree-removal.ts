import { Failure } from '../../failure.ts';
import { readNames } from '../../linux/directories.ts';
import { closeDescriptor, openDirectoryAt, removeDirectoryAt, unlinkAt } from '../../linux/files.ts';
import { mountOf } from '../../linux/mounts.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { childPath } from '../../manifest/paths.ts';
import { checkDirectory } from '../owner/owner-rights.ts';
import type { Problem, RemovalRules, Report } from '../rules.ts';

import { pastProtection, unprotect } from '../target/protection.ts';

/** Deeper than any tree that people make; each level needs an open descriptor. */
const DEEPEST = 4096;

const stat = new StatBuffer();
const above = new StatBuffer();

/**
 * Removes entries with everything below them, descriptor by descriptor, without following a link. What the backup excludes stays,
 * and so does what is mounted or a subvolume of its own, with the directories above it. With `foresee` nothing is removed, but
 * everything is counted and named as it would be.
 */
export class TreeRemoval {
  /** How many entries went. */
  removed = 0;
  readonly #rules: RemovalRules;
  readonly #report: Report;
  readonly #onGone: (path: ByteString) => void;
  readonly #foresee: boolean;

  /** `report` hears of what stays, `onGone` of each entry that went with all below it; what lies below such a one is not told. */
  constructor(rules: RemovalRules, report: Report, onGone: (path: ByteString) => void, foresee: boolean) {
    this.#rules = rules;
    this.#report = report;
    this.#onGone = onGone;
    this.#foresee = foresee;
  }

  /** Removes the entry `name` of an open directory; whether nothing of it is left. */
  remove(directory: number, name: ByteString, path: ByteString): boolean {
    const isGone = this.#remove(directory, name, path, 0);
    if (isGone) this.#onGone(path);
    return isGone;
  }

  /** Removes a directory of which everything in it has been removed, or would have been. */
  removeEmptied(directory: number, name: ByteString, path: ByteString): void {
    checkDirectory(directory, this.#rules.owner);
    if (!this.#foresee && !this.#unlink(directory, name, true)) {
      this.keepMount(path);
      return;
    }
    this.removed++;
    this.#onGone(path);
  }

  #remove(directory: number, name: ByteString, path: ByteString, depth: number): boolean {
    if (!statAt(directory, name, stat)) return true;
    const { isDirectory } = stat;
    if (this.#rules.exclude.has(path, isDirectory)) return this.#keepExcluded(path, isDirectory);
    if (stat.isMountRoot) return this.keepMount(path);
    checkDirectory(directory, this.#rules.owner);
    if (isDirectory && !this.#empty(directory, name, path, depth)) return false;
    if (!this.#foresee && !this.#unlink(directory, name, isDirectory)) return this.keepMount(path);
    this.removed++;
    return true;
  }

  /** False when something is mounted there. */
  #unlink(directory: number, name: ByteString, isDirectory: boolean): boolean {
    try {
      pastProtection(directory, name, this.#rules.owner, () =>
        isDirectory ? removeDirectoryAt(directory, name) : unlinkAt(directory, name),
      );
      return true;
    } catch (error) {
      if (error instanceof Failure && error.code === 'mount_skipped') return false;
      throw error;
    }
  }

  /** Whether nothing is left in the directory. */
  #empty(directory: number, name: ByteString, path: ByteString, depth: number): boolean {
    if (depth === DEEPEST) throw new Failure('target_in_the_way', 'the directory is too deep to be removed', { affected: [path] });
    const descriptor = openDirectoryAt(directory, name);
    try {
      if (isElsewhere(descriptor, directory)) return this.keepMount(path);
      if (this.#rules.owner === undefined && !this.#foresee) unprotect(descriptor);
      return this.#removeAll(descriptor, path, depth);
    } finally {
      closeDescriptor(descriptor);
    }
  }

  #removeAll(descriptor: number, path: ByteString, depth: number): boolean {
    const gone: ByteString[] = [];
    let isEmpty = false;
    try {
      const names = readNames(descriptor);
      for (const child of names) {
        const below = childPath(path, child);
        if (this.#remove(descriptor, child, below, depth + 1)) gone.push(below);
      }
      isEmpty = gone.length === names.length;
      return isEmpty;
    } finally {
      // Otherwise the directory itself is named.
      if (!isEmpty) gone.forEach(this.#onGone);
    }
  }

  #keepExcluded(path: ByteString, isDirectory: boolean): boolean {
    // What the present rules exclude stays every time, and nobody has to know.
    if (this.#rules.exclude.isOnlyThen(path, isDirectory)) {
      this.#report({ code: 'unseen_kept', message: 'it was excluded when the snapshot was made, and stays', path });
    }
    return false;
  }

  /** Says that what is mounted at `path` stays, as false. */
  keepMount(path: ByteString): false {
    this.#report({ code: 'mount_skipped', message: 'something else is mounted here, or a subvolume begins here; it stays', path });
    return false;
  }
}

/** Whether an open directory is mounted in the one above it, or a subvolume. */
export function isElsewhere(descriptor: number, directory: number): boolean {
  statDescriptor(descriptor, stat);
  statDescriptor(directory, above);
  return stat.device !== above.device || mountOf(descriptor, stat) !== mountOf(directory, above);
}

/**
 * Removes the directory that stands where something else has to be, whole or not at all; gives the number of entries that were in it.
 * Throws `target_in_the_way` when some of it has to stay. With `foresee` removes nothing.
 */
export function clearAway(directory: number, name: ByteString, path: ByteString, rules: RemovalRules, foresee: boolean): number {
  let kept: Problem | undefined;
  const reported: Report = (problem) => {
    kept ??= problem;
  };
  const look = new TreeRemoval(rules, reported, () => {}, true);
  if (!look.remove(directory, name, path)) {
    const reason = kept?.message ?? 'the backup excludes something in it, so it stays';
    throw new Failure('target_in_the_way', `what stands here cannot be removed: ${reason}`, { affected: [kept?.path ?? path] });
  }
  if (foresee) return look.removed - 1;
  const removal = new TreeRemoval(rules, reported, () => {}, false);
  removal.remove(directory, name, path);
  return removal.removed - 1;
}

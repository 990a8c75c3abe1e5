import { Failure } from '../failure.ts';
import { readNames } from '../linux/directories.ts';
import { closeDescriptor, openDirectoryAt, removeDirectoryAt, unlinkAt } from '../linux/files.ts';
import { StatBuffer, statAt, statDescriptor } from '../linux/stat.ts';
import type { ByteString } from '../manifest/entry.ts';
import { childPath } from './names.ts';
import { checkDirectory } from './owner-rights.ts';
import { pastProtection, unprotect } from './protection.ts';
import type { RemovalRules } from './rules.ts';

/** Deeper than any tree that people make; each level needs an open descriptor. */
const DEEPEST = 4096;

const stat = new StatBuffer();

/** What became of a tree that was to go. */
export interface Removal {
  /** How many entries went. */
  readonly removed: number;
  /** The first path that stayed because the backup leaves it out; with it stayed the directories above it. */
  readonly kept: ByteString | undefined;
}

/**
 * Removes the entry `name` of an open directory and everything below it but what the backup leaves out, descriptor by
 * descriptor, without following a link and without entering another file system. Throws `target_in_the_way` for a mount.
 */
export function removeTree(directory: number, name: ByteString, path: ByteString, rules: RemovalRules, depth = 0): Removal {
  if (!statAt(directory, name, stat)) return { removed: 0, kept: undefined };
  const { isDirectory } = stat;
  if (rules.leftOut.has(path, isDirectory)) return { removed: 0, kept: path };
  checkDirectory(directory, rules.owner);
  if (!isDirectory) {
    pastProtection(directory, name, rules.owner, () => unlinkAt(directory, name));
    return { removed: 1, kept: undefined };
  }
  const emptied = emptyDirectory(directory, name, path, rules, depth);
  if (emptied.kept !== undefined) return emptied;
  pastProtection(directory, name, rules.owner, () => removeDirectoryAt(directory, name));
  return { removed: emptied.removed + 1, kept: undefined };
}

/** Removes what stands where something else has to be; throws `target_in_the_way`, too, when some of it has to stay. */
export function clearAway(directory: number, name: ByteString, path: ByteString, rules: RemovalRules): void {
  const { kept } = removeTree(directory, name, path, rules);
  if (kept === undefined) return;
  throw new Failure('target_in_the_way', 'the backup leaves out what stands here, so it stays', { affected: [kept] });
}

function emptyDirectory(directory: number, name: ByteString, path: ByteString, rules: RemovalRules, depth: number): Removal {
  if (depth === DEEPEST) throw new Failure('target_in_the_way', 'the directory is too deep to be removed', { affected: [path] });
  const descriptor = openDirectoryAt(directory, name);
  try {
    statDescriptor(descriptor, stat);
    if (stat.isMountRoot) throw new Failure('target_in_the_way', 'something is mounted here', { affected: [path] });
    if (rules.owner === undefined) unprotect(descriptor);
    let removed = 0;
    let kept: ByteString | undefined;
    for (const child of readNames(descriptor)) {
      const removal = removeTree(descriptor, child, childPath(path, child), rules, depth + 1);
      removed += removal.removed;
      kept ??= removal.kept;
    }
    return { removed, kept };
  } finally {
    closeDescriptor(descriptor);
  }
}

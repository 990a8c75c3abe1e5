import { Failure } from '../failure.ts';
import { readNames } from '../linux/directories.ts';
import { closeDescriptor, openDirectoryAt, removeDirectoryAt, unlinkAt } from '../linux/files.ts';
import { StatBuffer, statAt, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import { childPath } from './names.ts';
import { pastProtection, unprotect } from './protection.ts';

/** Deeper than any tree that people make; each level needs an open descriptor. */
const DEEPEST = 4096;

const stat = new StatBuffer();

/** Whether nothing at or below `path`, and nothing above a left-out path, may be removed: the backup does not have it. */
export function isLeftOut(path: ByteString, leftOut: readonly ByteString[]): boolean {
  return leftOut.some((kept) => isWithin(path, kept) || isWithin(kept, path));
}

/**
 * Removes the entry `name` of an open directory and everything below it, descriptor by descriptor, without following a link
 * and without entering another file system. Returns how many entries went; 0 when nothing was there.
 * Throws `target_in_the_way` for what must stay: a mount, or what the backup leaves out (`leftOut`, virtual paths).
 */
export function removeTree(directory: number, name: ByteString, path: ByteString, leftOut: readonly ByteString[], depth = 0): number {
  if (isLeftOut(path, leftOut)) throw new Failure('target_in_the_way', 'the backup leaves this out, so it stays', { affected: [path] });
  if (!statAt(directory, name, stat)) return 0;
  if (!stat.isDirectory) {
    pastProtection(directory, name, () => unlinkAt(directory, name));
    return 1;
  }
  const removed = emptyDirectory(directory, name, path, leftOut, depth);
  pastProtection(directory, name, () => removeDirectoryAt(directory, name));
  return removed + 1;
}

function emptyDirectory(directory: number, name: ByteString, path: ByteString, leftOut: readonly ByteString[], depth: number): number {
  if (depth === DEEPEST) throw new Failure('target_in_the_way', 'the directory is too deep to be removed', { affected: [path] });
  const descriptor = openDirectoryAt(directory, name);
  try {
    statDescriptor(descriptor, stat);
    if (stat.isMountRoot) throw new Failure('target_in_the_way', 'something is mounted here', { affected: [path] });
    unprotect(descriptor);
    let removed = 0;
    for (const child of readNames(descriptor)) removed += removeTree(descriptor, child, childPath(path, child), leftOut, depth + 1);
    return removed;
  } finally {
    closeDescriptor(descriptor);
  }
}

/** Whether `thrown` says that a directory with entries stands where something else has to be. */
export function isDirectoryInTheWay(thrown: unknown): boolean {
  const code = errorCode(thrown);
  return code === 'EISDIR' || code === 'ENOTEMPTY' || code === 'EEXIST';
}

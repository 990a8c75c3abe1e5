import { fsyncSync } from 'node:fs';
import { closeDescriptor, makeDirectoryAt, openDirectoryAt, openTrustedDirectory } from '../../linux/files.ts';
import { errorCode } from '../../linux/system-error.ts';

const PRIVATE = 0o700;

/** Whether an error says that something is not there. */
export function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/** Opens the directory that the administrator named, which may be a link to another. The caller closes the descriptor. */
export function openRoot(root: string): number {
  // The dot makes the name itself the last component but one, so that a link there is followed.
  return openTrustedDirectory(Buffer.from(`${root}/.`, 'utf8').toString('latin1'));
}

/**
 * Opens the folder `components` below the directory `root`, one component at a time and never through a link: a link in a
 * repository must not lead a reader or a writer elsewhere. Missing folders are made when `make` is set, and their names
 * are durable then; otherwise the result is undefined. The caller closes the descriptor.
 */
export function openFolder(root: string, components: readonly string[], make: boolean): number | undefined {
  let folder: number;
  try {
    folder = openRoot(root);
  } catch (error) {
    if (!make && isMissing(error)) return undefined;
    throw error;
  }
  for (const component of components) {
    let next: number | undefined;
    try {
      next = openNext(folder, component, make);
    } finally {
      closeDescriptor(folder);
    }
    if (next === undefined) return undefined;
    folder = next;
  }
  return folder;
}

function openNext(folder: number, component: string, make: boolean): number | undefined {
  try {
    return openDirectoryAt(folder, component);
  } catch (error) {
    if (!isMissing(error)) throw error;
    if (!make) return undefined;
  }
  try {
    makeDirectoryAt(folder, component, PRIVATE);
    fsyncSync(folder);
  } catch (error) {
    // Somebody else was faster.
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  return openDirectoryAt(folder, component);
}

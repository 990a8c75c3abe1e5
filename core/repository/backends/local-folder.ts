import { fsyncSync } from 'node:fs';
import { Failure } from '../../failure.ts';
import { fileSystemId } from '../../linux/file-system.ts';
import { closeDescriptor, makeDirectoryAt, openDirectoryAt, openTrustedDirectory } from '../../linux/files.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';

const PRIVATE = 0o700;

/** Whether an error says that something is not there. */
export function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/** What a directory was when it was opened first. */
interface Opened {
  readonly device: bigint;
  readonly inode: bigint;
  readonly fileSystem: string | undefined;
}

/**
 * The directory that the administrator named, which may be a link to another. It is opened by its path each time, and must be what it was
 * the first time: when its disk is unmounted meanwhile, the path leads to the empty folder below, where nobody would find what is
 * written.
 */
export class LocalRoot {
  readonly path: string;
  #first: Opened | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** The caller closes the descriptor. Throws `repository_missing` when it was here and is not any more. */
  open(): number {
    let descriptor: number;
    try {
      // The dot makes the name itself the last component but one, so that a link there is followed.
      descriptor = openTrustedDirectory(Buffer.from(`${this.path}/.`, 'utf8').toString('latin1'));
    } catch (error) {
      throw this.#first !== undefined && isMissing(error) ? this.#gone(error) : error;
    }
    try {
      const stat = new StatBuffer();
      statDescriptor(descriptor, stat);
      const { device, inode } = stat;
      this.#first ??= { device, inode, fileSystem: fileSystemId(descriptor) };
      const first = this.#first;
      if (inode === first.inode && device === first.device) return descriptor;
      // Mounted once more it can have another device number.
      if (inode === first.inode && first.fileSystem !== undefined && fileSystemId(descriptor) === first.fileSystem) return descriptor;
    } catch (error) {
      closeDescriptor(descriptor);
      throw error;
    }
    closeDescriptor(descriptor);
    throw this.#gone(undefined);
  }

  #gone(cause: unknown): Failure {
    return new Failure('repository_missing', `${this.path} is no longer the folder that it was at the beginning`, {
      affected: [this.path],
      advice: 'Check that the disk of the repository is mounted, then run again.',
      retry: true,
      cause,
    });
  }
}

/**
 * Opens the folder `components` below the directory `root`, one component at a time and never through a link: a link in a
 * repository must not lead a reader or a writer elsewhere. Missing folders are made when `make` is set, and their names
 * are durable then; otherwise the result is undefined. The caller closes the descriptor.
 */
export function openFolder(root: LocalRoot, components: readonly string[], make: boolean): number | undefined {
  let folder: number;
  try {
    folder = root.open();
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

import { letGo, openAt, openDirectoryAt, openHandleAt } from '../../linux/files.ts';
import { O_NOATIME, O_NONBLOCK, O_RDONLY } from '../../linux/flags.ts';
import { type StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { OpenAs } from '../pack/batch.ts';

/** An entry that a worker holds open. */
export interface OpenedEntry {
  readonly descriptor: number;
  /** What the descriptor said when it was opened: the buffer that was given for it. */
  readonly stat: StatBuffer;
  /** Files and directories are open for reading; what could not be opened so, links and special files by a handle only. */
  readonly readable: boolean;
  /** Why a file or directory is not readable. */
  readonly refusal?: unknown;
}

/** What the name itself answers when it has become something else than the walk saw. */
const BECAME_ANOTHER = new Set(['ELOOP', 'ENOTDIR']);

/** Opens a file for reading without following a link and, where that may be, without a trace in its access time. */
export function openFileAt(directory: number, name: ByteString): number {
  // O_NONBLOCK: a FIFO put in the file's place cannot make the reader wait.
  const flag = O_RDONLY | O_NONBLOCK;
  try {
    return openAt(directory, name, flag | O_NOATIME);
  } catch (error) {
    // Only the owner and root may leave the access time alone.
    if (errorCode(error) !== 'EPERM') throw error;
    return openAt(directory, name, flag);
  }
}

/**
 * Opens an entry without following a link, whatever it has become since the walk saw it, and fills `stat` from the
 * descriptor. Undefined when it vanished. Whatever else the file system answers, the entry is kept by a handle; throws a
 * `SystemError` only when there is none.
 */
export function openEntry(directory: number, name: ByteString, openAs: number, stat: StatBuffer): OpenedEntry | undefined {
  let refusal: unknown;
  try {
    if (openAs !== OpenAs.handle) {
      const descriptor = openAs === OpenAs.file ? openFileAt(directory, name) : openDirectoryAt(directory, name);
      look(descriptor, stat);
      // A directory opens as a file, too; a device or FIFO in a file's place is let go again.
      if (stat.isFile || stat.isDirectory) return { descriptor, stat, readable: true };
      letGo(descriptor);
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return undefined;
    if (code === undefined) throw error;
    if (!BECAME_ANOTHER.has(code)) refusal = error;
  }
  return openHandle(directory, name, stat, refusal);
}

function openHandle(directory: number, name: ByteString, stat: StatBuffer, refusal: unknown): OpenedEntry | undefined {
  try {
    const descriptor = openHandleAt(directory, name);
    look(descriptor, stat);
    return { descriptor, stat, readable: false, refusal };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Fills `stat` from a descriptor, or lets go of it. */
function look(descriptor: number, stat: StatBuffer): void {
  try {
    statDescriptor(descriptor, stat);
  } catch (error) {
    letGo(descriptor);
    throw error;
  }
}

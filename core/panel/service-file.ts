import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { closeDescriptor, openAt, openDirectoryAt, openTrustedDirectory } from '../linux/files.ts';
import { O_NONBLOCK, O_RDONLY } from '../linux/flags.ts';
import { StatBuffer, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';

/** Its second folder stands in older documents. */
const SERVICE_FILES: readonly (readonly ByteString[])[] = [
  ['info', 'current', 'siteinfo'],
  ['info', 'cur', 'siteinfo'],
];
const LARGEST = 64 * 1024;
const OTHERS_MAY_WRITE = 0o022;
const ROOT = 0;

/** The panel's own file about an account, which it writes when it makes or changes one. */
export interface ServiceFile {
  /** Below the account's folder. */
  readonly path: ByteString;
  /** SHA-256. */
  readonly digest: Buffer;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
}

/** Why there is none to go by, in words. */
export interface NoServiceFile {
  readonly reason: string;
}

/** `siteinfo` of the account in `folder`, when root alone can change it. */
export function readServiceFile(folder: ByteString): ServiceFile | NoServiceFile {
  for (const names of SERVICE_FILES) {
    const file = readGuarded(folder, names);
    if (file !== undefined) return file;
  }
  return { reason: 'the panel’s file info/current/siteinfo is not there' };
}

/** A file that root alone can change, a reason when others can, undefined when there is none. */
function readGuarded(folder: ByteString, names: readonly ByteString[]): ServiceFile | NoServiceFile | undefined {
  let directory = openTrustedDirectory(folder);
  try {
    for (const name of names.slice(0, -1)) {
      const above = directory;
      directory = openDirectoryAt(above, name);
      closeDescriptor(above);
      if (!isRoots(directory)) return { reason: `others than root can change ${name}` };
    }
    const name = names.at(-1) as ByteString;
    const file = openAt(directory, name, O_RDONLY | O_NONBLOCK);
    try {
      const stat = isRoots(file);
      if (stat === undefined || !stat.isFile || stat.size > LARGEST)
        return { reason: `others than root can change ${name}, or it is no such file` };
      const bytes = Buffer.alloc(stat.size);
      const length = readSync(file, bytes, 0, bytes.length, 0);
      const digest = createHash('sha256').update(bytes.subarray(0, length)).digest();
      return { path: names.join('/'), digest, mtime: stat.mtime };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? undefined
      : { reason: `${names.join('/')} cannot be read: ${(error as Error).message}` };
  } finally {
    closeDescriptor(directory);
  }
}

/** What an open file or directory is, when nobody but root can change it. */
function isRoots(descriptor: number): StatBuffer | undefined {
  const stat = new StatBuffer();
  statDescriptor(descriptor, stat);
  return stat.uid === ROOT && (stat.mode & OTHERS_MAY_WRITE) === 0 ? stat : undefined;
}

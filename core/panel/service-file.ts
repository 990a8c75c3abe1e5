import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { closeDescriptor, openAt, openDirectoryAt, openTrustedDirectory } from '../linux/files.ts';
import { O_NONBLOCK, O_RDONLY } from '../linux/flags.ts';
import { StatBuffer, statDescriptor } from '../linux/stat.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString } from '../manifest/entry.ts';

/** The second stands in older documents. */
const SERVICE_FOLDERS: readonly ByteString[] = ['current', 'cur'];
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
  for (const services of SERVICE_FOLDERS) {
    const file = readGuarded(folder, ['info', services, 'siteinfo']);
    if (file !== undefined) return file;
  }
  return { reason: 'the panel’s file info/current/siteinfo is not there' };
}

/** The text of the panel's file about a service of the account in `folder`, a reason when others than root can change it, undefined when there is none. */
export function readServiceText(folder: ByteString, service: string): string | NoServiceFile | undefined {
  for (const services of SERVICE_FOLDERS) {
    const file = readGuarded(folder, ['info', services, service]);
    if (file !== undefined) return 'bytes' in file ? file.bytes.toString('utf8') : file;
  }
  return undefined;
}

/** A file that root alone can change, a reason when others can, undefined when there is none. */
function readGuarded(
  folder: ByteString,
  names: readonly ByteString[],
): (ServiceFile & { readonly bytes: Buffer }) | NoServiceFile | undefined {
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
      const room = Buffer.alloc(stat.size);
      const bytes = room.subarray(0, readSync(file, room, 0, room.length, 0));
      return { path: names.join('/'), digest: createHash('sha256').update(bytes).digest(), mtime: stat.mtime, bytes };
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

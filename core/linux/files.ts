import { fsyncSync, readSync } from 'node:fs';
import type { ByteString } from '../manifest/entry.ts';
import { cString, secondCString } from './c-string.ts';
import * as flags from './flags.ts';
import { lastErrno, libc } from './libc.ts';
import { asSystemError, check, errorCode, SystemError } from './system-error.ts';

/** Opens one component below a directory descriptor. O_NOFOLLOW and O_CLOEXEC are always set. */
export function openAt(dir: number, name: ByteString, flag: number, mode = 0): number {
  return check(libc.openat(dir, cString(name), flag | flags.O_NOFOLLOW | flags.O_CLOEXEC, mode), 'openat', name);
}

/** Opens a directory for reading its names and as the start of further calls; refuses a link. */
export function openDirectoryAt(dir: number, name: ByteString): number {
  return openAt(dir, name, flags.O_RDONLY | flags.O_DIRECTORY | flags.O_NONBLOCK);
}

/**
 * Makes a file without a name, to be written, on the file system of an open directory and allocated as what is in that; undefined where
 * there are no such files, or not in this directory.
 */
export function openUnnamed(directory: number, mode: number): number | undefined {
  const descriptor = libc.openat(directory, HERE, flags.O_WRONLY | flags.O_TMPFILE | flags.O_CLOEXEC, mode);
  return descriptor < 0 ? undefined : descriptor;
}

/** A handle on any kind of entry, the link itself for a link, that reads and changes nothing. */
export function openHandleAt(dir: number, name: ByteString): number {
  return openAt(dir, name, flags.O_PATH);
}

/**
 * Opens an absolute path whose every component is trusted, such as a folder that the administrator named. Only the last
 * component must not be a link.
 */
export function openTrustedDirectory(path: ByteString): number {
  return openDirectoryAt(flags.AT_FDCWD, path);
}

/** Closes a descriptor; a descriptor that is not open is a defect and throws. */
export function closeDescriptor(descriptor: number): void {
  check(libc.close(descriptor), 'close');
}

/**
 * Closes a descriptor through which nothing was written: what else a file system says at its end (EIO of a network, whatever FUSE
 * likes) concerns nobody, and the descriptor is closed in any case.
 */
export function letGo(descriptor: number): void {
  if (libc.close(descriptor) < 0 && lastErrno() === EBADF) throw new SystemError('close', EBADF);
}

const EBADF = 9;
const EEXIST = 17;
const HERE = Buffer.from('.\0');
const NOTHING = Buffer.from([0]);
const target = Buffer.alloc(4097);

/** The target of a symbolic link. */
export function readLinkAt(dir: number, name: ByteString): ByteString {
  const length = check(libc.readlinkat(dir, cString(name), target, target.length), 'readlinkat', name);
  return target.latin1Slice(0, length);
}

export function makeDirectoryAt(dir: number, name: ByteString, mode: number): void {
  check(libc.mkdirat(dir, cString(name), mode), 'mkdirat', name);
}

/** Makes a FIFO, socket or device; `fullMode` carries the type bits. */
export function makeNodeAt(dir: number, name: ByteString, fullMode: number, major = 0, minor = 0): void {
  // The encoding of dev_t in glibc (gnu_dev_makedev).
  const device = (BigInt(major & 0xfff) << 8n) | BigInt(minor & 0xff) | (BigInt(minor & ~0xff) << 12n) | (BigInt(major & ~0xfff) << 32n);
  check(libc.mknodat(dir, cString(name), fullMode, device), 'mknodat', name);
}

export function symlinkAt(linkTarget: ByteString, dir: number, name: ByteString): void {
  check(libc.symlinkat(cString(linkTarget), dir, secondCString(name)), 'symlinkat', name);
}

/** Gives the entry `name` of `dir` a second name; a link is linked itself, not what it points at. */
export function linkAt(dir: number, name: ByteString, newDir: number, newName: ByteString): void {
  check(libc.linkat(dir, cString(name), newDir, secondCString(newName), 0), 'linkat', newName);
}

/** Gives an open file without a name its first one; false when something stands there. */
export function nameUnnamed(descriptor: number, directory: number, name: ByteString): boolean {
  const result = libc.linkat(descriptor, NOTHING, directory, secondCString(name), flags.AT_EMPTY_PATH);
  if (result < 0 && lastErrno() === EEXIST) return false;
  check(result, 'linkat', name);
  return true;
}

/** Makes the names in an open folder durable. Some file systems of others' making have no such call for folders (EINVAL). */
export function syncNames(folder: number): void {
  try {
    fsyncSync(folder);
  } catch (error) {
    if (errorCode(error) !== 'EINVAL') throw error;
  }
}

export function unlinkAt(dir: number, name: ByteString): void {
  check(libc.unlinkat(dir, cString(name), 0), 'unlinkat', name);
}

export function removeDirectoryAt(dir: number, name: ByteString): void {
  check(libc.unlinkat(dir, cString(name), flags.AT_REMOVEDIR), 'unlinkat', name);
}

/** Renames within one file system, over an existing name unless `noReplace`. */
export function renameAt(dir: number, name: ByteString, newDir: number, newName: ByteString, noReplace = false): void {
  const flag = noReplace ? flags.RENAME_NOREPLACE : 0;
  check(libc.renameat2(dir, cString(name), newDir, secondCString(newName), flag), 'renameat2', newName);
}

/** Sets the length of an open file; what is added is a hole. */
export function setLength(descriptor: number, length: number): void {
  check(libc.ftruncate(descriptor, length), 'ftruncate');
}

/** Reads at most `length` bytes at `position` of a file to `at` of `into`; 0 behind its end. */
export function readBytes(descriptor: number, into: Buffer, at: number, length: number, position: number): number {
  try {
    return readSync(descriptor, into, at, length, position);
  } catch (error) {
    throw asSystemError(error);
  }
}

/** Reads what comes next out of a pipe; waits until there is something. 0 at its end. */
export function readStream(descriptor: number, into: Buffer, at: number, length: number): number {
  try {
    return readSync(descriptor, into, at, length, null);
  } catch (error) {
    throw asSystemError(error);
  }
}

const POSIX_FADV_WILLNEED = 3;
/** More of a long file is read ahead by the kernel itself, once it is read. */
const FIRST_BYTES = 4 * 1024 * 1024;

/** Has the kernel begin to read an open file, without waiting for it. A file system that cannot is let be. */
export function beginReading(descriptor: number): void {
  libc.posix_fadvise(descriptor, 0, FIRST_BYTES, POSIX_FADV_WILLNEED);
}

const POSIX_FADV_DONTNEED = 4;

/** Has the kernel drop what it holds of an open file and has written out already. A file system that cannot is let be. */
export function forgetCached(descriptor: number): void {
  libc.posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
}

const SYNC_FILE_RANGE_WRITE = 2;

/** Has the disk begin with what was written to an open file, without waiting for it. A file system that cannot is let be. */
export function beginWriteback(descriptor: number): void {
  libc.sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/** Waits until everything written to the file system of an open descriptor is on its disk. */
export function syncFileSystem(descriptor: number): void {
  check(libc.syncfs(descriptor), 'syncfs');
}

/**
 * Has a file system write out what it holds, without keeping this thread. Whether that went well is not told, but to whoever calls
 * `syncFileSystem` with another descriptor that was open before: the kernel reports an error once for each.
 */
export function drainFileSystem(descriptor: number): Promise<void> {
  return new Promise((resolve) => libc.syncfs.async(descriptor, () => resolve()));
}

import { readlinkSync } from 'node:fs';
import type { ByteString } from '../manifest/entry.ts';
import { cString } from './c-string.ts';
import * as flags from './flags.ts';
import { lastErrno, libc } from './libc.ts';
import { check } from './system-error.ts';

const EMPTY = Buffer.from([0]);
const EBADF = 9;

/** The name under which the kernel reaches an open descriptor's own object, a link's too, without following further. */
export function descriptorPath(descriptor: number): ByteString {
  return `/proc/self/fd/${descriptor}`;
}

/** Where what the descriptor is open on stands now, for people; the kernel's name of the descriptor where it cannot be told. */
export function placeOf(descriptor: number): ByteString {
  const link = descriptorPath(descriptor);
  try {
    return readlinkSync(link, 'latin1');
  } catch {
    return link;
  }
}

/**
 * Whether a call failed because its descriptor is an O_PATH one, which such calls do not take: then what it is open on is reached
 * through `descriptorPath`. A file or directory that is open otherwise saves the way through /proc.
 */
export function isHandleRefused(result: number): boolean {
  return result < 0 && lastErrno() === EBADF;
}

/** Changes the owner of what `descriptor` (an O_PATH one will do) is open on. Clears set-id bits and capabilities. */
export function setOwner(descriptor: number, uid: number, gid: number): void {
  check(libc.fchownat(descriptor, EMPTY, uid, gid, flags.AT_EMPTY_PATH), 'fchownat');
}

/** Sets the 12 permission bits through any descriptor but a link's (a link has none of its own). Rewrites an ACL's mask. */
export function setMode(descriptor: number, mode: number): void {
  let result = libc.fchmod(descriptor, mode);
  if (isHandleRefused(result)) result = libc.chmod(cString(descriptorPath(descriptor)), mode);
  check(result, 'chmod');
}

const timespecs = Buffer.alloc(32);
const UTIME_OMIT = 0x3ffffffe;

/** Sets the modification time in nanoseconds since 1970 (exact, also negative) through any descriptor; leaves the access time. */
export function setModificationTime(descriptor: number, mtime: bigint): void {
  const nanoseconds = ((mtime % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  timespecs.writeBigInt64LE(0n, 0);
  timespecs.writeBigInt64LE(BigInt(UTIME_OMIT), 8);
  timespecs.writeBigInt64LE((mtime - nanoseconds) / 1_000_000_000n, 16);
  timespecs.writeBigInt64LE(nanoseconds, 24);
  let result = libc.futimens(descriptor, timespecs);
  if (isHandleRefused(result)) result = libc.utimensat(flags.AT_FDCWD, cString(descriptorPath(descriptor)), timespecs, 0);
  check(result, 'utimensat');
}

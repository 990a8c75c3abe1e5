import { cString } from './c-string.ts';
import { callOn } from './descriptor.ts';
import * as flags from './flags.ts';
import { libc } from './libc.ts';
import { check } from './system-error.ts';

const EMPTY = Buffer.from([0]);

/** Changes the owner of what `descriptor` (an O_PATH one will do) is open on. Clears set-id bits and capabilities. */
export function setOwner(descriptor: number, uid: number, gid: number): void {
  check(libc.fchownat(descriptor, EMPTY, uid, gid, flags.AT_EMPTY_PATH), 'fchownat');
}

/** Sets the 12 permission bits through any descriptor but a link's (a link has none of its own). Rewrites an ACL's mask. */
export function setMode(descriptor: number, mode: number): void {
  const result = callOn(
    descriptor,
    () => libc.fchmod(descriptor, mode),
    (path) => libc.chmod(cString(path), mode),
  );
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
  const result = callOn(
    descriptor,
    () => libc.futimens(descriptor, timespecs),
    (path) => libc.utimensat(flags.AT_FDCWD, cString(path), timespecs, 0),
  );
  check(result, 'utimensat');
}

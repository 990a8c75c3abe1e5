import { libc } from './libc.ts';
import { check, errorCode } from './system-error.ts';

// From linux/fs.h; the request numbers are those of 64-bit Linux.
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;

export const FS_IMMUTABLE_FL = 0x10;
export const FS_APPEND_FL = 0x20;
export const FS_PROJINHERIT_FL = 0x20000000;

/**
 * The flags that chattr(1) may set and that mean the same on every file system: secure deletion, undelete, compress,
 * synchronous, immutable, append-only, nodump, noatime, no compression, journalled data, no tail-merging, dirsync, top directory,
 * no copy-on-write, direct access, project inheritance and case folding. The others describe how the file system stores the inode.
 */
const RESTORABLE_INODE_FLAGS = [
  0x1,
  0x2,
  0x4,
  0x8,
  FS_IMMUTABLE_FL,
  FS_APPEND_FL,
  0x40,
  0x80,
  0x400,
  0x4000,
  0x8000,
  0x10000,
  0x20000,
  0x800000,
  0x200_0000,
].reduce((all, flag) => all | flag, FS_PROJINHERIT_FL | 0x4000_0000);

const word = Buffer.alloc(8);

function readAll(descriptor: number): number | undefined {
  try {
    check(libc.ioctl(descriptor, FS_IOC_GETFLAGS, word), 'ioctl');
    return word.readUInt32LE(0);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOTTY' || code === 'EOPNOTSUPP' || code === 'EINVAL' || code === 'ENOSYS') return undefined;
    throw error;
  }
}

/** The restorable inode flags of an open file or directory (not an O_PATH one); 0 where the file system has none. */
export function readInodeFlags(descriptor: number): number {
  return (readAll(descriptor) ?? 0) & RESTORABLE_INODE_FLAGS;
}

/** Sets the restorable inode flags to `wanted`, leaving the others as they are. */
export function writeInodeFlags(descriptor: number, wanted: number): void {
  const present = readAll(descriptor) ?? 0;
  const next = ((present & ~RESTORABLE_INODE_FLAGS) | (wanted & RESTORABLE_INODE_FLAGS)) >>> 0;
  if (next === present) return;
  word.writeUInt32LE(next, 0);
  check(libc.ioctl(descriptor, FS_IOC_SETFLAGS, word), 'ioctl');
}

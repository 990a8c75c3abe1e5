import { libc } from './libc.ts';
import { check } from './system-error.ts';

const buffer = Buffer.alloc(120); // struct statfs of 64-bit Linux

// From linux/magic.h, but for ZFS, which is not in the kernel.
const BTRFS = 0x9123683e;
const ZFS = 0x2fc12fc1;
/**
 * How many times less room a file can take than it has bytes, where the file system compresses: btrfs makes one block of 4 KiB of at most
 * 128 KiB, ZFS of a record of 1 MiB.
 */
const COMPRESSION = new Map([
  [BTRFS, 32],
  [ZFS, 256],
]);

/** What an open descriptor's file system has room for. */
export interface Room {
  /** That an unprivileged writer may still use. */
  readonly bytes: number;
  readonly inodes: number;
  /** Of the whole file system, in bytes. */
  readonly size: number;
  /** By which files may shrink there at best; 1 where none are compressed. */
  readonly compression: number;
}

export function freeSpace(descriptor: number): Room {
  check(libc.fstatfs(descriptor, buffer), 'fstatfs');
  const blockSize = Number(buffer.readBigInt64LE(8));
  return {
    bytes: Number(buffer.readBigUInt64LE(32)) * blockSize,
    inodes: Number(buffer.readBigUInt64LE(48)),
    size: Number(buffer.readBigUInt64LE(16)) * blockSize,
    compression: COMPRESSION.get(buffer.readUInt32LE(0)) ?? 1,
  };
}

/** What the file system of an open descriptor holds; zeros where it does not tell. */
export function usedSpace(descriptor: number): { bytes: number; inodes: number } {
  if (libc.fstatfs(descriptor, buffer) !== 0) return { bytes: 0, inodes: 0 };
  const word = (at: number): number => Number(buffer.readBigUInt64LE(at));
  return { bytes: (word(16) - word(24)) * word(8), inodes: word(40) - word(48) };
}

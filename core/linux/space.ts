import { libc } from './libc.ts';
import { check } from './system-error.ts';

const buffer = Buffer.alloc(120); // struct statfs of 64-bit Linux

/** Room on the file system of an open descriptor: bytes and inodes that an unprivileged writer may still use, and its size in bytes. */
export function freeSpace(descriptor: number): { bytes: number; inodes: number; size: number } {
  check(libc.fstatfs(descriptor, buffer), 'fstatfs');
  const blockSize = Number(buffer.readBigInt64LE(8));
  return {
    bytes: Number(buffer.readBigUInt64LE(32)) * blockSize,
    inodes: Number(buffer.readBigUInt64LE(48)),
    size: Number(buffer.readBigUInt64LE(16)) * blockSize,
  };
}

import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { writeAll } from '../linux/write-all.ts';

const PART = 4 * 1024 * 1024;

type ReadRange = (offset: number, length: number) => Promise<Buffer>;

/** Copies `length` bytes of an object into an open file, in parts; `hash` sees them, too. */
async function copyObject(read: ReadRange, length: number, descriptor: number, hash: Hash): Promise<void> {
  for (let at = 0; at < length; at += PART) {
    const part = await read(at, Math.min(PART, length - at));
    hash.update(part);
    writeAll(descriptor, part);
  }
}

/** Copies an object into a new file that only this process can read; returns the SHA-256 (hexadecimal) of what it copied. */
export async function fetchToFile(read: ReadRange, length: number, file: string): Promise<string> {
  const hash = createHash('sha256');
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    await copyObject(read, length, descriptor, hash);
  } catch (error) {
    unlinkSync(file);
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}

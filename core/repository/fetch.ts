import { createHash, type Hash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { FileBytes } from '../linux/file-bytes.ts';
import { writeAll } from '../linux/write-all.ts';
import type { RandomAccess } from '../manifest/read/random-access.ts';
import type { Backend } from './backends/backend.ts';

const PART = 4 * 1024 * 1024;

type ReadRange = (offset: number, length: number) => Promise<Buffer>;

/** Copies `length` bytes of an object into an open file, in parts; `hash` sees them, too. */
async function copyObject(read: ReadRange, length: number, descriptor: number, hash?: Hash): Promise<void> {
  for (let at = 0; at < length; at += PART) {
    const part = await read(at, Math.min(PART, length - at));
    hash?.update(part);
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

/** A copy of an object in a file of `folder` that has no name any more, so that nothing is left when the process ends. */
export async function fetchUnlinked(backend: Backend, name: string, length: number, folder: string): Promise<RandomAccess> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${randomBytes(12).toString('hex')}.tmp`);
  const descriptor = openSync(file, 'wx+', 0o600);
  try {
    unlinkSync(file);
    await copyObject((offset, count) => backend.read(name, offset, count), length, descriptor);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return new FileBytes(descriptor, name);
}

import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** A new open file for reading and writing, which goes with its descriptor; `folder` is private, and made when it is missing. */
export function unnamedFile(folder: string): number {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${randomBytes(12).toString('hex')}.tmp`);
  const descriptor = openSync(file, 'wx+', 0o600);
  try {
    unlinkSync(file);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return descriptor;
}

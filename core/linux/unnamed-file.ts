import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A new open file for reading and writing, which goes with its descriptor; `folder` is private, and made when it is missing. A process that is
 * killed before the name is gone leaves one of those that `core/config/replace-file.ts` removes.
 */
export function unnamedFile(folder: string): number {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `unnamed.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  const descriptor = openSync(file, 'wx+', 0o600);
  try {
    unlinkSync(file);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return descriptor;
}

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { Failure } from '../failure.ts';
import { untrusted } from './trusted-place.ts';

const OTHERS = 0o077;
const LARGEST = 64 * 1024;
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** The text of a file that holds a secret. Throws `invalid_settings` where others than root could read or change it. */
export function readPrivateFile(file: string): string {
  const refuse = (reason: string, cause?: unknown) =>
    new Failure('invalid_settings', `${file} ${reason}`, { affected: [file], advice: `chown root: ${file}; chmod 600 ${file}`, cause });
  let descriptor: number;
  try {
    const weak = untrusted(file);
    if (weak !== undefined) throw refuse(`could be changed by others: ${weak.place}: ${weak.reason}`);
    descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    throw error instanceof Failure ? error : refuse(`cannot be read: ${(error as Error).message}`, error);
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw refuse('is no file');
    if ((status.mode & OTHERS) !== 0) throw refuse('can be read by others');
    if (status.size > LARGEST) throw refuse('is too large for a key or an address');
    return readFileSync(descriptor, 'utf8').trim();
  } finally {
    closeSync(descriptor);
  }
}

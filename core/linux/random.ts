import { libc } from './libc.ts';
import { check } from './system-error.ts';

/** The most that one call gives whole, in bytes. */
const WHOLE = 256;

/**
 * So many random bytes, 256 at most, as hexadecimal digits. They come from the kernel, where Node's own would load all of its cryptography
 * first: a tenth of the time in which a job is started. Throws what the system says.
 */
export function randomHex(bytes: number): string {
  if (bytes > WHOLE) throw new RangeError(`${bytes} random bytes at once`);
  const random = Buffer.alloc(bytes);
  check(libc.getrandom(random, bytes, 0), 'getrandom');
  return random.toString('hex');
}

import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { Failure } from '../failure.ts';
import { untrusted } from './trusted-place.ts';

const OTHERS = 0o077;
const LARGEST = 64 * 1024;
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** The text of a file that holds a secret. Throws `invalid_settings` where others than root could read or change it. */
export function readPrivateFile(file: string): string {
  return withPrivateFile(file, (descriptor) => {
    if (fstatSync(descriptor).size > LARGEST) throw refuse(file, 'is too large for a key or an address');
    return readFileSync(descriptor, 'utf8').trim();
  });
}

/** Throws as `readPrivateFile` where another program is going to read such a file. One that is missing is for that program to say. */
export function checkPrivateFile(file: string): void {
  if (existsSync(file)) withPrivateFile(file, () => {});
}

function refuse(file: string, reason: string, cause?: unknown): Failure {
  return new Failure('invalid_settings', `${file} ${reason}`, {
    affected: [file],
    advice: `chown root: ${file}; chmod 600 ${file}`,
    cause,
  });
}

function withPrivateFile<T>(file: string, use: (descriptor: number) => T): T {
  let descriptor: number;
  try {
    const weak = untrusted(file);
    if (weak !== undefined) throw refuse(file, `could be changed by others: ${weak.place}: ${weak.reason}`);
    descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    throw error instanceof Failure ? error : refuse(file, `cannot be read: ${(error as Error).message}`, error);
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw refuse(file, 'is no file');
    if ((status.mode & OTHERS) !== 0) throw refuse(file, 'can be read by others');
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

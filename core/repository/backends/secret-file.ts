import { statSync } from 'node:fs';
import { untrusted } from '../../config/trusted-place.ts';
import { Failure } from '../../failure.ts';
import { errorCode } from '../../linux/system-error.ts';

const OTHERS_MAY_READ = 0o077;

/** A file with a secret is root's alone, and nobody can put another in its place. */
export function checkSecret(file: string): void {
  try {
    const status = statSync(file);
    if (!status.isFile()) throw unusableSecret(file, 'is no regular file');
    if ((status.mode & OTHERS_MAY_READ) !== 0) throw unusableSecret(file, 'can be read by others than its owner', `chmod 600 ${file}`);
    const weak = untrusted(file);
    if (weak !== undefined)
      throw unusableSecret(
        file,
        `could be changed by others: ${weak.place}: ${weak.reason}`,
        'Make root its owner and that of the folders above.',
      );
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw unusableSecret(file, errorCode(error) === 'ENOENT' ? 'is not there' : `cannot be read: ${(error as Error).message}`);
  }
}

/** What is wrong with a file that has a key. */
export function unusableSecret(file: string, problem: string, advice = 'Correct it, or name another file in the settings.'): Failure {
  return new Failure('invalid_settings', `the file ${file}, which has the key of the repository, ${problem}`, { affected: [file], advice });
}

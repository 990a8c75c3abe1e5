import { asFailure, Failure } from '../../failure.ts';
import { errorCode } from '../../linux/system-error.ts';

/** What a refused system call means for an object: a link or a file in the place of a folder is damage, the rest passes. */
export function localFailure(name: string, error: unknown): Failure {
  const code = errorCode(error);
  if (code === 'ELOOP' || code === 'ENOTDIR' || code === 'EISDIR') {
    const message = `something else stands in the place of ${name} or of a folder on the way to it`;
    return new Failure('repository_damaged', message, { affected: [name], cause: error });
  }
  return asFailure(error);
}

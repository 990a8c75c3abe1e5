import { Failure } from '../failure.ts';

/** What is thrown for a tar archive that is not exactly as packs are written. */
export function damagedTar(message: string): Failure {
  return new Failure('repository_damaged', `damaged tar archive: ${message}`);
}

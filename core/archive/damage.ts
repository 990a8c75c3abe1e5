import { Failure } from '../failure.ts';

/** What is thrown for a tar archive that is not exactly as packs are written. */
export function damagedTar(message: string): Failure {
  return new Failure('repository_damaged', `damaged tar archive: ${message}`);
}

/** For a pack whose frames are not where its seek table says, or which has no such table. */
export function damagedPack(message: string): Failure {
  return new Failure('repository_damaged', `damaged pack: ${message}`);
}

/** For a frame that does not decompress to what was put into it. */
export function damagedFrame(message: string, cause?: unknown): Failure {
  return new Failure('repository_damaged', message, { cause });
}

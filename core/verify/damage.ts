import { Failure } from '../failure.ts';

/** For content, or a pack, that is not what was stored. */
export function damagedContent(message: string): Failure {
  return new Failure('repository_damaged', message);
}

/** For a manifest that does not agree with its record. */
export function damagedManifest(message: string): Failure {
  return new Failure('repository_damaged', `damaged manifest: ${message}`);
}

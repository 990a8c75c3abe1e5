import { Failure } from '../../failure.ts';

/** The failure for a manifest that cannot have been written like this; `what` says which part is wrong. */
export function damaged(what: string, cause?: unknown): Failure {
  return new Failure('repository_damaged', `manifest: ${what}`, cause === undefined ? {} : { cause });
}

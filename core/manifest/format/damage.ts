import { asFailure, Failure } from '../../failure.ts';

/** The failure for a manifest that cannot have been written like this; `what` says which part is wrong. */
export function damaged(what: string, cause?: unknown): Failure {
  return new Failure('repository_damaged', `manifest: ${what}`, cause === undefined ? {} : { cause });
}

/**
 * What was thrown, as a failure that names the manifest that it is about and its snapshot. `path` is the manifest's in the repository. A
 * defect stays what it is.
 */
export function namedDamage(thrown: unknown, path: string | undefined): Failure {
  const failure = asFailure(thrown);
  if (failure.code === 'internal') throw thrown;
  if (path === undefined || failure.affected.includes(path)) return failure;
  const snapshot = snapshotOf(path);
  const message = failure.message.replace(/^manifest: /, '');
  return new Failure(failure.code, `the manifest of the snapshot ${snapshot}: ${message}`, {
    affected: [snapshot, path],
    retry: failure.retry,
    cause: thrown,
    ...(failure.code === 'repository_damaged'
      ? { advice: 'See with `verify` what is damaged; another snapshot may have what is needed.' }
      : {}),
  });
}

/** Manifests are called after their snapshots. */
function snapshotOf(path: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.slice(0, file.indexOf('.') < 0 ? file.length : file.indexOf('.'));
}

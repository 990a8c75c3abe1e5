import { asFailure, Failure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import { repositoryDocument } from './documents.ts';
import type { RepositoryIdentity } from './identity.ts';
import { newRepositoryId } from './ids.ts';
import { REPOSITORY_FILE } from './layout.ts';
import { FORMAT_VERSION } from './record.ts';
import { readUnjudged, writeUnsigned } from './stored-document.ts';

const FOREIGN_ADVICE = 'Name another place in the setting `repository`; nothing was changed here.';

/**
 * What kind of repository stands there. Throws `repository_missing` for nothing or an empty place, `repository_foreign` for
 * something else, `repository_newer` for one of a newer format.
 */
export async function readRepositoryIdentity(backend: Backend): Promise<RepositoryIdentity> {
  // A distant place is asked for what is missing there when something is.
  if (backend.isDistant !== true) await requireContents(backend);
  try {
    return (await readUnjudged(backend, repositoryDocument, REPOSITORY_FILE)).value;
  } catch (error) {
    const failure = asFailure(error);
    if (!['repository_damaged', 'repository_missing'].includes(failure.code)) throw failure;
    await requireContents(backend);
    throw new Failure('repository_foreign', `${backend.description} holds something other than a repository: ${failure.message}`, {
      affected: [backend.description],
      advice: FOREIGN_ADVICE,
      cause: failure,
    });
  }
}

async function requireContents(backend: Backend): Promise<void> {
  const occupation = await backend.inspect();
  if (occupation === 'occupied') return;
  const what = occupation === 'absent' ? 'there is nothing at' : 'there is no repository in';
  throw new Failure('repository_missing', `${what} ${backend.description}`, {
    affected: [backend.description],
    advice: 'Make the repository with `apiscp-backup init`, or mount the file system that it is on.',
  });
}

/** Makes a place for a copy of a repository, or finds what stands there; `identify` says which one that is. */
export async function copyIdentity(
  backend: Backend,
  identity: RepositoryIdentity,
  identify: (backend: Backend) => Promise<RepositoryIdentity> = readRepositoryIdentity,
): Promise<{ identity: RepositoryIdentity; created: boolean }> {
  if ((await backend.inspect()) === 'occupied') return { identity: await identify(backend), created: false };
  await backend.prepare();
  return (await writeIdentity(backend, identity)) ? { identity, created: true } : { identity: await identify(backend), created: false };
}

/** Whether this made it: somebody else may have made it in the same moment. */
async function writeIdentity(backend: Backend, identity: RepositoryIdentity): Promise<boolean> {
  try {
    await writeUnsigned(backend, repositoryDocument, REPOSITORY_FILE, identity);
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === 'object_exists') return false;
    throw error;
  }
}

/**
 * Makes a repository, or finds the one that is there. Never touches a place that holds something else. With `recipients`, which may be none, a server that is
 * told nothing else does not write plain objects there. `identify` says which one is there.
 */
export async function initRepository(
  backend: Backend,
  recipients?: readonly string[],
  identify: (backend: Backend) => Promise<RepositoryIdentity> = readRepositoryIdentity,
): Promise<{ identity: RepositoryIdentity; created: boolean }> {
  if ((await backend.inspect()) === 'occupied') return { identity: await identify(backend), created: false };
  await backend.prepare();
  // Once more: in a folder that everybody may write to somebody else may have made what was missing.
  if ((await backend.inspect()) === 'occupied') return { identity: await identify(backend), created: false };
  const head = { formatVersion: FORMAT_VERSION, id: newRepositoryId(), created: new Date().toISOString() };
  const identity = recipients === undefined ? head : { ...head, recipients };
  return (await writeIdentity(backend, identity)) ? { identity, created: true } : { identity: await identify(backend), created: false };
}

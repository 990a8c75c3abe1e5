import { asFailure, Failure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import type { IdentityProblem, RepositoryIdentity } from './identity.ts';
import { knownAt } from './known-places.ts';
import { REPOSITORY_FILE } from './layout.ts';
import { hasServers, saidRepositories, toldIdentity } from './lost-identity.ts';
import { readRepositoryIdentity } from './place.ts';
import { keptIdentity } from './repository-file.ts';

/** Where a machine remembers which repository stands at a place. */
export interface KnownPlace {
  readonly stateDirectory: string;
  /** The setting `repository`. */
  readonly location: string;
}

export interface Identified {
  readonly identity: RepositoryIdentity;
  /** Undefined when `repository.json` is as it should be. */
  readonly problem?: IdentityProblem;
}

/**
 * Which repository stands at a place, also when its `repository.json` is damaged or missing: then the servers' objects say it, of which each names its
 * repository. This machine keeps what it read of the file once; a repository of another id than it remembers is never taken for that. Throws as
 * `readRepositoryIdentity`: `repository_foreign` where no server has stored anything either.
 */
export async function identifyRepository(backend: Backend, known?: KnownPlace): Promise<Identified> {
  const expected = known === undefined ? undefined : knownAt(known.stateDirectory, known.location);
  let stored: RepositoryIdentity;
  try {
    stored = await readRepositoryIdentity(backend);
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code === 'repository_missing' && expected !== undefined) throw gone(failure, expected);
    if (failure.code === 'repository_newer') return identifiedNewer(backend, failure, known, expected);
    const damage = failure.cause instanceof Failure && failure.cause.code === 'repository_damaged' ? failure.cause : undefined;
    if (damage === undefined) throw failure;
    const id = chosen(await saidRepositories(backend), expected);
    if (id === undefined) throw failure;
    return recovered(backend, id, known, damage.message);
  }
  if (stored.id === expected) return known === undefined ? { identity: stored } : compared(stored, known);
  const said = await saidRepositories(backend, stored.id);
  // Another repository than expected is refused elsewhere.
  if (said.length === 0 || said.includes(stored.id) || (expected !== undefined && !said.includes(expected))) return { identity: stored };
  const id = chosen(said, expected) as string;
  return recovered(backend, id, known, `${REPOSITORY_FILE} says that this is the repository ${stored.id}, and no object there does`);
}

/** Nothing is where this machine had a repository: rather a disk that is not mounted than a wish for another one. */
function gone({ code, message, affected }: Failure, expected: string): Failure {
  return new Failure(code, `${message}, where the repository ${expected} was`, {
    affected,
    advice: 'Mount the file system that it is on. `apiscp-backup init` would begin another one there, without a single backup.',
  });
}

/**
 * The repository whose `repository.json` says a newer version. That stands there only when no older program can read anything of it (ADR 0018): where one object
 * can be read, or nothing is stored and this machine knew the repository, it is damage. Else nobody can tell, and that is thrown.
 */
async function identifiedNewer(
  backend: Backend,
  { message, affected }: Failure,
  known: KnownPlace | undefined,
  expected: string | undefined,
): Promise<Identified> {
  const id = chosen(await saidRepositories(backend), expected);
  if (id !== undefined) return recovered(backend, id, known, `${message}, and so do the objects there`);
  const isKept = expected !== undefined && known !== undefined && keptIdentity(known.stateDirectory, expected) !== undefined;
  if (isKept && !(await hasServers(backend))) return recovered(backend, expected, known, `${message}, and nothing is stored there`);
  throw new Failure('repository_newer', `${message}, and nothing else there can be read: a newer program wrote it, or it is damaged`, {
    affected,
    advice:
      'Use a newer version of this program. If none was ever used here, put "formatVersion": 1 back into repository.json, or begin at another place.',
  });
}

/** The repository that was expected, or that most servers say; the one that more of them know wins, the first of equal ones. */
function chosen(said: readonly string[], expected: string | undefined): string | undefined {
  if (expected !== undefined && said.includes(expected)) return expected;
  const count = (id: string): number => said.filter((each) => each === id).length;
  return [...new Set(said)].sort((a, b) => count(b) - count(a))[0];
}

async function recovered(backend: Backend, id: string, known: KnownPlace | undefined, what: string): Promise<Identified> {
  const kept = known === undefined ? undefined : keptIdentity(known.stateDirectory, id);
  const identity = kept ?? (await toldIdentity(backend, id));
  const source = kept === undefined ? 'as the objects of its servers say' : 'as this machine remembers';
  const message = `${what}; going on with the repository ${id}, ${source}`;
  const advice = 'The next backup of a server writes it anew, and so does `apiscp-backup repair`.';
  const failure = new Failure('repository_damaged', message, { affected: [REPOSITORY_FILE], advice });
  return { identity, problem: { failure, from: kept === undefined ? 'other-objects' : 'state-directory', isChanged: false } };
}

/** The repository that was expected, which has to say what it said when this machine met it. */
function compared(stored: RepositoryIdentity, { stateDirectory }: KnownPlace): Identified {
  const kept = keptIdentity(stateDirectory, stored.id);
  if (kept === undefined || JSON.stringify(kept) === JSON.stringify(stored)) return { identity: stored };
  const message = `${REPOSITORY_FILE} was changed since this machine met the repository; going on as it was`;
  const advice = '`apiscp-backup repair` writes it as it was.';
  const failure = new Failure('repository_damaged', message, { affected: [REPOSITORY_FILE], advice });
  return { identity: kept, problem: { failure, from: 'state-directory', isChanged: true } };
}

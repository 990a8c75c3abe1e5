import { join } from 'node:path';
import { copyOf } from '../config/copies.ts';
import { recoveryOf } from '../config/recovery.ts';
import type { Settings } from '../config/settings.ts';
import { keepInState } from '../context/keep-state.ts';
import type { Notify } from '../context/notice.ts';
import { asFailure, Failure } from '../failure.ts';
import type { Backend } from './backends/backend.ts';
import { openStore } from './backends/open-store.ts';
import { currentOperation } from './backends/operation.ts';
import { lostServer } from './history/lost-server.ts';
import { identifyRepository } from './identify.ts';
import { keyForWriting } from './keys/current-key.ts';
import { stateIdentities } from './keys/identities.ts';
import type { IdentitySource } from './keys/identity-source.ts';
import type { KeyRecord } from './keys/key-record.ts';
import { lockedProblem } from './keys/locked-identity.ts';
import { ServerKeys } from './keys/server-keys.ts';
import { ChangeCount } from './known/change-count.ts';
import { isDiscardingDue } from './known/discarding.ts';
import { ObjectCache } from './known/object-cache.ts';
import { SurveyedBackend } from './known/surveyed-backend.ts';
import { sourceOfCopy } from './known-copies.ts';
import { rememberPlace, replacedAt } from './known-places.ts';
import { lockedIdentityPath, serverFolder } from './layout.ts';
import { type Place, placeOf } from './opened-place.ts';
import { Repository } from './repository.ts';
import { keepIdentity, mendRepositoryFile } from './repository-file.ts';
import type { LogLink } from './run-record.ts';
import { SAFETY_AGE } from './safety-age.ts';
import { chooseServer, establishKey, establishServer, foundServer } from './server-identity.ts';
import { copyStateFolder, hasStateDirectory, prepareStateDirectory, repositoryStateFolder, useStateDirectory } from './state-directory.ts';

/** Which server's folder is opened, when it is not to be this machine's as it is known. */
export interface ServerChoice {
  /** To read: the name or id of another server. */
  readonly server?: string | undefined;
  /** To write: begin a new one, whoever this machine was before. */
  readonly isNew?: boolean | undefined;
  /** To write: somebody says that the repository at the place is the one that is meant, also when it is another than before. */
  readonly isMeant?: boolean | undefined;
  /** What to read with besides what the state directory has. */
  readonly identity?: IdentitySource | undefined;
  /** Whoever opens it looks after what is damaged, `repository.json` included. */
  readonly isRepair?: boolean | undefined;
  /** Somebody is about to say for whom is encrypted: nothing but that may be written. */
  readonly isUndecided?: boolean | undefined;
}

/** What has to be known of the repository before it is said which server is meant. */
export async function openPlace(settings: Settings, notify: Notify): Promise<Place> {
  return (await openPlaces(settings, notify))(notify);
}

/**
 * The same for whoever looks at many servers: each place that the result gives knows what was listed of it for itself, so that nothing is
 * remembered of a server that was looked at.
 */
export async function openPlaces(settings: Settings, notify: Notify): Promise<(notify: Notify) => Place> {
  const store = await openStore(settings);
  const isPast = settings.s3.asOf !== undefined;
  const { identity: repository, problem } = await identifyRepository(store, {
    stateDirectory: settings.stateDirectory,
    location: settings.repository,
  });
  if (problem !== undefined) {
    const { code, message, affected } = problem.failure;
    notify({ level: 'error', code, message, affected });
  }
  const copy = copyOf(settings);
  const copied = copy === undefined ? undefined : sourceOfCopy(settings.stateDirectory, repository.id);
  const whoFolder = repositoryStateFolder(settings.stateDirectory, copied ?? repository.id);
  const stateFolder = copy === undefined ? whoFolder : copyStateFolder(whoFolder, copy);
  const { percent } = recoveryOf(settings);
  const recovery = percent === 0 ? undefined : percent;
  return (toTell) => {
    const backend = store.isDistant === true ? surveyed(store, stateFolder, isPast) : store;
    return placeOf({ backend, repository, problem, stateFolder, whoFolder, notify: toTell, recovery });
  };
}

/** A distant place, of which is kept what was read where there is a state directory; whoever checks it reads all from the place itself. */
function surveyed(store: Backend, stateFolder: string, isPast: boolean): Backend {
  // What was kept of a place may be what somebody put there since.
  const isKept = !isPast && currentOperation()?.isChecking !== true && hasStateDirectory(stateFolder);
  return new SurveyedBackend(store, new ChangeCount(stateFolder), isKept ? new ObjectCache(join(stateFolder, 'cache')) : undefined);
}

/**
 * Opens the repository that the settings name. To write, this machine's id is looked up or begun, and kept in the state
 * directory, and what killed writers left unfinished is removed; to read, nothing is changed anywhere. Throws `repository_missing`,
 * `repository_foreign`, `repository_newer`, `repository_replaced`, `server_unknown`, `server_contested`,
 * `identity_missing`.
 */
export async function openRepository(
  settings: Settings,
  purpose: 'read' | 'write' | 'free',
  notify: Notify,
  choice: ServerChoice = {},
): Promise<Repository> {
  const place = await openPlace(settings, notify);
  const { backend } = place;
  const replaced = replacedAt(settings.stateDirectory, settings.repository, place.repository.id);
  if (purpose === 'read') {
    if (replaced !== undefined) notify({ level: 'error', code: replaced.code, message: replaced.message, affected: replaced.affected });
    const lost = choice.server === undefined ? await lostServer(place) : undefined;
    const { server, isOwn } = await chooseServer(place, choice.server);
    return missing(lost, new Repository(place, server, isOwn, new ServerKeys(place, server, { source: choice.identity })));
  }
  if (replaced !== undefined && choice.isMeant !== true) throw replaced;
  if (purpose === 'write') prepareStateDirectory(settings.stateDirectory);
  else useStateDirectory(settings.stateDirectory, notify);
  keepPlace(settings, place);
  const isDue = backend.isDistant !== true || isDiscardingDue(place.stateFolder);
  if (isDue) await backend.discardAbandoned(Date.now() - SAFETY_AGE);
  const lost = choice.isNew === true ? undefined : await lostServer(place);
  const { server } = await (choice.isNew === true ? foundServer(place) : establishServer(place));
  if (isDue) await backend.discardUnfinished(serverFolder(server));
  await (purpose === 'write' ? establishKey(place, server) : tryToEstablishKey(place, server));
  const current = purpose === 'write' && choice.isUndecided !== true ? await keyForWriting(place, server) : undefined;
  if (current !== undefined) await checkIdentities(place, server, current);
  if (place.problem?.isChanged === false && choice.isRepair !== true) await mendRepositoryFile(place);
  const isWriting = purpose === 'write';
  return missing(lost, new Repository(place, server, true, new ServerKeys(place, server, { source: choice.identity, current, isWriting })));
}

function missing(lost: LogLink | undefined, repository: Repository): Repository {
  if (lost !== undefined) repository.runs.missFrom(lost);
  return repository;
}

/** What cannot be kept is not noticed when it changes. */
function keepPlace({ stateDirectory, repository }: Settings, place: Place): void {
  const { notify, problem } = place;
  keepInState(stateDirectory, notify, () => {
    rememberPlace(stateDirectory, repository, place.repository.id);
    if (problem === undefined) keepIdentity(stateDirectory, place.repository);
  });
}

/** What makes room writes little, and can do without. */
async function tryToEstablishKey(place: Place, server: string): Promise<void> {
  try {
    await establishKey(place, server);
  } catch (error) {
    const message = `there is no key to sign with: ${asFailure(error).message}`;
    place.notify({ level: 'warning', code: 'state_unusable', message, affected: [place.stateFolder] });
  }
}

/**
 * Whether the identities are there that the key record relies on. One that is lost is said; where nobody else could read what would be written, nothing is:
 * `identity_missing`.
 */
async function checkIdentities(place: Place, server: string, key: KeyRecord): Promise<void> {
  const lost = await lostIdentities(place, server, key);
  if (lost.size > 0 && key.recipients.every((recipient) => lost.has(recipient))) {
    const message = `nobody could read what would be written: ${[...lost.values()].join('; ')}`;
    throw new Failure('identity_missing', message, { affected: [...lost.keys()] });
  }
  for (const [recipient, message] of lost) place.notify({ level: 'warning', code: 'identity_missing', message, affected: [recipient] });
}

/** The identities that the key record relies on and that are not where they should be: what to do, by the recipient. */
export async function lostIdentities({ backend, stateFolder }: Place, server: string, key: KeyRecord): Promise<Map<string, string>> {
  const lost = new Map<string, string>();
  const { serverRecipient, passphraseRecipient, lockedSha256 } = key;
  if (serverRecipient !== null && !(await stateIdentities(stateFolder)).some(({ recipient }) => recipient === serverRecipient)) {
    const advice = '`apiscp-backup keys --server-can-read` makes a new one';
    lost.set(
      serverRecipient,
      `the state directory has no identity for ${serverRecipient} any more, so this server cannot read its backups; ${advice}`,
    );
  }
  if (passphraseRecipient !== null) {
    const name = `${serverFolder(server)}/${lockedIdentityPath(passphraseRecipient)}`;
    const advice = 'put a copy back, or say a new one: `apiscp-backup keys --passphrase-file FILE`';
    const problem = await lockedProblem(backend, name, lockedSha256);
    if (problem !== undefined) lost.set(passphraseRecipient, `${problem}; ${advice}`);
  }
  return lost;
}

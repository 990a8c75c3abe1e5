import { copyNamed, settingsOfCopy } from '../config/copies.ts';
import type { Settings } from '../config/settings.ts';
import { Failure } from '../failure.ts';
import type { Backend } from '../repository/backends/backend.ts';
import { openStore } from '../repository/backends/open-store.ts';
import { identifyRepository, type KnownPlace } from '../repository/identify.ts';
import type { RepositoryIdentity } from '../repository/identity.ts';
import { newRepositoryId } from '../repository/ids.ts';
import { letGoOfServer } from '../repository/kept-objects.ts';
import { ServerKeys } from '../repository/keys/server-keys.ts';
import { kindOfCopyPlace, rememberCopy, sourceOfCopy } from '../repository/known-copies.ts';
import { knownAt, rememberPlace, replacedAt } from '../repository/known-places.ts';
import { openPlace } from '../repository/open-repository.ts';
import type { Place } from '../repository/opened-place.ts';
import { copyIdentity } from '../repository/place.ts';
import { FORMAT_VERSION } from '../repository/record.ts';
import { Repository } from '../repository/repository.ts';
import { keepIdentity, keptIdentity, mendRepositoryFile } from '../repository/repository-file.ts';
import { refuseSharedPlace } from '../targets/own-places.ts';
import { bringServer } from './bring-server.ts';
import { checkRecipientsOf, keyOfCopy } from './copy-keys.ts';
import { putBackKept } from './put-back.ts';

/**
 * The same server's folder at the place of a copy, which is made when there is nothing yet. A copy for recipients of its own is another repository. Throws
 * `repository_foreign` when something else stands there, `repository_replaced` when it is another than before,
 * `invalid_settings` when it is no place of its own, and what keeps a copy from having such recipients.
 */
export async function openCopy(name: string, settings: Settings, source: Repository): Promise<Repository> {
  const { recipients } = copyNamed(name, settings);
  if (recipients !== undefined) await checkRecipientsOf(name, recipients, source);
  const ofCopy = settingsOfCopy(name, settings);
  refuseSharedPlace(ofCopy.repository, settings.repository);
  const store = await openStore(ofCopy);
  const known = { stateDirectory: settings.stateDirectory, location: ofCopy.repository };
  const identify = async (backend: Backend): Promise<RepositoryIdentity> => (await identifyRepository(backend, known)).identity;
  const wanted = recipients === undefined ? source.identity : identityOfCopy(known, source, recipients);
  const { identity: found, created } = await copyIdentity(store, wanted, identify);
  const replaced = created ? undefined : replacedAt(settings.stateDirectory, ofCopy.repository, found.id);
  if (replaced !== undefined) throw replaced;
  const foreign = await copyProblem(name, settings, source, { backend: store, repository: found });
  if (foreign !== undefined) throw foreign;
  if (recipients !== undefined) {
    rememberCopy(settings.stateDirectory, found.id, source.identity.id);
    keepIdentity(settings.stateDirectory, found);
  }
  rememberPlace(settings.stateDirectory, ofCopy.repository, found.id);
  const place = await openPlace(ofCopy, source.notify);
  if (place.problem?.isChanged === false) await mendRepositoryFile(place);
  // What the copy said of itself went with its place.
  if (created) letGoOfServer(place.stateFolder, source.server);
  if (recipients === undefined) {
    await putBackKept(place, source.server);
    return new Repository(place, source.server, true, new ServerKeys(place, source.server));
  }
  return sealedTarget(source, place, recipients);
}

/** What the repository at an empty place is going to be: where the copy was lost with its place, the one that was there. */
function identityOfCopy({ stateDirectory, location }: KnownPlace, source: Repository, recipients: readonly string[]): RepositoryIdentity {
  const known = knownAt(stateDirectory, location);
  const lost = known !== undefined && sourceOfCopy(stateDirectory, known) === source.identity.id ? known : undefined;
  const kept = lost === undefined ? undefined : keptIdentity(stateDirectory, lost);
  return kept ?? { formatVersion: FORMAT_VERSION, id: lost ?? newRepositoryId(), created: new Date().toISOString(), recipients };
}

/** The server's folder at the place of a copy that is a repository of its own, with the key by which it is written from now on. */
export async function sealedTarget(source: Repository, place: Place, recipients: readonly string[]): Promise<Repository> {
  // Recovery data would have to be made of what was stored, by reading it from there.
  const { recovery: _, ...bare } = place;
  await bringServer(source, new Repository(bare, source.server));
  await putBackKept(bare, source.server);
  const current = await keyOfCopy(bare, source.server, recipients);
  return new Repository(bare, source.server, true, new ServerKeys(bare, source.server, { current }));
}

/** Why what stands at the place is no copy of the repository as the settings want it; undefined: it is one, or can become one. */
export async function copyProblem(
  name: string,
  settings: Settings,
  source: Repository,
  { backend, repository }: { readonly backend: Backend; readonly repository: RepositoryIdentity },
): Promise<Failure | undefined> {
  const wantsOwn = copyNamed(name, settings).recipients !== undefined;
  const foreign = (what: string): Failure =>
    new Failure('repository_foreign', `${backend.description} holds ${what}`, {
      affected: [backend.description],
      advice: 'Name an empty place for the copy; nothing was changed here.',
    });
  if (repository.id === source.identity.id) {
    return wantsOwn ? foreign('a copy in the bytes of the repository, and the setting has recipients of its own for it') : undefined;
  }
  const isKnown = sourceOfCopy(settings.stateDirectory, repository.id) === source.identity.id;
  const kind = isKnown ? 'ours' : await kindOfCopyPlace(backend, source.server, source.identity.id);
  if (wantsOwn) return kind === 'foreign' ? foreign(`another repository, ${repository.id}, and no copy of this one`) : undefined;
  return kind === 'ours'
    ? foreign('a copy that is encrypted for recipients of its own, and the setting `copies` names none: it would be in other bytes')
    : foreign(`another repository, ${repository.id}, and no copy of this one`);
}

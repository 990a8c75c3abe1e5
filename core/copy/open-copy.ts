import { settingsOfCopy } from '../config/copies.ts';
import type { Settings } from '../config/settings.ts';
import { Failure } from '../failure.ts';
import { openStore } from '../repository/backends/open-store.ts';
import { identifyRepository } from '../repository/identify.ts';
import { ServerKeys } from '../repository/keys/server-keys.ts';
import { rememberPlace, replacedAt } from '../repository/known-places.ts';
import { openPlace } from '../repository/open-repository.ts';
import { copyIdentity } from '../repository/place.ts';
import { Repository } from '../repository/repository.ts';
import { refuseSharedPlace } from '../targets/own-places.ts';

/**
 * The same server's folder at the place of a copy, which is made when there is nothing yet. Throws `repository_foreign` when another repository stands
 * there, `repository_replaced` when it is another than before, `invalid_settings` when it is no place of its own.
 */
export async function openCopy(name: string, settings: Settings, source: Repository): Promise<Repository> {
  const ofCopy = settingsOfCopy(name, settings);
  refuseSharedPlace(ofCopy.repository, settings.repository);
  const store = await openStore(ofCopy);
  const known = { stateDirectory: settings.stateDirectory, location: ofCopy.repository };
  const found = await copyIdentity(store, source.identity, async (backend) => (await identifyRepository(backend, known)).identity);
  const replaced = replacedAt(settings.stateDirectory, ofCopy.repository, found.id);
  if (replaced !== undefined) throw replaced;
  if (found.id !== source.identity.id) {
    throw new Failure('repository_foreign', `${store.description} holds another repository, ${found.id}, and no copy of this one`, {
      affected: [store.description],
      advice: 'Name an empty place for the copy; nothing was changed here.',
    });
  }
  rememberPlace(settings.stateDirectory, ofCopy.repository, found.id);
  const place = await openPlace(ofCopy, source.notify);
  return new Repository(place, source.server, true, new ServerKeys(place, source.server));
}

import type { Context } from '../context/context.ts';
import { checkRecipient } from '../crypto/recipient.ts';
import { Failure } from '../failure.ts';
import { changeKeys } from '../repository/keys/change-keys.ts';
import { decidedKey, keyForWriting } from '../repository/keys/current-key.ts';
import { readPassphrase } from '../repository/keys/identity-source.ts';
import { type KeyRecord, keysOf } from '../repository/keys/key-record.ts';
import { openPlace, openRepository } from '../repository/open-repository.ts';
import { initRepository, openBackend } from '../repository/place.ts';
import type { Repository } from '../repository/repository.ts';
import type { Place } from '../repository/server-identity.ts';
import type { InitRequest, InitResult } from '../schemas/init.ts';

/** Makes the repository that the settings name, or finds it, gives this server its folder there, and says for whom it encrypts. */
export async function init(request: InitRequest, context: Context): Promise<InitResult> {
  const { settings, reporter } = context;
  const { recipients = [], passphraseFile, serverCanRead = false } = request;
  const isEncrypted = recipients.length > 0 || passphraseFile !== undefined || serverCanRead;
  // All that can be wrong with the choice is said before anything is made.
  for (const recipient of recipients) await checkRecipient(recipient);
  if (serverCanRead && recipients.length === 0 && passphraseFile === undefined) {
    throw new Failure('usage', 'what this server alone could read would be lost with it: give a recipient or a passphrase, too');
  }
  const passphrase = passphraseFile === undefined ? undefined : readPassphrase(passphraseFile, { input: context.standardInput });
  const { created } = await initRepository(openBackend(settings.repository), isEncrypted ? recipients : undefined);
  const notify = (notice: Parameters<typeof reporter.log>[0]) => reporter.log(notice);
  const repository = await openRepository(settings, 'write', notify, { isNew: request.newServer, isUndecided: true });
  const place = await openPlace(settings, notify);
  let key: KeyRecord | undefined;
  if (isEncrypted) {
    await requireUndecided(repository, place);
    key = await changeKeys(place, repository.server, { recipients, serverCanRead, passphrase }, undefined);
  } else key = await keyForWriting(place, repository.server);
  return {
    status: 'ok',
    repository: settings.repository,
    id: repository.identity.id,
    server: repository.server,
    created,
    keys: keysOf(key),
  };
}

/** A server that has written something already changes its keys knowingly, by the command that is for that. */
async function requireUndecided(repository: Repository, place: Place): Promise<void> {
  const { server } = repository;
  if ((await decidedKey(place, server)) === undefined && (await repository.units.ids()).length === 0) return;
  throw new Failure('usage', 'this server writes to this repository already, and nothing was changed', {
    affected: [server],
    advice: 'For whom it encrypts from now on says `apiscp-backup keys`; what is stored already stays as it is.',
  });
}

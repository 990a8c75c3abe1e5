import type { Context } from '../context/context.ts';
import type { Notify } from '../context/notice.ts';
import { fingerprintOf } from '../crypto/ed25519.ts';
import { checkRecipient } from '../crypto/recipient.ts';
import { asFailure, Failure } from '../failure.ts';
import type { Backend } from '../repository/backends/backend.ts';
import { openStore } from '../repository/backends/open-store.ts';
import { identifyRepository } from '../repository/identify.ts';
import { changeKeys, type KeyChoice } from '../repository/keys/change-keys.ts';
import { decidedKey, keyForWriting } from '../repository/keys/current-key.ts';
import { readPassphrase } from '../repository/keys/identity-source.ts';
import { type KeyRecord, keysOf } from '../repository/keys/key-record.ts';
import { SERVER_FILE } from '../repository/layout.ts';
import { openPlace, openRepository } from '../repository/open-repository.ts';
import type { Place } from '../repository/opened-place.ts';
import { initRepository } from '../repository/place.ts';
import type { Repository } from '../repository/repository.ts';
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
  const known = { stateDirectory: settings.stateDirectory, location: settings.repository };
  const store = await openStore(settings);
  // A place that is to be made is looked at when it was.
  if (store.locks !== undefined && (await store.inspect()) !== 'absent') await store.locks.check();
  const { created } = await initRepository(
    store,
    isEncrypted ? recipients : undefined,
    async (backend) => (await identifyRepository(backend, known)).identity,
  );
  const notify = (notice: Parameters<typeof reporter.log>[0]) => reporter.log(notice);
  const repository = await openRepository(settings, 'write', notify, { isNew: request.newServer, isUndecided: true, isMeant: true });
  const place = await openPlace(settings, notify);
  let key: KeyRecord | undefined;
  if (isEncrypted) {
    const choice = { recipients, serverCanRead, passphrase };
    key = await changeKeys(place, repository.server, choice, await undecidedKey(repository, place, choice));
  } else key = await keyForWriting(place, repository.server);
  return {
    status: 'ok',
    repository: settings.repository,
    id: repository.identity.id,
    server: repository.server,
    created,
    keys: keysOf(key),
    fingerprint: fingerprintOf(repository.signatures.makeOwnKey(repository.server).publicKey),
    lacks: await lacksOf(store, repository.nameOf(SERVER_FILE), notify),
  };
}

/** What the place lacks. That it cannot be told is no reason against a repository that is there. */
async function lacksOf(store: Backend, name: string, notify: Notify): Promise<InitResult['lacks']> {
  try {
    return [...((await store.lacking?.(name)) ?? [])];
  } catch (error) {
    const { code, message } = asFailure(error);
    if (code === 'cancelled') throw error;
    notify({ level: 'warning', code, message: `what the place lacks cannot be told: ${message}`, affected: [store.description] });
    return [];
  }
}

/**
 * What was decided by an `init` that was stopped before it could say so, and is said once more. A server that has written something already
 * changes its keys knowingly, by the command that is for that.
 */
async function undecidedKey(repository: Repository, place: Place, choice: KeyChoice): Promise<KeyRecord | undefined> {
  const { server } = repository;
  const decided = await decidedKey(place, server);
  const isNew = (await repository.units.ids()).length === 0;
  if (isNew && (decided === undefined || (decided !== null && isSameChoice(decided, choice)))) return decided;
  throw new Failure('usage', 'this server writes to this repository already, and nothing was changed', {
    affected: [server],
    advice: 'For whom it encrypts from now on says `apiscp-backup keys`; what is stored already stays as it is.',
  });
}

function isSameChoice({ recipients, serverRecipient, passphraseRecipient }: KeyRecord, choice: KeyChoice): boolean {
  const own = new Set([serverRecipient, passphraseRecipient]);
  const others = new Set(recipients.filter((recipient) => !own.has(recipient)));
  const isSame = others.symmetricDifference(new Set(choice.recipients)).size === 0;
  return (
    isSame && (serverRecipient !== null) === choice.serverCanRead && (passphraseRecipient !== null) === (choice.passphrase !== undefined)
  );
}

import { checkRecipient } from '../crypto/recipient.ts';
import { asFailure, Failure } from '../failure.ts';
import { keepObject } from '../repository/kept-objects.ts';
import { decidedKey, decideKey } from '../repository/keys/current-key.ts';
import { type KeyRecord, keysOf } from '../repository/keys/key-record.ts';
import { keyIds, readKey } from '../repository/keys/key-records.ts';
import { pinKey, readPinnedKey } from '../repository/keys/key-state.ts';
import { keyPath, serverFolder } from '../repository/layout.ts';
import type { Place } from '../repository/opened-place.ts';
import type { Repository } from '../repository/repository.ts';

/** Throws `usage` for one that is none, and `identity_missing` where this server cannot read what it would have to encrypt once more. */
export async function checkRecipientsOf(name: string, recipients: readonly string[], source: Repository): Promise<void> {
  for (const recipient of recipients) await checkRecipient(recipient);
  const key = (await decidedKey(source.place, source.server)) ?? undefined;
  if (keysOf(key).mode === 'write-only') {
    const message = `the copy ${name} has recipients of its own, and this server only writes: it cannot read what would have to be encrypted for them`;
    throw new Failure('identity_missing', message, {
      affected: [name],
      advice: 'Leave `recipients` of the copy out, at another place; or have the server read: `apiscp-backup keys --server-can-read`.',
    });
  }
  if (source.signatures.ownKey(source.server) !== undefined) return;
  throw new Failure('usage', 'this server has signed nothing yet, and a copy for recipients of its own has to be signed', {
    affected: [name],
    advice: 'The next backup makes the key: `apiscp-backup run`.',
  });
}

/** The key record by which a copy is written: the newest that there is, or another from now on, where the settings name other recipients. */
export async function keyOfCopy(place: Place, server: string, recipients: readonly string[]): Promise<KeyRecord> {
  const newest = (await keyIds(place.backend, server)).at(-1);
  const pinned = readPinnedKey(place.stateFolder, server) ?? undefined;
  const known = pinned ?? (await readUsable(place, server, newest));
  if (known === undefined || known.id !== newest || !isFor(known, recipients)) {
    return decideKey(place, server, { recipients, serverRecipient: null, passphraseRecipient: null });
  }
  if (pinned === undefined) await remember(place, server, known);
  return known;
}

/** The state directory was lost. */
async function remember(place: Place, server: string, key: KeyRecord): Promise<void> {
  pinKey(place.stateFolder, server, key, place.notify);
  const name = `${serverFolder(server)}/${keyPath(key.id)}`;
  keepObject(place.stateFolder, name, await place.backend.read(name));
}

async function readUsable(place: Place, server: string, id: string | undefined): Promise<KeyRecord | undefined> {
  if (id === undefined) return undefined;
  try {
    return await readKey(place, server, id);
  } catch (error) {
    if (asFailure(error).code !== 'repository_damaged') throw error;
    return undefined;
  }
}

function isFor({ recipients }: KeyRecord, wanted: readonly string[]): boolean {
  return new Set(recipients).symmetricDifference(new Set(wanted)).size === 0;
}

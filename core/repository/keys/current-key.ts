import { asFailure, Failure } from '../../failure.ts';
import { newestTimedId } from '../ids.ts';
import { keyPath, serverFolder } from '../layout.ts';
import type { Place } from '../opened-place.ts';
import { FORMAT_VERSION } from '../record.ts';
import type { KeyRecord } from './key-record.ts';
import { keyIds, readKey, writeKey } from './key-records.ts';
import { keepPinnedKey, pinKey, readPinnedKey } from './key-state.ts';
import { newestReferencedKey } from './referenced-key.ts';

/**
 * By what a server encrypts: as its state remembers, or else as the newest of its key records says; null for plain, undefined when nothing was decided yet.
 * Throws `repository_damaged` when the record that decides is missing or cannot be used: nothing becomes plain, or readable for somebody who was removed, by damage.
 */
export async function decidedKey(place: Place, server: string): Promise<KeyRecord | null | undefined> {
  const pinned = readPinnedKey(place.stateFolder, server);
  const ids = await keyIds(place.backend, server);
  const newest = ids.at(-1);
  if (pinned !== undefined) {
    tellChange(place, server, pinned, newest);
    return pinned;
  }
  const referenced = await newestReferencedKey(place, server);
  if (referenced !== undefined && (newest === undefined || newest < referenced)) throw keyLost(server, referenced);
  if (newest !== undefined) return readKey(place, server, newest);
  return undefined;
}

function keyLost(server: string, id: string): Failure {
  const name = `${serverFolder(server)}/${keyPath(id)}`;
  return new Failure(
    'repository_damaged',
    `${name} is missing, which says for whom this server encrypts, and the state directory does not know it`,
    {
      affected: [name],
      advice: 'Say it anew: `apiscp-backup keys --recipient age1…`.',
    },
  );
}

/** Whoever can write to the repository must not change for whom this server encrypts. */
function tellChange({ notify }: Place, server: string, pinned: KeyRecord | null, newest: string | undefined): void {
  if (pinned?.id === newest) return;
  const what =
    newest === undefined ? `the key record ${pinned?.id} is missing` : `there is a key record ${newest} that this server did not write`;
  const message = `${what}; going on as this server knows. If somebody meant that: \`apiscp-backup keys\` says it anew`;
  notify({ level: 'warning', code: 'keys_changed', message, affected: [server] });
}

/**
 * The key record by which a server writes; undefined: plain. What was not decided is decided now: as the repository was made, which is plain unless it says
 * otherwise. Throws `usage` where that says that it is encrypted, and not for whom.
 */
export async function keyForWriting(place: Place, server: string): Promise<KeyRecord | undefined> {
  const decided = await decidedKey(place, server);
  if (decided === undefined) return begin(place, server);
  if (readPinnedKey(place.stateFolder, server) === undefined) pinKey(place.stateFolder, server, decided, place.notify);
  return decided ?? undefined;
}

async function begin(place: Place, server: string): Promise<KeyRecord | undefined> {
  const { recipients } = place.repository;
  if (recipients === undefined) {
    pinKey(place.stateFolder, server, null, place.notify);
    return undefined;
  }
  if (recipients.length === 0) {
    throw new Failure('usage', 'this repository is encrypted, and nobody said yet for whom this server encrypts', {
      affected: [server],
      advice: 'Say it: `apiscp-backup init --recipient age1…`, or --passphrase-file FILE.',
    });
  }
  return decideKey(place, server, { recipients, serverRecipient: null, passphraseRecipient: null });
}

/** Says for whom a server encrypts from now on. Whatever opens it must be kept already. Throws where the state cannot be changed to that. */
export async function decideKey(
  place: Place,
  server: string,
  choice: Pick<KeyRecord, 'recipients' | 'serverRecipient' | 'passphraseRecipient' | 'lockedSha256'>,
): Promise<KeyRecord> {
  const now = new Date();
  const id = newestTimedId(now, await keyIds(place.backend, server));
  const head = { formatVersion: FORMAT_VERSION, id, repository: place.repository.id, server };
  const record: KeyRecord = { ...head, ...choice, created: now.toISOString() };
  await writeKey(place, record);
  pinDecided(place, server, record);
  return record;
}

/** Throws where the state goes on saying something else, which would decide: what was not changed must not be called so. */
function pinDecided({ stateFolder, notify }: Place, server: string, record: KeyRecord): void {
  try {
    keepPinnedKey(stateFolder, server, record);
  } catch (error) {
    const pinned = readPinnedKey(stateFolder, server);
    const { code, message, retry } = asFailure(error);
    if (pinned !== undefined && pinned?.id !== record.id) {
      const advice = 'Say it once more when the state directory can be written to.';
      const text = `the state directory still says for whom this server encrypted before, and that counts: ${message}`;
      throw new Failure(code, text, { affected: [stateFolder], advice, retry, cause: error });
    }
    notify({ level: 'warning', code: 'state_unusable', message: `the state cannot be kept: ${message}`, affected: [stateFolder] });
  }
}

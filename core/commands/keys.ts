import type { Context } from '../context/context.ts';
import { asFailure, Failure } from '../failure.ts';
import { changeKeys } from '../repository/keys/change-keys.ts';
import { decidedKey, decideKey } from '../repository/keys/current-key.ts';
import { readPassphrase } from '../repository/keys/identity-source.ts';
import { type KeyRecord, keysOf } from '../repository/keys/key-record.ts';
import { openPlace, openRepository } from '../repository/open-repository.ts';
import type { Place } from '../repository/opened-place.ts';
import type { KeysRequest, KeysResult } from '../schemas/keys.ts';

/** A record that cannot be used is no reason not to be told anew. */
async function keysBefore(place: Place, server: string, isChange: boolean): Promise<KeyRecord | undefined> {
  try {
    return (await decidedKey(place, server)) ?? undefined;
  } catch (error) {
    const { code, message, affected } = asFailure(error);
    if (!isChange || code !== 'repository_damaged') throw error;
    place.notify({ level: 'warning', code, message: `${message}; what it said counts for nothing`, affected });
    return undefined;
  }
}

/** Shows who can read what this server stores, or changes it for what it stores from now on; what is stored already stays as it is. */
export async function keys(request: KeysRequest, context: Context): Promise<KeysResult> {
  const { settings, reporter } = context;
  const isChange = Object.keys(request).length > 0;
  const purpose = isChange ? 'write' : 'read';
  const { server } = await openRepository(settings, purpose, (notice) => reporter.log(notice), { isUndecided: true });
  const place = await openPlace(settings, (notice) => reporter.log(notice));
  const before = await keysBefore(place, server, isChange);
  if (!isChange) return { status: 'ok', changed: false, keys: keysOf(before) };
  if (request.plain === true) {
    if (Object.keys(request).length > 1) throw new Failure('usage', 'plain is encrypted for nobody: it goes with no other choice');
    const record = await decideKey(place, server, { recipients: [], serverRecipient: null, passphraseRecipient: null });
    return { status: 'ok', changed: true, keys: keysOf(record) };
  }
  const removed = request.removeRecipients ?? [];
  const unknown = removed.find((recipient) => before?.recipients.includes(recipient) !== true);
  if (unknown !== undefined) throw new Failure('usage', `${unknown} is no recipient here`, { affected: [unknown] });
  const others = (before?.recipients ?? []).filter((each) => each !== before?.serverRecipient && each !== before?.passphraseRecipient);
  const choice = {
    recipients: [...others, ...(request.recipients ?? [])].filter((recipient) => !removed.includes(recipient)),
    serverCanRead: request.serverCanRead ?? canRead(before, removed),
    passphrase: request.passphraseFile === undefined ? undefined : readPassphrase(request.passphraseFile, { input: context.standardInput }),
  };
  const record = await changeKeys(place, server, choice, withoutPassphrase(request, removed, before));
  return { status: 'ok', changed: true, keys: keysOf(record) };
}

function canRead(before: KeyRecord | undefined, removed: readonly string[]): boolean {
  return before?.serverRecipient != null && !removed.includes(before.serverRecipient);
}

/** What there was, without a passphrase that is to open nothing any more. */
function withoutPassphrase(
  { removePassphrase }: KeysRequest,
  removed: readonly string[],
  before: KeyRecord | undefined,
): KeyRecord | undefined {
  if (before?.passphraseRecipient == null) return before;
  const isRemoved = removePassphrase === true || removed.includes(before.passphraseRecipient);
  return isRemoved ? { ...before, passphraseRecipient: null } : before;
}

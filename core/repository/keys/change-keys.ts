import { createHash } from 'node:crypto';
import { lockIdentity, newIdentity, unlockIdentities } from '../../crypto/identity.ts';
import { checkRecipient } from '../../crypto/recipient.ts';
import { Failure } from '../../failure.ts';
import { lockedIdentityPath, serverFolder } from '../layout.ts';
import type { Place } from '../opened-place.ts';
import { decideKey } from './current-key.ts';
import { keepStateIdentities, stateIdentities } from './identities.ts';
import type { KeyRecord } from './key-record.ts';

/** More would make the header of each object long, and nobody keeps so many keys. */
const RECIPIENT_LIMIT = 20;

/** For whom is to be encrypted from now on. */
export interface KeyChoice {
  /** Whose identities somebody keeps elsewhere. */
  readonly recipients: readonly string[];
  /** Of the server, when it is to have an identity itself. */
  readonly serverCanRead: boolean;
  /** A new passphrase; undefined: the one that there is, if any. */
  readonly passphrase?: string | undefined;
}

/**
 * Changes for whom a server encrypts what it writes from now on. Each identity is kept where it belongs, and was read there again, before anything says that it
 * is encrypted for. Throws `usage` for a choice that nobody could read, or nobody but this machine.
 */
export async function changeKeys(place: Place, server: string, choice: KeyChoice, before: KeyRecord | undefined): Promise<KeyRecord> {
  const recipients = [...new Set(choice.recipients)];
  for (const recipient of recipients) await checkRecipient(recipient);
  const passphraseRecipient = choice.passphrase === undefined ? (before?.passphraseRecipient ?? null) : '';
  if (choice.serverCanRead && recipients.length === 0 && passphraseRecipient === null) throw onlyHere();
  if (!choice.serverCanRead && recipients.length === 0 && passphraseRecipient === null) throw nobody();
  if (recipients.length + 2 > RECIPIENT_LIMIT) throw new Failure('usage', `there can be ${RECIPIENT_LIMIT - 2} recipients at most`);
  const locked = choice.passphrase === undefined ? lockedBefore(before) : await storeLocked(place, server, choice.passphrase);
  const serverRecipient = choice.serverCanRead ? await keepOwn(place, before) : null;
  const all = [
    ...recipients,
    ...(locked === undefined ? [] : [locked.passphraseRecipient]),
    ...(serverRecipient === null ? [] : [serverRecipient]),
  ];
  const record = await decideKey(place, server, { recipients: all, serverRecipient, passphraseRecipient: null, ...locked });
  // A server that only writes must not keep what reads.
  if (serverRecipient === null) await forgetOwn(place);
  return record;
}

function nobody(): Failure {
  return new Failure('usage', 'nobody could read what is encrypted for nobody', {
    advice: 'Give a recipient (--recipient age1…) or a passphrase (--passphrase-file FILE); or say --plain.',
  });
}

function onlyHere(): Failure {
  return new Failure('usage', 'what this server alone could read would be lost with it', {
    advice:
      'Give a recipient whose identity is kept elsewhere, too (--recipient age1…, `age-keygen` makes one), or a passphrase (--passphrase-file FILE).',
  });
}

/** An identity that a passphrase opens, as a key record names it. */
interface LockedIdentity {
  readonly passphraseRecipient: string;
  readonly lockedSha256?: string;
}

function lockedBefore(before: KeyRecord | undefined): LockedIdentity | undefined {
  if (before?.passphraseRecipient == null) return undefined;
  const { passphraseRecipient, lockedSha256 } = before;
  return { passphraseRecipient, ...(lockedSha256 === undefined ? {} : { lockedSha256 }) };
}

/** Puts a new identity that the passphrase opens into the repository. */
async function storeLocked({ backend }: Place, server: string, passphrase: string): Promise<LockedIdentity> {
  const identity = await newIdentity();
  const name = `${serverFolder(server)}/${lockedIdentityPath(identity.recipient)}`;
  const writer = await backend.create(name);
  try {
    await writer.write(await lockIdentity(identity, passphrase));
    await writer.commit();
  } finally {
    await writer.abort();
  }
  const bytes = await backend.read(name);
  const [stored] = await unlockIdentities(bytes, passphrase, name);
  if (stored?.secret === identity.secret)
    return { passphraseRecipient: identity.recipient, lockedSha256: createHash('sha256').update(bytes).digest('hex') };
  throw new Failure('repository_damaged', `${name} is not what was stored`, { affected: [name] });
}

/** The identity that the server has, or a new one beside those by which it reads older backups; returns its recipient. */
async function keepOwn({ stateFolder }: Place, before: KeyRecord | undefined): Promise<string> {
  const identities = await stateIdentities(stateFolder);
  const own = identities.find(({ recipient }) => recipient === before?.serverRecipient);
  if (own !== undefined) return own.recipient;
  const identity = await newIdentity();
  keepStateIdentities(stateFolder, [identity, ...identities]);
  return identity.recipient;
}

async function forgetOwn({ stateFolder }: Place): Promise<void> {
  if ((await stateIdentities(stateFolder)).length > 0) keepStateIdentities(stateFolder, []);
}

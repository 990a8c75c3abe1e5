import { Failure } from '../failure.ts';
import { age } from './age.ts';

/** Who can read what is encrypted to `recipient`. */
export interface Identity {
  /** `AGE-SECRET-KEY-1…`. */
  readonly secret: string;
  /** `age1…`. */
  readonly recipient: string;
}

const ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----';
const MAGIC = 'age-encryption.org/v1\n';

/** What scrypt costs whoever tries passphrases, as the base-2 logarithm: about a second each. That of age itself. */
const WORK = 18;

export async function newIdentity(): Promise<Identity> {
  const { generateX25519Identity } = await age();
  return identityOf(await generateX25519Identity());
}

async function identityOf(secret: string): Promise<Identity> {
  const { identityToRecipient } = await age();
  return { secret, recipient: await identityToRecipient(secret) };
}

/** Whether these are the bytes of an identity file that is itself encrypted with a passphrase. */
export function isLocked(bytes: Buffer): boolean {
  const text = bytes.toString('latin1').trimStart();
  return text.startsWith(MAGIC) || text.startsWith(ARMOR);
}

/**
 * The identities of an identity file as `age-keygen` writes it: one a line, `#` begins a comment. `name` is for messages, in which nothing
 * of the content is said. Throws `identity_wrong` when there is none, or one that this program cannot use.
 */
export async function parseIdentities(text: string, name: string): Promise<Identity[]> {
  const identities: Identity[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const secret = line.trim();
    if (secret === '' || secret.startsWith('#')) continue;
    try {
      if (!/^AGE-SECRET-KEY-1[A-Z0-9]+$/.test(secret)) throw new Error('not an X25519 identity');
      identities.push(await identityOf(secret));
    } catch {
      throw new Failure('identity_wrong', `line ${index + 1} of ${name} is no identity of age (AGE-SECRET-KEY-1…)`, {
        affected: [name],
        advice: 'An identity file is what `age-keygen` writes.',
      });
    }
  }
  if (identities.length === 0) throw new Failure('identity_wrong', `${name} holds no identity of age`, { affected: [name] });
  return identities;
}

/** An identity file that only the passphrase opens; `age -i` takes it as it is. */
export async function lockIdentity({ secret }: Identity, passphrase: string): Promise<Buffer> {
  const { Encrypter } = await age();
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(WORK);
  return Buffer.from(await encrypter.encrypt(`${secret}\n`));
}

/** The identities of a file that was made by `lockIdentity` or `age -p`. Throws `identity_wrong` when the passphrase is another one. */
export async function unlockIdentities(bytes: Buffer, passphrase: string, name: string): Promise<Identity[]> {
  return parseIdentities((await openLocked(bytes, passphrase, name)).toString('utf8'), name);
}

/**
 * What a passphrase opens, armored or not. Throws `identity_wrong` when it is another passphrase, when it is no such file, and when its work factor is so high that
 * it would take more than 1 GiB of memory.
 */
export async function openLocked(bytes: Buffer, passphrase: string, name: string): Promise<Buffer> {
  const { Decrypter, armor } = await age();
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    const armored = bytes.toString('latin1');
    return Buffer.from(await decrypter.decrypt(armored.trimStart().startsWith(ARMOR) ? armor.decode(armored) : bytes, 'uint8array'));
  } catch (cause) {
    // The library's errors have no codes; this is its only one that is about the passphrase.
    const message = (cause as Error).message;
    const isOther = message.startsWith('no identity matched');
    const what = isOther ? `the passphrase does not open ${name}` : `${name} cannot be opened with a passphrase: ${message}`;
    throw new Failure('identity_wrong', what, { affected: [name], cause });
  }
}

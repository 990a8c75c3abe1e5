import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';
import { type Identity, isLocked, parseIdentities, unlockIdentities } from '../../crypto/identity.ts';
import { Failure } from '../../failure.ts';
import { errorCode } from '../../linux/system-error.ts';
import { type IdentitySource, readPassphrases, readSecret } from './identity-source.ts';

/** In the part of the state directory that belongs to the repository; root alone can read it. */
const FILE = 'identities';

/** An identity that a passphrase opens, as it lies in a repository. */
export interface LockedIdentity {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Where the server's own identities are. */
export const identitiesFile = (stateFolder: string): string => join(stateFolder, FILE);

/** The identities in the state directory: what the server can read by itself. */
export async function stateIdentities(stateFolder: string): Promise<Identity[]> {
  const file = identitiesFile(stateFolder);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
  return text.trim() === '' ? [] : parseIdentities(text, file);
}

/** Replaces the identities in the state directory; none: the server can read nothing any more. */
export function keepStateIdentities(stateFolder: string, identities: readonly Identity[]): void {
  replaceFile(identitiesFile(stateFolder), Buffer.from(identities.map(({ secret }) => `${secret}\n`).join('')));
}

/** By the digest of the locked bytes and the passphrase: each costs a second, and a listing asks again for each page. */
const unlocked = new Map<string, Promise<readonly Identity[]>>();

function unlockOnce(bytes: Buffer, passphrase: string, name: string): Promise<readonly Identity[]> {
  const key = createHash('sha256').update(`${bytes.length}\n`).update(bytes).update(passphrase).digest('hex');
  const unlocking = unlocked.get(key) ?? unlockIdentities(bytes, passphrase, name);
  unlocked.set(key, unlocking);
  return unlocking;
}

/** All identities that there are for one command: those of the state directory, and those that somebody gave. Each file is read once. */
export class Identities {
  readonly #stateFolder: string;
  readonly #source: IdentitySource;
  #own: Promise<readonly Identity[]> | undefined;
  /** Whether the file of identities is itself locked: then the passphrases are that file's. */
  #isLocked = false;

  constructor(stateFolder: string, source: IdentitySource) {
    this.#stateFolder = stateFolder;
    this.#source = source;
  }

  /** Whether somebody gave a key to read with. */
  get isGiven(): boolean {
    return this.#source.identity !== undefined || this.#source.passphraseFile !== undefined;
  }

  /** `locked` gives what the passphrase may open in the repository. Throws `usage`, `identity_wrong`. */
  async all(locked: () => Promise<readonly LockedIdentity[]>): Promise<readonly Identity[]> {
    this.#own ??= this.#readOwn();
    const own = await this.#own;
    const { identity, passphraseFile } = this.#source;
    if (passphraseFile === undefined || this.#isLocked) return own;
    const inRepository = await locked();
    if (inRepository.length === 0 && identity !== undefined) return own;
    return [...own, ...(await this.#unlock(inRepository, passphraseFile))];
  }

  async #readOwn(): Promise<readonly Identity[]> {
    return [...(await this.#given()), ...(await stateIdentities(this.#stateFolder))];
  }

  async #given(): Promise<readonly Identity[]> {
    const { identity, passphraseFile } = this.#source;
    if (identity === undefined) return [];
    const bytes = readSecret(identity, this.#source);
    this.#isLocked = isLocked(bytes);
    if (!this.#isLocked) return parseIdentities(bytes.toString('utf8'), identity);
    if (passphraseFile !== undefined) return this.#unlock([{ name: identity, bytes }], passphraseFile);
    throw new Failure('identity_missing', `${identity} is itself encrypted with a passphrase`, {
      affected: [identity],
      advice: 'Give the file with the passphrase, too: --passphrase-file.',
    });
  }

  #passphrases: readonly string[] | undefined;

  /** Each passphrase may be of another time, and opens what was locked then. */
  async #unlock(locked: readonly LockedIdentity[], passphraseFile: string): Promise<Identity[]> {
    this.#passphrases ??= readPassphrases(passphraseFile, this.#source);
    const identities: Identity[] = [];
    let refusal: unknown;
    for (const { name, bytes } of locked) {
      for (const passphrase of this.#passphrases) {
        try {
          identities.push(...(await unlockOnce(bytes, passphrase, name)));
          break;
        } catch (error) {
          refusal ??= error;
        }
      }
    }
    if (identities.length > 0) return identities;
    throw (
      refusal ?? new Failure('identity_missing', 'nothing in this repository is locked by a passphrase', { affected: [passphraseFile] })
    );
  }
}

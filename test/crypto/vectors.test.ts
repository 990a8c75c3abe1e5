import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import * as vectors from 'cctv-age';
import { expect } from 'chai';
import { openHeader } from '../../core/crypto/header.ts';
import { newIdentity, openLocked, parseIdentities } from '../../core/crypto/identity.ts';
import { DirectStreamReader, StreamReader } from '../../core/crypto/stream-reader.ts';
import { asFailure } from '../../core/failure.ts';

/** What no object of a repository may be: those are encrypted to X25519 recipients, and have no armor. */
const OTHER_KEYS = /^(?:armor|scrypt|hybrid)/;

interface Vector {
  readonly expect: string;
  readonly payload: string;
  readonly identities: string[];
  readonly passphrases: readonly string[];
  readonly isUsable: boolean;
  readonly file: Buffer;
}

/** A textual header, an empty line, the age file. */
function parse(name: string, bytes: Buffer): Vector {
  const end = bytes.indexOf('\n\n');
  const lines = bytes.subarray(0, end).toString().split('\n');
  const values = (key: string): string[] => lines.filter((line) => line.startsWith(`${key}: `)).map((line) => line.slice(key.length + 2));
  const rest = bytes.subarray(end + 2);
  return {
    expect: values('expect')[0] ?? '',
    payload: values('payload')[0] ?? '',
    identities: values('identity').filter((identity) => identity.startsWith('AGE-SECRET-KEY-1')),
    passphrases: values('passphrase'),
    isUsable: !OTHER_KEYS.test(name) && values('armored').length === 0 && values('passphrase').length === 0,
    file: values('compressed')[0] === 'zlib' ? inflateSync(rest) : rest,
  };
}

type Outcome = { readonly code: string } | { readonly sha256: string };

/** Opens an age file, and reads it in stretches that go across the borders of chunks. */
async function open({ file, identities }: Vector, isDirect: boolean): Promise<Outcome> {
  const read = (offset: number, length: number): Buffer => file.subarray(offset, offset + length);
  const later = async (offset: number, length: number): Promise<Buffer> => read(offset, length);
  try {
    const keys = await parseIdentities(identities.join('\n'), 'the vector');
    const key = await openHeader(file.length, later, keys);
    const reader = isDirect ? new DirectStreamReader(file.length, key, read) : await StreamReader.open(file.length, key, later);
    const hash = createHash('sha256');
    for (let at = 0; at < reader.plainLength; at += 40_000) hash.update(await reader.read(at, Math.min(40_000, reader.plainLength - at)));
    return { sha256: hash.digest('hex') };
  } catch (error) {
    return { code: asFailure(error).code };
  }
}

describe('age test vectors (C2SP CCTV)', () => {
  const known = Object.entries(vectors).map(([name, bytes]) => [name, parse(name, Buffer.from(bytes))] as const);
  const usable = known.filter(([, { isUsable, identities }]) => isUsable && identities.length > 0);

  it('has vectors of each kind', () => {
    const kinds = new Set(usable.map(([, vector]) => vector.expect));
    expect([...kinds].sort()).to.deep.equal(['HMAC failure', 'header failure', 'no match', 'payload failure', 'success']);
    expect(usable.length).to.be.greaterThan(60);
  });

  for (const [name, vector] of usable) {
    it(`${name}: ${vector.expect}`, async () => {
      const outcomes = [await open(vector, true), await open(vector, false)];
      for (const outcome of outcomes) {
        if (vector.expect === 'success') expect(outcome).to.deep.equal({ sha256: vector.payload });
        else expect(outcome).to.deep.equal({ code: vector.expect === 'no match' ? 'identity_wrong' : 'repository_damaged' });
      }
    });
  }

  const locked = known.filter(([, { passphrases }]) => passphrases.length > 0);
  const openWith = async ({ file, passphrases }: Vector): Promise<Outcome> => {
    try {
      return {
        sha256: createHash('sha256')
          .update(await openLocked(file, passphrases[0] as string, 'the vector'))
          .digest('hex'),
      };
    } catch (error) {
      return { code: asFailure(error).code };
    }
  };

  it('has files that a passphrase opens, with and without armor, and such as ask for too much work', () => {
    const names = locked.map(([name]) => name);
    expect(names).to.include.members(['scrypt', 'armor_scrypt', 'scrypt_work_factor_23', 'scrypt_work_factor_overflow']);
    expect(names.length).to.be.greaterThan(20);
  });

  // As the file of an identity that a passphrase locks. The library opens work factors up to 20, which takes 1 GiB.
  for (const [name, vector] of locked) {
    it(`${name}, by its passphrase: ${vector.expect}`, async () => {
      const outcome = await openWith(vector);
      expect(outcome).to.deep.equal(vector.expect === 'success' ? { sha256: vector.payload } : { code: 'identity_wrong' });
    });
  }

  it('takes none of the others for a file that the passphrase opens', async () => {
    for (const [name, vector] of known.filter(([, { passphrases }]) => passphrases.length === 0))
      expect(await openWith({ ...vector, passphrases: ['password'] }), name).to.deep.equal({ code: 'identity_wrong' });
  });

  it('takes no armored file, none for a passphrase and none for other keys for an object, whoever asks', async () => {
    const others = known.filter(([name]) => OTHER_KEYS.test(name));
    expect(others.length).to.be.greaterThan(70);
    for (const [name, vector] of others) {
      // The identity of a vector is tried where it is one of this program's, or else any.
      const identities = vector.identities.length > 0 ? vector.identities : [(await newIdentity()).secret];
      for (const isDirect of [true, false]) {
        const outcome = (await open({ ...vector, identities }, isDirect)) as { code?: string };
        expect(['repository_damaged', 'identity_wrong'], name).to.include(outcome.code);
      }
    }
  });
});

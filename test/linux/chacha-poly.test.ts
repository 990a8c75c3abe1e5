import { createCipheriv, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { chaChaPoly, KEY_LENGTH, NONCE_LENGTH, TAG_LENGTH } from '../../core/linux/chacha-poly.ts';

const LENGTHS = [0, 1, 15, 16, 17, 63, 64, 65, 1000, 65_535, 65_536];

/** By `node:crypto`. */
function expected(key: Buffer, nonce: Buffer, plain: Buffer): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_LENGTH });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

describe('ChaCha20-Poly1305', () => {
  const cipher = chaChaPoly();

  it('is that of node:crypto, text after text with other keys, inside of larger memory', () => {
    for (const length of [...LENGTHS, ...LENGTHS.toReversed()]) {
      const [key, nonce, plain] = [randomBytes(KEY_LENGTH), randomBytes(NONCE_LENGTH), randomBytes(length)];
      const memory = Buffer.alloc(length + TAG_LENGTH + 2, 7);
      const place = memory.subarray(1, -1);
      cipher.seal(key, nonce, plain, place);
      expect(place.equals(expected(key, nonce, plain)), `${length} bytes`).to.equal(true);
      expect([memory[0], memory.at(-1)]).to.deep.equal([7, 7]);
      const opened = Buffer.alloc(length + 2, 7);
      expect(cipher.open(key, nonce, place, opened.subarray(1, -1))).to.equal(true);
      expect(opened.subarray(1, -1).equals(plain)).to.equal(true);
      expect([opened[0], opened.at(-1)]).to.deep.equal([7, 7]);
    }
  });

  it('opens nothing that was altered', () => {
    const [key, nonce, plain] = [randomBytes(KEY_LENGTH), randomBytes(NONCE_LENGTH), randomBytes(100)];
    const sealed = expected(key, nonce, plain);
    const place = Buffer.alloc(100);
    for (let at = 0; at < sealed.length; at++) {
      const altered = Buffer.from(sealed);
      altered[at] = (altered[at] as number) ^ 1;
      expect(cipher.open(key, nonce, altered, place), `byte ${at}`).to.equal(false);
    }
    expect(cipher.open(randomBytes(KEY_LENGTH), nonce, sealed, place)).to.equal(false);
    expect(cipher.open(key, randomBytes(NONCE_LENGTH), sealed, place)).to.equal(false);
    expect(cipher.open(key, nonce, sealed, place)).to.equal(true);
    expect(place.equals(plain)).to.equal(true);
  });

  it('refuses memory of other lengths, before OpenSSL believes them', () => {
    const right = { key: KEY_LENGTH, nonce: NONCE_LENGTH, plain: 64, sealed: 64 + TAG_LENGTH };
    for (const wrong of [
      { key: 31 },
      { key: 0 },
      { nonce: 8 },
      { nonce: 16 },
      { sealed: 64 },
      { sealed: 81 },
      { plain: 63 },
      { plain: 65 },
    ]) {
      const { key, nonce, plain, sealed } = { ...right, ...wrong };
      const [keyBytes, nonceBytes, plainBytes, place] = [key, nonce, plain, sealed].map((length) => Buffer.alloc(length)) as Buffer[];
      expect(() => cipher.seal(keyBytes!, nonceBytes!, plainBytes!, place!), JSON.stringify(wrong)).to.throw(RangeError);
      expect(() => cipher.open(keyBytes!, nonceBytes!, place!, plainBytes!), JSON.stringify(wrong)).to.throw(RangeError);
    }
  });
});

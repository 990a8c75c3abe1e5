import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';

/** A public key is this long, a signature twice as long, in bytes. */
export const PUBLIC_KEY_LENGTH = 32;
export const SIGNATURE_LENGTH = 64;

/** What stands before the raw public key in its DER form (RFC 8410). */
const DER_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** What signs; the private key stays inside. */
export class SigningKey {
  /** The raw public key. */
  readonly publicKey: Buffer;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(DER_HEAD.length);
  }

  static generate(): SigningKey {
    return new SigningKey(generateKeyPairSync('ed25519').privateKey);
  }

  /** From PKCS#8 in PEM. Throws when it is something else. */
  static parse(pem: string): SigningKey {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`a key of the type ${key.asymmetricKeyType}`);
    return new SigningKey(key);
  }

  /** PKCS#8 in PEM: secret. */
  toPem(): string {
    return this.#key.export({ format: 'pem', type: 'pkcs8' }).toString();
  }

  sign(message: Uint8Array): Buffer {
    return sign(null, message, this.#key);
  }
}

/** By their raw bytes: making one takes longer than a verification. */
const publicKeys = new Map<string, KeyObject>();
const KEPT_KEYS = 256;

function publicKeyOf(raw: Buffer): KeyObject {
  const id = raw.toString('base64');
  const known = publicKeys.get(id);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.concat([DER_HEAD, raw]), format: 'der', type: 'spki' });
  if (publicKeys.size >= KEPT_KEYS) publicKeys.clear();
  publicKeys.set(id, key);
  return key;
}

/** Whether a raw public key signed a message. */
export function isSignedBy(publicKey: Buffer, message: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, message, publicKeyOf(publicKey), signature);
}

/** What people compare: `SHA256:` and the digest of the raw public key in base64, without padding as ssh-keygen shows it. */
export function fingerprintOf(publicKey: Buffer): string {
  return `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;
}

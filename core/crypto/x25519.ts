import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { base64nopad, bech32 } from '@scure/base';
import type { Identity as AgeIdentity, Recipient, Stanza } from 'age-encryption';

/**
 * The X25519 stanzas of a header by `node:crypto`, in the places that the library keeps for recipients and identities of others: its own take two
 * milliseconds for each recipient of each object, these a tenth.
 */

type StanzaClass = typeof Stanza;

const TYPE = 'X25519';
const LABEL = 'age-encryption.org/v1/X25519';
const KEY = 32;
const TAG = 16;
const WRAPPED = 16 + TAG;

/** What stands before a key in DER: PKCS #8 of a private one, SPKI of a public one. */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

function publicKey(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, bytes]), format: 'der', type: 'spki' });
}

function bytesOf(key: KeyObject): Buffer {
  return key.export({ format: 'raw-public' });
}

/** The bytes of `age1…` or `AGE-SECRET-KEY-1…`. */
function decoded(text: string, prefix: string): Uint8Array {
  const { prefix: found, bytes } = bech32.decodeToBytes(text);
  if (found.toLowerCase() !== prefix || bytes.length !== KEY) throw new Error('not an X25519 key');
  return bytes;
}

/** The key by which a file key is wrapped. Throws for a share that makes the secret the same for everybody. */
function wrappingKey(ours: KeyObject, theirs: KeyObject, share: Uint8Array, recipient: Uint8Array): Buffer {
  const secret = diffieHellman({ privateKey: ours, publicKey: theirs });
  if (secret.every((byte) => byte === 0)) throw new Error('a share of low order');
  return Buffer.from(hkdfSync('sha256', secret, Buffer.concat([share, recipient]), LABEL, KEY));
}

const OPTIONS = { authTagLength: TAG };
const NONCE = Buffer.alloc(12);

/** Recipients that were met, with their keys: most objects are for the same. */
const recipients = new Map<string, Recipient>();
const KEPT_RECIPIENTS = 256;

export function x25519Recipient(text: string, StanzaOf: StanzaClass): Recipient {
  const known = recipients.get(text);
  if (known !== undefined) return known;
  const made = recipientOf(decoded(text, 'age'), StanzaOf);
  if (recipients.size >= KEPT_RECIPIENTS) recipients.clear();
  recipients.set(text, made);
  return made;
}

function recipientOf(recipient: Uint8Array, StanzaOf: StanzaClass): Recipient {
  const theirs = publicKey(recipient);
  return {
    wrapFileKey(fileKey) {
      const pair = generateKeyPairSync('x25519');
      const share = bytesOf(pair.publicKey);
      const cipher = createCipheriv('chacha20-poly1305', wrappingKey(pair.privateKey, theirs, share, recipient), NONCE, OPTIONS);
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [new StanzaOf([TYPE, base64nopad.encode(share)], body)];
    },
  };
}

export function x25519Identity(text: string): AgeIdentity {
  const secret = decoded(text, 'age-secret-key-');
  const key = createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, secret]), format: 'der', type: 'pkcs8' });
  const recipient = bytesOf(createPublicKey(key));
  return {
    unwrapFileKey(stanzas) {
      for (const { args, body } of stanzas) {
        if (args[0] !== TYPE) continue;
        const share = args.length === 2 ? base64nopad.decode(args[1] as string) : undefined;
        if (share?.length !== KEY || body.length !== WRAPPED) throw new Error('invalid X25519 stanza');
        const decipher = createDecipheriv('chacha20-poly1305', wrappingKey(key, publicKey(share), share, recipient), NONCE, OPTIONS);
        decipher.setAuthTag(body.subarray(-TAG));
        const fileKey = decipher.update(body.subarray(0, -TAG));
        try {
          decipher.final();
          return fileKey;
        } catch {
          // For another recipient.
        }
      }
      return null;
    },
  };
}

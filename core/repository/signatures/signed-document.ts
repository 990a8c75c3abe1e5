import { isSignedBy, PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH, type SigningKey } from '../../crypto/ed25519.ts';

/** The first line of what is signed: a signature for this is one for nothing else. */
const DOMAIN = 'apiscp-backup signature 1\n';

/** How a document ends that nobody signed; one that is signed has its signature before that. */
const END = '\n}\n';

const BASE64_KEY = 4 * Math.ceil(PUBLIC_KEY_LENGTH / 3);
const BASE64_VALUE = 4 * Math.ceil(SIGNATURE_LENGTH / 3);
const SUFFIX = /^,\n {2}"signature": \{\n {4}"key": "([A-Za-z0-9+/]{43}=)",\n {4}"value": "([A-Za-z0-9+/]{86}==)"\n {2}\}\n\}\n$/;
const SUFFIX_LENGTH = suffixOf('k'.repeat(BASE64_KEY), 'v'.repeat(BASE64_VALUE)).length;

function suffixOf(key: string, value: string): string {
  return `,\n  "signature": {\n    "key": "${key}",\n    "value": "${value}"\n  }${END}`;
}

/** The signature at the end of a document. */
export interface Signature {
  /** The raw public key that it names. */
  readonly key: Buffer;
  readonly value: Buffer;
  /** What of the document is signed: all before the signature. */
  readonly signed: Buffer;
}

function messageOf(name: string, signed: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${DOMAIN}${name}\n`), signed]);
}

/** The document with a signature. `name` is that of the object: the same bytes elsewhere are not signed. */
export function withSignature(document: Buffer, name: string, key: SigningKey): Buffer {
  const signed = document.subarray(0, document.length - END.length);
  const value = key.sign(messageOf(name, signed));
  return Buffer.concat([signed, Buffer.from(suffixOf(key.publicKey.toString('base64'), value.toString('base64')))]);
}

/** The signature of a document as it is stored; undefined when it does not end in the form of one. */
export function signatureOf(document: Buffer): Signature | undefined {
  const at = document.length - SUFFIX_LENGTH;
  if (at <= 0) return undefined;
  const [, key, value] = SUFFIX.exec(document.subarray(at).toString('latin1')) ?? [];
  if (key === undefined || value === undefined) return undefined;
  const [rawKey, rawValue] = [Buffer.from(key, 'base64'), Buffer.from(value, 'base64')];
  // Of several texts that mean the same bytes, one counts.
  if (rawKey.toString('base64') !== key || rawValue.toString('base64') !== value) return undefined;
  return { key: rawKey, value: rawValue, signed: document.subarray(0, at) };
}

/** Whether the key that a signature names made it, for an object of this name. */
export function isGenuine({ key, value, signed }: Signature, name: string): boolean {
  return isSignedBy(key, messageOf(name, signed), value);
}

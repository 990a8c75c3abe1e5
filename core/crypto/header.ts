import { hkdfSync, randomBytes } from 'node:crypto';
import { Failure } from '../failure.ts';
import { age } from './age.ts';
import type { Identity } from './identity.ts';
import type { StreamKey } from './stream-reader.ts';

const NONCE = 16;
/** The longest header that is read, in bytes; one of ours has some hundred for each recipient. */
export const HEADER_LIMIT = 64 * 1024;
/** A header of this program with up to thirty recipients and its nonce fit in so much: one read is enough. */
export const HEADER_GUESS = 4096;

/** What stands before the first chunk of a new object, and its key. */
export interface NewHeader {
  readonly bytes: Buffer;
  readonly key: StreamKey;
}

/** A header for an object that only these recipients (`age1…`) can read. Each has another key. */
export async function newHeader(recipients: readonly string[]): Promise<NewHeader> {
  if (recipients.length === 0) throw new Failure('internal', 'nobody could read what is encrypted to nobody');
  const { Encrypter, Stanza } = await age();
  const { x25519Recipient } = await import('./x25519.ts');
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(x25519Recipient(recipient, Stanza));
  let fileKey: Uint8Array | undefined;
  encrypter.addRecipient({
    // Adds nothing to the header: it only sees the key, which the library does not give otherwise.
    wrapFileKey: (key) => {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const whole = await beginningOf(await encrypter.encrypt(new ReadableStream()));
  const length = headerLength(whole);
  if (fileKey === undefined || length === undefined) throw new Failure('internal', 'the library made no header');
  const bytes = Buffer.concat([whole.subarray(0, length), randomBytes(NONCE)]);
  return { bytes, key: { start: bytes.length, key: payloadKey(fileKey, bytes.subarray(length)) } };
}

/** The header that an encrypted stream begins with. For a whole text the library would load Node's `fetch` and encrypt in JavaScript. */
async function beginningOf(encrypted: ReadableStream<Uint8Array>): Promise<Buffer> {
  const reader = encrypted.getReader();
  let bytes = Buffer.alloc(0);
  while (headerLength(bytes) === undefined) {
    const { value, done } = await reader.read();
    if (done) break;
    bytes = Buffer.concat([bytes, value]);
  }
  await reader.cancel();
  return bytes;
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
}

/** Up to the end of the line with the header's authentication code; undefined when that is not in `bytes`. */
function headerLength(bytes: Buffer): number | undefined {
  const last = bytes.indexOf('\n--- ');
  const end = last < 0 ? -1 : bytes.indexOf('\n', last + 1);
  return end < 0 ? undefined : end + 1;
}

/**
 * The key of an encrypted object of `size` bytes. Reads no more than the header. Throws `identity_wrong` when none of the identities is one
 * of its recipients', `repository_damaged` when it is no age file.
 */
export async function openHeader(
  size: number,
  read: (offset: number, length: number) => Promise<Buffer>,
  identities: readonly Identity[],
): Promise<StreamKey> {
  const bytes = await readHeader(size, read);
  const length = bytes.length - NONCE;
  const { Decrypter } = await age();
  const { x25519Identity } = await import('./x25519.ts');
  const decrypter = new Decrypter();
  for (const { secret } of identities) decrypter.addIdentity(x25519Identity(secret));
  let fileKey: Uint8Array;
  try {
    fileKey = await decrypter.decryptHeader(bytes.subarray(0, length));
  } catch (cause) {
    // The library's errors have no codes; this is its only one that is no damage.
    if ((cause as Error).message.startsWith('no identity matched'))
      throw new Failure('identity_wrong', 'none of the given identities opens it', { cause });
    throw notEncrypted((cause as Error).message, cause);
  }
  return { start: bytes.length, key: payloadKey(fileKey, bytes.subarray(length)) };
}

/** Header and nonce. */
async function readHeader(size: number, read: (offset: number, length: number) => Promise<Buffer>): Promise<Buffer> {
  for (const limit of [HEADER_GUESS, HEADER_LIMIT]) {
    const bytes = await read(0, Math.min(limit, size));
    const length = headerLength(bytes);
    if (length !== undefined && length + NONCE <= bytes.length) return bytes.subarray(0, length + NONCE);
    if (bytes.length >= size) break;
  }
  throw notEncrypted('its header has no end');
}

function notEncrypted(message: string, cause?: unknown): Failure {
  return new Failure('repository_damaged', `it is no encrypted object: ${message}`, { cause });
}

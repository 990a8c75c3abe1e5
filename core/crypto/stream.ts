import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Failure } from '../failure.ts';

/** Bytes of plain content in a chunk; only the last one may have fewer. */
export const CHUNK = 65_536;
const TAG = 16;
/** The same, encrypted. */
export const SEALED_CHUNK = CHUNK + TAG;

const ALGORITHM = 'chacha20-poly1305';
const OPTIONS = { authTagLength: TAG };
const NONCE = 12;

/** Eleven bytes of the chunk's number and one that says whether it is the last: so no chunk can be moved, and none left out at the end. */
function nonceOf(chunk: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE);
  nonce.writeUIntBE(chunk, NONCE - 1 - 6, 6);
  nonce[NONCE - 1] = isLast ? 1 : 0;
  return nonce;
}

/** Encrypts one chunk to `place`, which has room for it and for the tag that follows it. */
export function sealChunk(key: Uint8Array, chunk: number, isLast: boolean, plain: Uint8Array, place: Buffer): void {
  const cipher = createCipheriv(ALGORITHM, key, nonceOf(chunk, isLast), OPTIONS);
  const bytes = cipher.update(plain);
  bytes.copy(place);
  release(bytes);
  cipher.final();
  cipher.getAuthTag().copy(place, plain.length);
}

/** Gives the memory back at once: collected some day, the chunks of a pack would be a hundred megabytes by then. */
export function release({ buffer, length }: Buffer): void {
  if (length > 0 && buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}

/** The plain bytes of one chunk; `repository_damaged` when it is not this chunk of this object, whole and as it was written. */
export function openChunk(key: Uint8Array, chunk: number, isLast: boolean, sealed: Buffer): Buffer {
  const decipher = createDecipheriv(ALGORITHM, key, nonceOf(chunk, isLast), OPTIONS);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG));
  try {
    decipher.final();
  } catch (cause) {
    throw new Failure('repository_damaged', `its encrypted chunk ${chunk} was altered, moved or cut`, { cause });
  }
  return plain;
}

/** Which chunks an encrypted object consists of, by its length. */
export class StreamLayout {
  /** Where the first chunk begins. */
  readonly start: number;
  readonly chunks: number;
  /** Of the plain content, in bytes. Believed when the last chunk was opened. */
  readonly plainLength: number;
  readonly #end: number;

  /** `size` is of the whole object. Throws `repository_damaged` when no object is so long. */
  constructor(size: number, start: number) {
    this.start = start;
    this.#end = size;
    const length = size - start;
    this.chunks = Math.ceil(length / SEALED_CHUNK);
    const last = length - (this.chunks - 1) * SEALED_CHUNK;
    // A last chunk without content is that of an empty object.
    if (length < TAG || last < TAG || (last === TAG && this.chunks > 1)) throw new Failure('repository_damaged', 'it is cut');
    this.plainLength = length - this.chunks * TAG;
  }

  /** Where the chunks from `first` up to and including `last` are stored. */
  place(first: number, last: number): { offset: number; length: number } {
    const offset = this.start + first * SEALED_CHUNK;
    return { offset, length: Math.min(this.start + (last + 1) * SEALED_CHUNK, this.#end) - offset };
  }

  /** The first and the last chunk that have a part of these plain bytes, of which there is at least one. */
  chunksOf(offset: number, length: number): [number, number] {
    return [Math.floor(offset / CHUNK), Math.floor((offset + length - 1) / CHUNK)];
  }

  isLast(chunk: number): boolean {
    return chunk === this.chunks - 1;
  }
}

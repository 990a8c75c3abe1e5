import { Failure } from '../failure.ts';
import { chaChaPoly, NONCE_LENGTH, TAG_LENGTH as TAG } from '../linux/chacha-poly.ts';

/** Bytes of plain content in a chunk; only the last one may have fewer. */
export const CHUNK = 65_536;
/** The same, encrypted. */
export const SEALED_CHUNK = CHUNK + TAG;

/** Of the chunk in hand: eleven bytes of its number and one that says whether it is the last: so no chunk can be moved, and none left out at the end. */
const nonce = Buffer.alloc(NONCE_LENGTH);

function nonceOf(chunk: number, isLast: boolean): Buffer {
  nonce.writeUIntBE(chunk, NONCE_LENGTH - 1 - 6, 6);
  nonce[NONCE_LENGTH - 1] = isLast ? 1 : 0;
  return nonce;
}

/** Encrypts one chunk to `place`, which has just the room for it and for the tag that follows it. */
export function sealChunk(key: Uint8Array, chunk: number, isLast: boolean, plain: Uint8Array, place: Buffer): void {
  chaChaPoly().seal(key, nonceOf(chunk, isLast), plain, place);
}

/**
 * The plain bytes of one chunk to `place`, which is just as long. `repository_damaged` when it is not this chunk of this object, whole and as it was
 * written; what is in `place` then must not be used.
 */
export function openChunk(key: Uint8Array, chunk: number, isLast: boolean, sealed: Buffer, place: Buffer): void {
  if (sealed.length === place.length + TAG && chaChaPoly().open(key, nonceOf(chunk, isLast), sealed, place)) return;
  throw new Failure('repository_damaged', `its encrypted chunk ${chunk} was altered, moved or cut`);
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

  /** Plain bytes in a chunk. */
  lengthOf(chunk: number): number {
    return Math.min(CHUNK, this.plainLength - chunk * CHUNK);
  }

  /** The first and the last chunk that have a part of these plain bytes, of which there is at least one. */
  chunksOf(offset: number, length: number): [number, number] {
    return [Math.floor(offset / CHUNK), Math.floor((offset + length - 1) / CHUNK)];
  }

  isLast(chunk: number): boolean {
    return chunk === this.chunks - 1;
  }
}

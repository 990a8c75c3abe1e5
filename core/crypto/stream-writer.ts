import { CHUNK, SEALED_CHUNK, sealChunk } from './stream.ts';

/**
 * Encrypts content as it comes, in chunks. What does not fill a chunk is kept, and one full chunk, too, because only the end of the content tells whether
 * it is the last: never more than one.
 */
export class StreamWriter {
  readonly #key: Uint8Array;
  readonly #rest = Buffer.allocUnsafe(CHUNK);
  #filled = 0;
  #chunk = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** What can be stored now of all that came, in a buffer that is its alone. */
  push(plain: Uint8Array): Buffer {
    // One chunk, full or not, stays here.
    const count = Math.max(Math.ceil((this.#filled + plain.length) / CHUNK) - 1, 0);
    const sealed = Buffer.allocUnsafeSlow(count * SEALED_CHUNK);
    let at = 0;
    for (let number = 0; number < count; number++) {
      const place = sealed.subarray(number * SEALED_CHUNK, (number + 1) * SEALED_CHUNK);
      if (this.#filled === 0) {
        // Whole chunks of what came are not copied first.
        sealChunk(this.#key, this.#chunk++, false, plain.subarray(at, at + CHUNK), place);
        at += CHUNK;
        continue;
      }
      at += this.#keep(plain, at);
      sealChunk(this.#key, this.#chunk++, false, this.#rest, place);
      this.#filled = 0;
    }
    this.#keep(plain, at);
    return sealed;
  }

  /** Keeps as much of what came as there is room for; returns how much. */
  #keep(plain: Uint8Array, at: number): number {
    const part = plain.subarray(at, at + CHUNK - this.#filled);
    this.#rest.set(part, this.#filled);
    this.#filled += part.length;
    return part.length;
  }

  /** The last chunk. Nothing can be pushed afterwards. */
  finish(): Buffer {
    const sealed = Buffer.allocUnsafeSlow(this.#filled + SEALED_CHUNK - CHUNK);
    sealChunk(this.#key, this.#chunk, true, this.#rest.subarray(0, this.#filled), sealed);
    return sealed;
  }
}

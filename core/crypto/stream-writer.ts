import { CHUNK, sealChunk } from './stream.ts';

/**
 * Encrypts content as it comes, in chunks. What does not fill a chunk is kept, and one full chunk, too, because only the end of the content
 * tells whether it is the last: never more than one.
 */
export class StreamWriter {
  readonly #key: Uint8Array;
  readonly #rest = Buffer.allocUnsafe(CHUNK);
  #filled = 0;
  #chunk = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** What can be stored now of all that came. */
  push(plain: Uint8Array): Buffer {
    const sealed: Buffer[] = [];
    let at = 0;
    while (at < plain.length) {
      if (this.#filled === CHUNK) this.#seal(sealed, this.#rest);
      // Whole chunks of what came are not copied first.
      while (this.#filled === 0 && plain.length - at > CHUNK) {
        this.#seal(sealed, plain.subarray(at, at + CHUNK));
        at += CHUNK;
      }
      const part = plain.subarray(at, at + CHUNK - this.#filled);
      this.#rest.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
    return Buffer.concat(sealed);
  }

  #seal(sealed: Buffer[], chunk: Uint8Array): void {
    sealed.push(...sealChunk(this.#key, this.#chunk++, false, chunk));
    this.#filled = 0;
  }

  /** The last chunk. Nothing can be pushed afterwards. */
  finish(): Buffer {
    return Buffer.concat(sealChunk(this.#key, this.#chunk, true, this.#rest.subarray(0, this.#filled)));
  }
}

import { Failure } from '../failure.ts';
import { CHUNK, SEALED_CHUNK, sealChunk } from './stream.ts';

/** So many chunks are encrypted at a time, always into the same memory: to touch new memory costs more than the cipher. */
const GROUP = 16;

/** Stores the next bytes, which are its to read until it has settled. */
type Store = (sealed: Buffer) => Promise<void>;

/**
 * Encrypts content as it comes, in chunks. What does not fill a chunk is kept, and one full chunk, too, because only the end of the content tells whether
 * it is the last: never more than one.
 */
export class StreamWriter {
  readonly #key: Uint8Array;
  readonly #rest = Buffer.allocUnsafe(CHUNK);
  #filled = 0;
  #chunk = 0;
  #sealed = Buffer.alloc(0);
  #isBusy = false;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Gives `store` what can be stored now of all that came. One after the other: the next push comes when this one has settled. */
  async push(plain: Uint8Array, store: Store): Promise<void> {
    this.#begin();
    let at = 0;
    // One chunk, full or not, stays here.
    for (let left = Math.max(Math.ceil((this.#filled + plain.length) / CHUNK) - 1, 0); left > 0; left -= GROUP) {
      const group = this.#memory(Math.min(left, GROUP));
      for (let place = 0; place < group.length; place += SEALED_CHUNK) {
        at = this.#seal(plain, at, group.subarray(place, place + SEALED_CHUNK));
      }
      await store(group);
    }
    this.#keep(plain, at);
    this.#isBusy = false;
  }

  /** Gives `store` the last chunk. Nothing can be pushed afterwards. */
  async finish(store: Store): Promise<void> {
    this.#begin();
    const last = this.#memory(1).subarray(0, this.#filled + SEALED_CHUNK - CHUNK);
    sealChunk(this.#key, this.#chunk, true, this.#rest.subarray(0, this.#filled), last);
    await store(last);
  }

  /** What is being stored must not change: it would be stored with the right digest and could never be read. */
  #begin(): void {
    if (this.#isBusy) throw new Failure('internal', 'more of an object was encrypted before the rest was stored, or after its end');
    this.#isBusy = true;
  }

  #memory(chunks: number): Buffer {
    const length = chunks * SEALED_CHUNK;
    if (this.#sealed.length < length) this.#sealed = Buffer.allocUnsafeSlow(length);
    return this.#sealed.subarray(0, length);
  }

  /** Encrypts the next chunk, which ends in what came; returns where. */
  #seal(plain: Uint8Array, at: number, place: Buffer): number {
    if (this.#filled === 0) {
      // Whole chunks of what came are not copied first.
      sealChunk(this.#key, this.#chunk++, false, plain.subarray(at, at + CHUNK), place);
      return at + CHUNK;
    }
    const end = at + this.#keep(plain, at);
    sealChunk(this.#key, this.#chunk++, false, this.#rest, place);
    this.#filled = 0;
    return end;
  }

  /** Keeps as much of what came as there is room for; returns how much. */
  #keep(plain: Uint8Array, at: number): number {
    const part = plain.subarray(at, at + CHUNK - this.#filled);
    this.#rest.set(part, this.#filled);
    this.#filled += part.length;
    return part.length;
  }
}

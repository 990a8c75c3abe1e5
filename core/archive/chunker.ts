import { hash } from 'node:crypto';

/** No chunk but the last of a file is shorter. */
export const MINIMUM_CHUNK = 256 * 1024;
/** Cut points are rare before this length and frequent after it, so most chunks come close to it. */
export const AVERAGE_CHUNK = 1024 * 1024;
/** No chunk is longer. */
export const MAXIMUM_CHUNK = 4 * 1024 * 1024;

// FastCDC's normalized chunking, level 2: two bits more than log2(average) before the average, two bits less after it.
// They are the highest bits of the hash, which the last 32 bytes take part in.
const STRICT_MASK = ~0 << 10;
const LOOSE_MASK = ~0 << 14;

/** One random number a byte value: the first four bytes, little-endian, of the SHA-256 of `apiscp-backup gear <value>`. */
const GEAR = Int32Array.from({ length: 256 }, (_, value) => hash('sha256', `apiscp-backup gear ${value}`, 'buffer').readInt32LE(0));

/**
 * Finds where to cut a stream so that the cuts depend on the bytes nearby alone: after an insertion or deletion the same
 * chunks appear again. FastCDC (Xia et al., USENIX ATC 2016) with a 32-bit gear hash. One object per stream.
 */
export class ContentDefinedChunker {
  /** Bytes of the current chunk that were looked at, and the hash of the last of them. */
  #seen = 0;
  #hash = 0;

  /**
   * The end of the chunk that begins at `start` of `buffer`, whose bytes are known up to `end`; -1 when more are needed.
   * The next call then gives the same chunk again from its beginning, longer, wherever it lies by then. With `isLast` the
   * stream ends at `end`, and so does the chunk at the latest.
   */
  find(buffer: Buffer, start: number, end: number, isLast: boolean): number {
    const limit = Math.min(end, start + MAXIMUM_CHUNK);
    const strictLimit = Math.min(limit, start + AVERAGE_CHUNK);
    // The bytes before the minimum cannot end the chunk and are not hashed.
    let at = start + Math.max(this.#seen, MINIMUM_CHUNK);
    let fingerprint = this.#hash;
    for (; at < strictLimit; at++) {
      fingerprint = ((fingerprint << 1) + GEAR[buffer[at]!]!) | 0;
      if ((fingerprint & STRICT_MASK) === 0) return this.#cut(at + 1);
    }
    for (; at < limit; at++) {
      fingerprint = ((fingerprint << 1) + GEAR[buffer[at]!]!) | 0;
      if ((fingerprint & LOOSE_MASK) === 0) return this.#cut(at + 1);
    }
    if (isLast || limit === start + MAXIMUM_CHUNK) return this.#cut(limit);
    this.#seen = Math.max(at - start, 0);
    this.#hash = fingerprint;
    return -1;
  }

  #cut(end: number): number {
    this.#seen = 0;
    this.#hash = 0;
    return end;
  }
}

import { hash } from 'node:crypto';

/** No chunk but the last of a file is shorter. */
export const MINIMUM_CHUNK = 256 * 1024;
/** Cut points are rare before this length and frequent after it, so most chunks come close to it. */
export const AVERAGE_CHUNK = 1024 * 1024;
/** No chunk is longer. */
export const MAXIMUM_CHUNK = 4 * 1024 * 1024;

/** How long chunks are, in bytes; the average is a power of 2. */
export interface ChunkSizes {
  readonly minimum: number;
  readonly average: number;
  readonly maximum: number;
}

/** Those of files. */
const FILE_CHUNKS: ChunkSizes = { minimum: MINIMUM_CHUNK, average: AVERAGE_CHUNK, maximum: MAXIMUM_CHUNK };

/** The chunks of this average: a fourth of it at the least, four times as much at the most. */
export function chunksAround(average: number): ChunkSizes {
  return { minimum: average / 4, average, maximum: average * 4 };
}

/** One random number a byte value: the first four bytes, little-endian, of the SHA-256 of `apiscp-backup gear <value>`. */
const GEAR = Int32Array.from({ length: 256 }, (_, value) => hash('sha256', `apiscp-backup gear ${value}`, 'buffer').readInt32LE(0));

/** Each step shifts the hash by one of its 32 bits, so no byte farther back than this has a part in it. */
const WINDOW = 32;

/**
 * Finds where to cut a stream so that the cuts depend on the bytes nearby alone: after an insertion or deletion the same
 * chunks appear again. FastCDC (Xia et al., USENIX ATC 2016) with a 32-bit gear hash. One object per stream.
 */
export class ContentDefinedChunker {
  /** Bytes of the current chunk in which no cut was found. */
  #searched = 0;
  #sizes: ChunkSizes;
  // FastCDC's normalized chunking, level 2: two bits more than log2(average) before the average, two bits less after it.
  // They are the highest bits of the hash, which the last 32 bytes take part in.
  #strictMask = 0;
  #looseMask = 0;

  constructor(sizes: ChunkSizes = FILE_CHUNKS) {
    this.#sizes = sizes;
    this.sizes = sizes;
  }

  /** Chunks that begin from now on have these sizes. */
  set sizes(sizes: ChunkSizes) {
    this.#sizes = sizes;
    const bits = Math.log2(sizes.average);
    this.#strictMask = ~0 << (30 - bits);
    this.#looseMask = ~0 << (34 - bits);
  }

  /**
   * The end of the chunk that begins at `start` of `buffer`, whose bytes are known up to `end`; -1 when more are needed.
   * The next call then gives the same chunk again from its beginning, longer, wherever it lies by then. With `isLast` the
   * stream ends at `end`, and so does the chunk at the latest.
   */
  find(buffer: Buffer, start: number, end: number, isLast: boolean): number {
    const { minimum, average, maximum } = this.#sizes;
    const hashed = start + minimum;
    const limit = Math.min(end, start + maximum);
    const strictLimit = Math.min(limit, start + average);
    const from = Math.max(hashed, start + this.#searched);
    let cut = findCut(buffer, hashed, from, strictLimit, this.#strictMask);
    if (cut < 0) cut = findCut(buffer, hashed, Math.max(from, start + average), limit, this.#looseMask);
    if (cut < 0 && (isLast || limit === start + maximum)) cut = limit;
    this.#searched = cut < 0 ? limit - start : 0;
    return cut;
  }
}

/**
 * The first place from `from` up to `to` behind a byte at which the masked hash is 0; -1 when there is none. Bytes before
 * `hashed` have no part in the hash. A function of its own on small integers, which the engine makes three times faster.
 */
function findCut(buffer: Buffer, hashed: number, from: number, to: number, mask: number): number {
  const gear = GEAR;
  let fingerprint = 0;
  for (let at = Math.max(hashed, from - WINDOW) | 0; at < from; at = (at + 1) | 0) {
    fingerprint = ((fingerprint << 1) + gear[buffer[at]!]!) | 0;
  }
  for (let at = from | 0; at < to; at = (at + 1) | 0) {
    fingerprint = ((fingerprint << 1) + gear[buffer[at]!]!) | 0;
    if ((fingerprint & mask) === 0) return at + 1;
  }
  return -1;
}

import { alignDataRanges } from '../../archive/sparse-map.ts';
import { Failure } from '../../failure.ts';
import { readBytes } from '../../linux/files.ts';
import { dataRanges } from '../../linux/holes.ts';
import type { StatBuffer } from '../../linux/stat.ts';
import type { DataRange } from '../../manifest/entry.ts';

const BLOCK = 512;

/**
 * What is read of one file is at most so many bytes, or so many times what it takes on the disk: more than any compression of a file
 * system comes to. A file of many pieces far apart must not be read as the petabyte that it says it is.
 */
const UNSUSPICIOUS_BYTES = 64 * 1024 ** 3;
const MOST_FOR_A_BYTE = 512;

/** What holds the reading of files back. */
export interface ReadThrottle {
  /** The most bytes to be read at once. */
  readonly portion: number;
  /** Blocks this thread until so many bytes may be read; throws `cancelled` when nobody wants them any more. */
  wait(bytes: number): void;
}

/**
 * The bytes of an open file that are stored: all of them, or of a sparse file its data ranges one after the other, so that
 * an image with a terabyte of holes costs what is in it.
 */
export class StoredBytes {
  readonly length: number;
  /** Undefined when the file is stored whole. */
  readonly ranges: readonly DataRange[] | undefined;
  readonly #descriptor: number;
  readonly #pace: ReadThrottle | undefined;
  #range = 0;
  #inRange = 0;

  constructor(descriptor: number, stat: StatBuffer, pace: ReadThrottle | undefined) {
    this.#descriptor = descriptor;
    this.#pace = pace;
    const size = stat.size;
    const found = stat.blocks * BLOCK < size ? dataRanges(descriptor, size) : undefined;
    const ranges = found === undefined ? undefined : alignDataRanges(found, size);
    const held = ranges?.reduce((sum, range) => sum + range.length, 0);
    this.ranges = held === undefined || held === size ? undefined : ranges;
    this.length = this.ranges === undefined ? size : (held as number);
    if (this.length > Math.max(UNSUSPICIOUS_BYTES, MOST_FOR_A_BYTE * BLOCK * stat.blocks)) {
      throw new Failure('unsupported', `${this.length} bytes would have to be read of it, and it takes ${stat.blocks * BLOCK} on the disk`);
    }
  }

  /** Begins again at the first byte. */
  rewind(): void {
    this.#range = 0;
    this.#inRange = 0;
  }

  /** Reads on from where the last call ended, as much as there is up to `length`; 0 at the end or where the file was cut. */
  read(into: Buffer, at: number, length: number): number {
    let filled = 0;
    while (filled < length) {
      const range = this.ranges === undefined ? { offset: 0, length: this.length } : this.ranges[this.#range];
      if (range === undefined) break;
      const wanted = Math.min(length - filled, range.length - this.#inRange, this.#pace?.portion ?? length);
      if (wanted === 0) {
        if (this.ranges === undefined) break;
        this.#range++;
        this.#inRange = 0;
        continue;
      }
      this.#pace?.wait(wanted);
      const got = readBytes(this.#descriptor, into, at + filled, wanted, range.offset + this.#inRange);
      if (got === 0) break;
      filled += got;
      this.#inRange += got;
    }
    return filled;
  }
}

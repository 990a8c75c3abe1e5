import { FileBytes } from '../../linux/file-bytes.ts';
import { unnamedFile } from '../../linux/unnamed-file.ts';
import { writeAll } from '../../linux/write-all.ts';
import { exactRange, type RandomAccess } from '../../manifest/read/random-access.ts';

/** Reads a stretch of an object at once. */
export type ReadNow = (offset: number, length: number) => Buffer;

/** The same of an object of a store, by its name. */
export type ReadObjectNow = (name: string, offset: number, length: number) => Buffer;

/** What is fetched together, in bytes: the blocks of a manifest are a few of these. */
const PAGE = 64 * 1024;
/** Whoever goes through an object from its beginning gets more each time, up to so many pages. */
const MOST_PAGES = 64;

/**
 * An object of a store as a local file without a name, which has what was read so far: the rest is fetched when it is asked for. Threads that share
 * the descriptor may read only what this one has read before.
 */
export class SparseCopy implements RandomAccess {
  readonly size: number;
  readonly descriptor: number;
  readonly #name: string;
  readonly #file: FileBytes;
  readonly #readNow: ReadNow;
  readonly #present: Uint8Array;
  #next = 0;
  #ahead = 1;

  /** `folder` is private; `name` and `size` are those of the object. */
  constructor(folder: string, name: string, size: number, readNow: ReadNow) {
    this.descriptor = unnamedFile(folder);
    this.size = size;
    this.#name = name;
    this.#file = new FileBytes(this.descriptor, name, size);
    this.#readNow = readNow;
    this.#present = new Uint8Array(Math.ceil(size / PAGE));
  }

  read(offset: number, length: number): Buffer {
    this.fill(offset, length);
    return this.#file.read(offset, length);
  }

  /** Has a stretch in the file. */
  fill(offset: number, length: number): void {
    const end = exactRange(this.#name, this.size, offset, length);
    const last = Math.ceil(end / PAGE);
    for (let page = Math.floor(offset / PAGE); page < last; page++) {
      if (this.#present[page] === 0) this.#fetch(page, last);
    }
  }

  /** Fetches the pages from `first` on that are missing, as one stretch: as far as `last`, or further when this goes on from the one before. */
  #fetch(first: number, last: number): void {
    this.#ahead = first === this.#next ? Math.min(2 * this.#ahead, MOST_PAGES) : 1;
    const furthest = Math.min(this.#present.length, Math.max(last, first + this.#ahead));
    let end = first + 1;
    while (end < furthest && this.#present[end] === 0) end++;
    const offset = first * PAGE;
    const bytes = this.#readNow(offset, Math.min(end * PAGE, this.size) - offset);
    writeAll(this.descriptor, bytes, offset);
    this.#present.fill(1, first, end);
    this.#next = end;
  }

  close(): void {
    this.#file.close();
  }
}

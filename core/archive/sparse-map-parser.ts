import type { DataRange } from '../manifest/entry.ts';
import { damagedTar } from './damage.ts';
import { SPARSE_RANGES_LIMIT } from './sparse-map.ts';
import { BLOCK } from './ustar.ts';

const NEWLINE = 0x0a;
const ZERO = 0x30;
const DIGITS_LIMIT = 16;

/** Reads the map of a GNU.sparse 1.0 member block by block, because only its end tells how long it is. */
export class SparseMapParser {
  readonly #size: number;
  readonly #numbers: number[] = [];
  #count: number | undefined;
  #current = 0;
  #digits = 0;

  /** `size` is what the file has when it is put together. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Takes the next 512 bytes; returns the ranges when the map ends in them. */
  push(block: Buffer): DataRange[] | undefined {
    for (let at = 0; at < BLOCK; at++) {
      if (this.#isComplete) {
        if (block[at] !== 0) throw damagedTar('something follows a sparse map');
      } else this.#take(block[at]!);
    }
    return this.#isComplete ? this.#ranges() : undefined;
  }

  get #isComplete(): boolean {
    return this.#count !== undefined && this.#numbers.length === this.#count * 2;
  }

  #take(byte: number): void {
    if (byte === NEWLINE && this.#digits > 0) {
      if (this.#count === undefined) this.#count = this.#checkCount(this.#current);
      else this.#numbers.push(this.#current);
      this.#current = 0;
      this.#digits = 0;
      return;
    }
    const digit = byte - ZERO;
    if (digit < 0 || digit > 9 || ++this.#digits > DIGITS_LIMIT) throw damagedTar('a sparse map is not made of numbers');
    this.#current = this.#current * 10 + digit;
  }

  #checkCount(count: number): number {
    // One more than a file may have ranges: the mark of a hole at its end.
    if (count < 1 || count > SPARSE_RANGES_LIMIT + 1) throw damagedTar(`a sparse map of ${count} ranges`);
    return count;
  }

  #ranges(): DataRange[] {
    const ranges: DataRange[] = [];
    let end = 0;
    for (let index = 0; index < this.#numbers.length; index += 2) {
      const offset = this.#numbers[index]!;
      const length = this.#numbers[index + 1]!;
      const isLast = index + 2 === this.#numbers.length;
      const inPlace = offset >= end && offset + length <= this.#size && (isLast ? offset + length === this.#size : length % BLOCK === 0);
      if (!inPlace || (length === 0 && !isLast)) throw damagedTar('the ranges of a sparse map are out of place');
      end = offset + length;
      if (length > 0) ranges.push({ offset, length });
    }
    return ranges;
  }
}

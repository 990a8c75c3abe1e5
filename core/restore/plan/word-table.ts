import { word } from '../../manifest/format/columns.ts';

const FIRST_ROWS = 64;

/**
 * A growing table of unsigned 32-bit numbers, `width` of them a row, outside the object heap: a plan has a row for every entry, and
 * there may be millions.
 */
export class WordTable {
  readonly width: number;
  #words: Uint32Array<ArrayBuffer>;
  #length = 0;

  constructor(width: number) {
    this.width = width;
    this.#words = new Uint32Array(FIRST_ROWS * width);
  }

  /** Rows so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends a row of exactly `width` numbers and returns its index. */
  push(...row: readonly number[]): number {
    const at = this.#length * this.width;
    if (at === this.#words.length) this.#words = new Uint32Array(this.#words.buffer.transfer(this.#words.byteLength * 2));
    for (let column = 0; column < this.width; column++) this.#words[at + column] = row[column] as number;
    return this.#length++;
  }

  get(row: number, column: number): number {
    return word(this.#words, row * this.width + column);
  }

  set(row: number, column: number, value: number): void {
    this.#words[row * this.width + column] = value;
  }

  /** A copy of the rows from `begin` up to, and without, `end`, one after the other. */
  rows(begin: number, end: number): Uint32Array {
    return this.#words.slice(begin * this.width, Math.min(end, this.#length) * this.width);
  }

  /** The row numbers, ordered by column `column` and, where that is equal, as they were added. */
  orderBy(column: number): Uint32Array {
    // One number a row, its key above its index, so that the engine's native sort does it without a comparator.
    const keys = new Uint32Array(this.#length * 2);
    for (let row = 0; row < this.#length; row++) {
      keys[row * 2] = row;
      keys[row * 2 + 1] = this.get(row, column);
    }
    new BigUint64Array(keys.buffer).sort();
    const order = new Uint32Array(this.#length);
    for (let row = 0; row < this.#length; row++) order[row] = word(keys, row * 2);
    return order;
  }
}

import { word } from '../../manifest/format/columns.ts';

const FIRST_CAPACITY = 1024;
/** Of its places a table fills at most so many hundredths before it grows. */
const MOST_FILLED = 60;

/** The words of a `struct statx` (linux/stat.h) that name a directory for good: inode, device, and birth, for inodes are given again. */
const NAMING = [8, 9, 34, 35, 20, 22] as const;

/**
 * The directories that a walk has entered: one that moves on ahead of the walk would be read at each place that it comes to. About
 * 13 bytes for each, a hash of 64 bits.
 */
export class SeenDirectories {
  #hashes = new Uint32Array(2 * FIRST_CAPACITY);
  #count = 0;

  /** Adds the directory whose `struct statx` begins at `at` of `words`; false when it was there already. */
  add(words: Uint32Array, at = 0): boolean {
    let low = 0x811c_9dc5;
    let high = 0x9e37_79b9;
    for (const field of NAMING) {
      const value = word(words, at + field);
      low = mixed(Math.imul(low ^ value, 0x0100_0193));
      high = mixed(Math.imul(high ^ value, 0x85eb_ca6b));
    }
    // Zeros stand for an empty place.
    if (!this.#put(low >>> 0, high >>> 0 || 1)) return false;
    if (++this.#count * 100 > MOST_FILLED * (this.#hashes.length / 2)) this.#grow();
    return true;
  }

  #put(low: number, high: number): boolean {
    const hashes = this.#hashes;
    const last = hashes.length / 2 - 1;
    for (let place = low & last; ; place = (place + 1) & last) {
      const there = hashes[2 * place + 1];
      if (there === 0) {
        hashes[2 * place] = low;
        hashes[2 * place + 1] = high;
        return true;
      }
      if (there === high && hashes[2 * place] === low) return false;
    }
  }

  #grow(): void {
    const before = this.#hashes;
    this.#hashes = new Uint32Array(2 * before.length);
    for (let at = 0; at < before.length; at += 2) {
      if (before[at + 1] !== 0) this.#put(word(before, at), word(before, at + 1));
    }
  }
}

function mixed(value: number): number {
  const half = value ^ (value >>> 15);
  return half ^ (half >>> 13);
}

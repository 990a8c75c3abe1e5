import type { Random } from './random.ts';

const LENGTH = 4 * 1024 * 1024;
const SIGNS = ['(', ');\n', ' = $', '->', "['", "'];\n", ' {\n  ', '}\n', ' // ', ', ', ' return ', ' function '];

/** Text like program code, which compresses three to four times. */
export class TextSource {
  readonly #random: Random;
  readonly #pool: Buffer;

  constructor(random: Random) {
    this.#random = random;
    const parts: string[] = [];
    for (let length = 0; length < LENGTH; ) {
      const name = random.chance(0.3) ? random.below(0x7fffffff).toString(36) : random.word();
      const part = name + random.pick(SIGNS);
      parts.push(part);
      length += part.length;
    }
    this.#pool = Buffer.from(parts.join(''));
  }

  /** A stretch of the text that begins somewhere else each time. */
  slice(length: number): Buffer {
    const start = this.#random.below(this.#pool.length - length);
    return this.#pool.subarray(start, start + length);
  }
}

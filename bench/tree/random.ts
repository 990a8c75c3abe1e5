import { createHash } from 'node:crypto';

/** A small generator of numbers (sfc32, Chris Doty-Humphrey) that gives the same ones for the same label, always. */
export class Random {
  readonly #state = new Uint32Array(4);

  constructor(label: string) {
    const digest = createHash('sha256').update(label).digest();
    for (let index = 0; index < 4; index++) this.#state[index] = digest.readUInt32LE(index * 4);
  }

  /** 32 random bits. */
  word(): number {
    const state = this.#state;
    const [a, b, c, counter] = [state[0]!, state[1]!, state[2]!, state[3]!];
    const result = (((a + b) | 0) + counter) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = (c + (c << 3)) | 0;
    state[2] = (((c << 21) | (c >>> 11)) + result) | 0;
    state[3] = (counter + 1) | 0;
    return result >>> 0;
  }

  /** From 0 up to, and without, `limit`. */
  below(limit: number): number {
    return Math.floor((this.word() / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.word() < probability * 2 ** 32;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** Between two lengths, evenly on a logarithmic scale; a `bias` above 1 makes the short ones more frequent. */
  length(shortest: number, longest: number, bias = 1): number {
    return Math.floor(shortest * (longest / shortest) ** ((this.word() / 2 ** 32) ** bias));
  }

  /** Fills a buffer with what no compressor makes smaller. */
  fill(buffer: Buffer): void {
    let word = this.word() | 1;
    const words = buffer.length >>> 2;
    for (let index = 0; index < words; index++) {
      // xorshift32 (George Marsaglia): not good randomness, but fast and not compressible.
      word ^= word << 13;
      word ^= word >>> 17;
      word ^= word << 5;
      buffer.writeInt32LE(word, index * 4);
    }
    for (let at = words * 4; at < buffer.length; at++) buffer[at] = this.below(256);
  }
}

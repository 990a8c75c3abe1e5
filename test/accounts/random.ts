const WORDS =
  'admin class cache config core data form image index lang library menu module option page plugin style theme user widget'.split(' ');

/** Numbers that are the same each time for a seed (xorshift32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 2_654_435_761) ^ 0x9e3779b9) >>> 0 || 1;
  }

  /** From 0 up to but without `limit`. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % limit;
  }

  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  word(): string {
    return this.pick(WORDS);
  }

  /** Between two sizes, small ones the more often the larger `skew` is. */
  skewed(least: number, most: number, skew = 3): number {
    return least + Math.floor((most - least) * (this.below(1_000_000) / 1_000_000) ** skew);
  }

  /** Bytes that do not compress. */
  bytes(length: number): Buffer {
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let index = 0; index < words.length; index++) words[index] = this.below(0x1_0000_0000);
    return Buffer.from(words.buffer, 0, length);
  }
}

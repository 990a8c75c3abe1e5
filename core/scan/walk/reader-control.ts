const NEXT_SEGMENT = 0;
const GIVEN_UP = 1;
const NEWS = 2;
const READERS = 3;

/**
 * The numbers through which readers and the main thread agree. Readers take segments in order; each fills its own ring of pages,
 * and waits while all of them are full.
 *
 * This cannot come to a standstill. The main thread wants pages of one segment, having taken all of those before. If that
 * segment is not taken, no later one is, so whoever took the earlier ones has finished them, nothing is left in any ring, and
 * the next free reader takes it. If it is taken, its reader's ring holds nothing older: either there is a page of it to take,
 * or room to write one.
 */
export class ReadControl {
  readonly #numbers: Int32Array;
  readonly #readers: number;

  /** Shared memory for so many readers and segments. */
  static allocate(readers: number, segments: number): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * (READERS + 2 * readers + segments));
  }

  constructor(memory: SharedArrayBuffer, readers: number) {
    this.#numbers = new Int32Array(memory);
    this.#readers = readers;
  }

  /** The next segment that nobody has taken, which may be behind the last. */
  takeSegment(): number {
    return Atomics.add(this.#numbers, NEXT_SEGMENT, 1);
  }

  /** Says who reads a segment. */
  own(segment: number, reader: number): void {
    Atomics.store(this.#numbers, READERS + 2 * this.#readers + segment, reader + 1);
    this.reportNews();
  }

  /** The reader of a segment, -1 while it has none. */
  ownerOf(segment: number): number {
    return Atomics.load(this.#numbers, READERS + 2 * this.#readers + segment) - 1;
  }

  /** Pages that a reader has filled, and those of them that were used. */
  filled(reader: number): number {
    return Atomics.load(this.#numbers, READERS + 2 * reader);
  }

  used(reader: number): number {
    return Atomics.load(this.#numbers, READERS + 2 * reader + 1);
  }

  countFilled(reader: number): void {
    Atomics.add(this.#numbers, READERS + 2 * reader, 1);
    this.reportNews();
  }

  countUsed(reader: number): void {
    Atomics.add(this.#numbers, READERS + 2 * reader + 1, 1);
    Atomics.notify(this.#numbers, READERS + 2 * reader + 1);
  }

  /** Blocks this reader's thread until fewer than `pages` filled pages are unused; false when the unit was given up. */
  waitForRoom(reader: number, pages: number): boolean {
    while (!this.isGivenUp) {
      const used = this.used(reader);
      if (this.filled(reader) - used < pages) return true;
      Atomics.wait(this.#numbers, READERS + 2 * reader + 1, used);
    }
    return false;
  }

  get isGivenUp(): boolean {
    return Atomics.load(this.#numbers, GIVEN_UP) !== 0;
  }

  cancel(): void {
    Atomics.store(this.#numbers, GIVEN_UP, 1);
    // A reader that looked just before this waits for a number that has changed.
    for (let reader = 0; reader < this.#readers; reader++) this.countUsed(reader);
  }

  reportNews(): void {
    Atomics.add(this.#numbers, NEWS, 1);
    Atomics.notify(this.#numbers, NEWS);
  }

  get news(): number {
    return Atomics.load(this.#numbers, NEWS);
  }

  /** Resolves when there are other news than those. */
  async newsAfter(news: number): Promise<void> {
    await Atomics.waitAsync(this.#numbers, NEWS, news).value;
  }
}

const SECOND = 1_000_000_000n;

/** Bytes a second, and the moment at which all that were taken will have flowed: nanoseconds on the monotonic clock, shared by threads. */
export interface SharedBucket {
  readonly bytesPerSecond: number;
  readonly allFlowed: SharedArrayBuffer;
}

/**
 * A rate that several threads keep together. Whoever takes bytes waits until they have flowed; after a rest what flows in one
 * second may be taken at once. So in any time no more is used than flows in it and one second.
 */
export class ByteBucket {
  /** The most that should be taken at once, so that what is used flows evenly. */
  readonly portion: number;
  readonly #allFlowed: BigInt64Array;

  /** A full bucket, to be handed to every thread. */
  static share(bytesPerSecond: number): SharedBucket {
    return { bytesPerSecond, allFlowed: new SharedArrayBuffer(8) };
  }

  constructor({ bytesPerSecond, allFlowed }: SharedBucket) {
    this.portion = bytesPerSecond;
    this.#allFlowed = new BigInt64Array(allFlowed);
  }

  /** Takes bytes at the time `now` (nanoseconds); returns the milliseconds to wait before they are used. */
  take(bytes: number, now: bigint): number {
    const duration = (BigInt(bytes) * SECOND) / BigInt(this.portion);
    for (;;) {
      const before = Atomics.load(this.#allFlowed, 0);
      const rested = now - SECOND;
      const after = (before > rested ? before : rested) + duration;
      if (Atomics.compareExchange(this.#allFlowed, 0, before, after) !== before) continue;
      return after <= now ? 0 : Number(after - now) / 1e6;
    }
  }
}

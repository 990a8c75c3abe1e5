import { setTimeout as wait } from 'node:timers/promises';
import { asFailure } from '../../failure.ts';

/** How long is tried again, in milliseconds. */
export interface Patience {
  /** The longest first pause; each is twice as long. */
  readonly first: number;
  readonly longest: number;
  /** After so long no new attempt begins. */
  readonly total: number;
}

/** A store that restarts is back within minutes; whoever waits for a restore gives up later than that. */
export const USUAL_PATIENCE: Patience = { first: 200, longest: 20_000, total: 300_000 };

/**
 * Tries an action again as long as it fails in a way that passes by itself (`Failure.retry`). Pauses grow and are random between zero and
 * their length, so that many servers do not come back in the same moment ("full jitter": M. Brooker, Exponential Backoff and Jitter, 2015).
 */
export async function persistently<T>(action: () => Promise<T>, patience = USUAL_PATIENCE): Promise<T> {
  const pauses = new Pauses(patience);
  for (;;) {
    try {
      return await action();
    } catch (error) {
      await pauses.after(error);
    }
  }
}

/** The pauses between the attempts of one action. */
export class Pauses {
  readonly #longest: number;
  readonly #end: number;
  #next: number;

  constructor({ first, longest, total }: Patience) {
    this.#longest = longest;
    this.#end = performance.now() + total;
    this.#next = first;
  }

  /** Waits before the next attempt; throws what the last one failed with where there is none. */
  async after(error: unknown): Promise<void> {
    const failure = asFailure(error);
    if (!failure.retry || failure.code === 'disk_full' || performance.now() >= this.#end) throw failure;
    await wait(Math.random() * this.#next);
    this.#next = Math.min(2 * this.#next, this.#longest);
  }
}

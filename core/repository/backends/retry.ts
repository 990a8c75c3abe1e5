import { setTimeout as wait } from 'node:timers/promises';
import { asFailure, Failure } from '../../failure.ts';
import { currentOperation, type Operation } from './operation.ts';

/** How long is tried again, in milliseconds. */
export interface Patience {
  /** The longest first pause; each is twice as long. */
  readonly first: number;
  readonly longest: number;
  /** So long after the first one failed no new attempt begins. */
  readonly total: number;
  /** What fails for so long is not worth a word; afterwards there is one now and then. */
  readonly quiet: number;
}

/** Between two words about what is still tried again, in milliseconds. */
const TOLD_EVERY = 30_000;

/** A store that restarts is back within minutes; whoever waits for a restore gives up later than that. */
export const USUAL_PATIENCE: Patience = { first: 200, longest: 20_000, total: 300_000, quiet: 5000 };

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
  readonly #patience: Patience;
  /** From the first failure on: what took long and went well until then has used up nothing. */
  #end: number | undefined;
  #quietUntil = 0;
  #next: number;

  constructor(patience: Patience) {
    this.#patience = patience;
    this.#next = patience.first;
  }

  /** Something went well meanwhile: what fails next is the first again. */
  renew(): void {
    this.#end = undefined;
    this.#next = this.#patience.first;
  }

  /** Waits before the next attempt; throws what the last one failed with where there is none. */
  async after(error: unknown): Promise<void> {
    const failure = asFailure(error);
    const operation = currentOperation();
    const { total, quiet, longest } = this.#patience;
    const now = performance.now();
    if (this.#end === undefined) {
      this.#end = now + Math.min(total, operation?.patience ?? total);
      this.#quietUntil = now + quiet;
    }
    if (!failure.retry || failure.code === 'disk_full' || now >= this.#end) throw failure;
    if (operation !== undefined) this.#tell(failure, operation, this.#end);
    try {
      await wait(Math.random() * this.#next, undefined, operation === undefined ? {} : { signal: operation.signal });
    } catch {
      throw new Failure('cancelled', `stopped while this was tried again: ${failure.message}`, {
        affected: failure.affected,
        cause: failure,
      });
    }
    this.#next = Math.min(2 * this.#next, longest);
  }

  /** Says what is waited for, when it lasts: after some seconds, then each half minute. */
  #tell({ code, message, affected }: Failure, { notify }: Operation, end: number): void {
    const now = performance.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + TOLD_EVERY;
    const seconds = Math.max(0, Math.round((end - now) / 1000));
    notify({ level: 'warning', code, message: `${message}; trying again for at most ${seconds} seconds`, affected });
  }
}

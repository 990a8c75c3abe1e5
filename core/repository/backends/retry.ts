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
  /** Of all requests to one store together; left out: each is tried as long as the others. */
  readonly endurance?: Endurance;
}

/** Between two words about what is still tried again, in milliseconds. */
const TOLD_EVERY = 30_000;

/** A store that restarts is back within minutes; whoever waits for a restore gives up later than that. */
export const USUAL_PATIENCE: Patience = { first: 200, longest: 20_000, total: 300_000, quiet: 5000 };

/** With less patience than this, in milliseconds, a store that does not answer is not waited for, but asked now and then. */
const LEAST_PATIENCE = 10_000;
const ASKED_EVERY = 30_000;

/**
 * How long a store that answers nobody is waited for by all requests together. Each time one gave up the next are tried half as long, and in the end not
 * at all but for one now and then: a restore of many files would wait five minutes for each of them. An answer makes all that undone.
 */
export class Endurance {
  #halvings = 0;
  #last: Failure | undefined;
  #asked = 0;

  /** What one that begins now can tell later by. */
  get age(): number {
    return this.#halvings;
  }

  /** Of so many milliseconds those that one who begins now may take. */
  share(total: number): number {
    return total / 2 ** this.#halvings;
  }

  /** Throws what the last one failed with, when nothing else is to be expected. */
  check(total: number): void {
    if (this.#last === undefined || this.share(total) >= Math.min(LEAST_PATIENCE, total)) return;
    const now = performance.now();
    if (now - this.#asked < ASKED_EVERY) throw this.#last;
    this.#asked = now;
  }

  answered(): void {
    this.#halvings = 0;
    this.#last = undefined;
  }

  /** Those that began together count once. */
  gaveUp(failure: Failure, age: number): void {
    if (failure.code !== 'repository_unreachable') return;
    this.#last = failure;
    this.#asked = performance.now();
    if (age === this.#halvings) this.#halvings++;
  }
}

/** Of a store of its own. */
export function usualPatience(): Patience {
  return { ...USUAL_PATIENCE, endurance: new Endurance() };
}

/**
 * Tries an action again as long as it fails in a way that passes by itself (`Failure.retry`). Pauses grow and are random between zero and
 * their length, so that many servers do not come back in the same moment ("full jitter": M. Brooker, Exponential Backoff and Jitter, 2015).
 */
export async function persistently<T>(action: () => Promise<T>, patience = USUAL_PATIENCE): Promise<T> {
  const pauses = new Pauses(patience);
  for (;;) {
    try {
      const result = await action();
      pauses.answered();
      return result;
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

  readonly #age: number;

  /** Throws when the store is not worth a try any more. */
  constructor(patience: Patience) {
    patience.endurance?.check(patience.total);
    this.#age = patience.endurance?.age ?? 0;
    this.#patience = patience;
    this.#next = patience.first;
  }

  /** Something went well meanwhile: what fails next is the first again. */
  renew(): void {
    this.#end = undefined;
    this.#next = this.#patience.first;
  }

  /** To be called when the store did what it was asked. */
  answered(): void {
    this.#patience.endurance?.answered();
  }

  /** Waits before the next attempt; throws what the last one failed with where there is none. */
  async after(error: unknown): Promise<void> {
    const failure = asFailure(error);
    const operation = currentOperation();
    const { quiet, longest, endurance } = this.#patience;
    const total = endurance?.share(this.#patience.total) ?? this.#patience.total;
    const now = performance.now();
    if (this.#end === undefined) {
      this.#end = now + Math.min(total, operation?.patience ?? total);
      this.#quietUntil = now + quiet;
    }
    if (!failure.retry || failure.code === 'disk_full') {
      this.answered();
      throw failure;
    }
    if (now >= this.#end) {
      endurance?.gaveUp(failure, this.#age);
      throw failure;
    }
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

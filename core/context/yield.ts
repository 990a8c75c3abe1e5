import { setImmediate } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import type { Context } from './context.ts';

/** Steps of a walk between two looks at the abort signal: some milliseconds. */
const STEPS = 4096;

/** Lets messages and signals in during a long walk. */
export class Yielder {
  readonly #signal: AbortSignal;
  #steps = 0;

  constructor({ signal }: Pick<Context, 'signal'>) {
    this.#signal = signal;
  }

  /** To be asked at each step; true when `take` is due. */
  isDue(): boolean {
    return ++this.#steps % STEPS === 0;
  }

  /** Throws `cancelled` when the command is to stop. */
  async take(): Promise<void> {
    await setImmediate();
    if (this.#signal.aborted) throw new Failure('cancelled', 'stopped on request');
  }
}

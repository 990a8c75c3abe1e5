import { Failure } from '../failure.ts';
import { breath, isBreathDue } from './breath.ts';
import type { Context } from './context.ts';

/** Steps of a walk between two looks at the clock: less than a millisecond, unless the steps are large. */
const STEPS = 64;

/** Lets messages and signals in during a long walk. */
export class Yielder {
  readonly #signal: AbortSignal;
  #steps = 0;

  constructor({ signal }: Pick<Context, 'signal'>) {
    this.#signal = signal;
  }

  /** To be asked at each step; true when `take` is due. */
  isDue(): boolean {
    return ++this.#steps % STEPS === 0 && isBreathDue();
  }

  /** Throws `cancelled` when the command is to stop. */
  async take(): Promise<void> {
    await breath();
    if (this.#signal.aborted) throw new Failure('cancelled', 'stopped on request');
  }
}

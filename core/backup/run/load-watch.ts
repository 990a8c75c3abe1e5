import { loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Context, Machine } from '../../context/context.ts';
import type { NoticeCode } from '../../context/notice.ts';

/** Between two looks at the load, in milliseconds. The kernel counts it anew as often. */
const LOOK_INTERVAL = 5000;

/** The longest that one run pauses, all pauses together: a backup that never happens is worse than load. */
const LONGEST_PAUSE = 60 * 60 * 1000;

const THIS_MACHINE: Machine = {
  load: () => loadavg()[0] as number,
  wait: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }).catch(() => {}),
};

/** What is told to stop and to go on. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** Has a run pause while the load is above a limit. Looks at once and then every few seconds, until it is stopped. */
export class LoadWatch {
  readonly #limit: number;
  readonly #reporter: Context['reporter'];
  readonly #work: readonly Pausable[];
  readonly #machine: Machine;
  readonly #signal: AbortSignal;
  readonly #stopped = new AbortController();
  readonly #ended: Promise<void>;
  #pause: PromiseWithResolvers<void> | undefined;

  /** `pause` of all work is called at each look that finds too much, `resume` when the pause is over, also when `signal` is raised. */
  constructor(
    limit: number,
    { reporter, signal, machine = THIS_MACHINE }: Pick<Context, 'reporter' | 'signal' | 'machine'>,
    work: readonly Pausable[],
  ) {
    this.#limit = limit;
    this.#reporter = reporter;
    this.#work = work;
    this.#machine = machine;
    this.#signal = AbortSignal.any([signal, this.#stopped.signal]);
    this.#ended = this.#watch();
  }

  /** Resolves when the run does not pause, or is to end. */
  async pass(): Promise<void> {
    while (this.#pause !== undefined) await this.#pause.promise;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#ended;
  }

  async #watch(): Promise<void> {
    for (let paused = 0; !this.#signal.aborted; ) {
      const load = this.#machine.load();
      if (load <= this.#limit) this.#goOn(load);
      else if (paused < LONGEST_PAUSE) this.#rest(load);
      else break;
      await this.#machine.wait(LOOK_INTERVAL, this.#signal);
      if (this.#pause !== undefined) paused += LOOK_INTERVAL;
    }
    if (!this.#signal.aborted) {
      const message = `the load was above ${this.#limit} for an hour in all; the backup goes on now`;
      this.#reporter.log({ level: 'warning', code: 'paused_too_long', message });
    }
    this.#release();
  }

  #rest(load: number): void {
    if (this.#pause === undefined) {
      this.#pause = Promise.withResolvers();
      this.#log('paused', `the load is ${load.toFixed(2)}, above ${this.#limit}: the backup pauses`);
    }
    for (const work of this.#work) work.pause();
  }

  #goOn(load: number): void {
    if (this.#pause === undefined) return;
    this.#log('resumed', `the load is ${load.toFixed(2)}: the backup goes on`);
    this.#release();
  }

  #release(): void {
    if (this.#pause === undefined) return;
    for (const work of this.#work) work.resume();
    this.#pause.resolve();
    this.#pause = undefined;
  }

  #log(code: NoticeCode, message: string): void {
    this.#reporter.log({ level: 'info', code, message });
  }
}

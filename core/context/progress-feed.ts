import type { Progress } from './context.ts';
import { type Rate, RateMeter } from './rate-meter.ts';

/** At most five a second: more cost whoever looks time and tell nobody more. */
const INTERVAL_MS = 200;

/** Progress as both front ends show it. */
export interface ShownProgress extends Progress {
  /** In whole entries and bytes a second. Left out while nobody can know. */
  readonly rate?: Rate;
  /** Left out while nobody can know. */
  readonly secondsLeft?: number;
}

/** Between a command, which tells its progress whenever it likes, and a front end: throttles it, and adds rate and time left. */
export class ProgressFeed {
  readonly #show: (progress: ShownProgress) => void;
  readonly #now: () => number;
  readonly #meter = new RateMeter();
  #last = Number.NEGATIVE_INFINITY;
  #held: Progress | undefined;

  /** `now` is in milliseconds. */
  constructor(show: (progress: ShownProgress) => void, now: () => number = performance.now.bind(performance)) {
    this.#show = show;
    this.#now = now;
  }

  add(progress: Progress): void {
    this.#held = progress;
    if (this.#now() - this.#last >= INTERVAL_MS) this.finish();
  }

  /** Shows the last state, which the pace may have held back. */
  finish(): void {
    const progress = this.#held;
    if (progress === undefined) return;
    this.#held = undefined;
    this.#last = this.#now();
    this.#meter.add(progress, this.#last / 1000);
    this.#show({ ...progress, ...totals(progress), ...this.#pace(progress) });
  }

  #pace(progress: Progress): Pick<ShownProgress, 'rate' | 'secondsLeft'> {
    const { rate } = this.#meter;
    const seconds = this.#meter.secondsLeft(progress);
    return {
      ...(rate === undefined ? {} : { rate: { entries: Math.round(rate.entries), bytes: Math.round(rate.bytes) } }),
      ...(seconds === undefined ? {} : { secondsLeft: Math.ceil(seconds) }),
    };
  }
}

/** A total may have been an estimate: it is never less than what is done. */
function totals({ entries, entriesTotal, bytes, bytesTotal }: Progress): Pick<Progress, 'entriesTotal' | 'bytesTotal'> {
  return {
    ...(entriesTotal === undefined ? {} : { entriesTotal: Math.max(entriesTotal, entries) }),
    ...(bytesTotal === undefined ? {} : { bytesTotal: Math.max(bytesTotal, bytes) }),
  };
}

import type { Progress } from './context.ts';

/** The rate is taken over this time, so that it follows a change of the load without jumping. */
const WINDOW_SECONDS = 15;

interface Sample {
  readonly time: number;
  readonly bytes: number;
  readonly entries: number;
}

/** What is done in a second. */
export interface Rate {
  readonly entries: number;
  readonly bytes: number;
}

/** Rate and time left of one phase of one unit, from what it reports. */
export class PaceMeter {
  #samples: Sample[] = [];
  #phase = '';

  /** To be called a few times a second, with the time in seconds. */
  add({ unit, phase, bytes, entries }: Progress, time: number): void {
    const key = `${unit} ${phase}`;
    if (key !== this.#phase) this.#samples = [];
    this.#phase = key;
    this.#samples.push({ time, bytes, entries });
    while (this.#samples.length > 2 && (this.#samples[0]?.time ?? time) < time - WINDOW_SECONDS) this.#samples.shift();
  }

  /** Undefined while nobody can know. */
  get rate(): Rate | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const seconds = first && last ? last.time - first.time : 0;
    if (!first || !last || seconds <= 0) return undefined;
    return { entries: (last.entries - first.entries) / seconds, bytes: (last.bytes - first.bytes) / seconds };
  }

  /** What takes longer decides: many small entries, or many bytes. Undefined where one of them cannot be known. */
  secondsLeft({ entries, entriesTotal, bytes, bytesTotal, byEntries }: Progress): number | undefined {
    const { rate } = this;
    if (rate === undefined) return undefined;
    const measures: number[] = [];
    if (entriesTotal !== undefined) measures.push(timeFor(entriesTotal - entries, rate.entries));
    if (bytesTotal !== undefined && byEntries !== true) measures.push(timeFor(bytesTotal - bytes, rate.bytes));
    const longest = Math.max(...measures);
    return Number.isFinite(longest) ? longest : undefined;
  }
}

/** Infinity when more is done than there was to be, which was an estimate then, and when nothing moves. */
function timeFor(remaining: number, rate: number): number {
  if (remaining === 0) return 0;
  return remaining < 0 || rate <= 0 ? Number.POSITIVE_INFINITY : remaining / rate;
}

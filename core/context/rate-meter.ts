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
export class RateMeter {
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

  /**
   * Entries and bytes count together, as the work that they are: a huge file, during which no entry is done, and many small
   * ones, during which few bytes are, say the same then. Undefined where nobody can know.
   */
  secondsLeft({ entries, entriesTotal, bytes, bytesTotal, byEntries }: Progress): number | undefined {
    const { rate } = this;
    if (rate === undefined || (entriesTotal === undefined && bytesTotal === undefined)) return undefined;
    const entriesLeft = (entriesTotal ?? entries) - entries;
    const bytesLeft = byEntries === true ? 0 : (bytesTotal ?? bytes) - bytes;
    // It was an estimate then.
    if (entriesLeft < 0 || bytesLeft < 0) return undefined;
    const left = work(entriesTotal === undefined ? 0 : entriesLeft, bytesLeft);
    if (left === 0) return 0;
    const done = work(entriesTotal === undefined ? 0 : rate.entries, byEntries === true || bytesTotal === undefined ? 0 : rate.bytes);
    return done > 0 ? left / done : undefined;
  }
}

/** What a small file costs beside its content, as bytes that take as long: some 100 microseconds at 300 MB a second. */
const ENTRY_BYTES = 32 * 1024;

function work(entries: number, bytes: number): number {
  return entries * ENTRY_BYTES + bytes;
}

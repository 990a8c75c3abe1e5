import type { Progress } from '../commands/context.ts';

/** The rate is taken over this time, so that it follows a change of the load without jumping. */
const WINDOW_SECONDS = 15;

interface Sample {
  readonly time: number;
  readonly bytes: number;
  readonly entries: number;
}

export interface Pace {
  readonly bytesPerSecond: number;
  readonly entriesPerSecond: number;
  /** Undefined while nobody can know. */
  readonly secondsLeft: number | undefined;
}

/** Rate and time left of one phase of one unit, from what it reports; times in seconds. */
export class PaceMeter {
  #samples: Sample[] = [];
  #phase = '';

  add({ unit, phase, bytes, entries }: Progress, time: number): void {
    const key = `${unit} ${phase}`;
    if (key !== this.#phase) this.#samples = [];
    this.#phase = key;
    this.#samples.push({ time, bytes, entries });
    while (this.#samples.length > 2 && (this.#samples[0]?.time ?? time) < time - WINDOW_SECONDS) this.#samples.shift();
  }

  of({ bytes, bytesTotal, entries, entriesTotal }: Progress): Pace {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const seconds = first && last ? last.time - first.time : 0;
    if (!first || !last || seconds <= 0) return { bytesPerSecond: 0, entriesPerSecond: 0, secondsLeft: undefined };
    const bytesPerSecond = (last.bytes - first.bytes) / seconds;
    const entriesPerSecond = (last.entries - first.entries) / seconds;
    // What takes longer decides: many small entries, or many bytes.
    const estimates = [
      [bytesTotal, bytes, bytesPerSecond],
      [entriesTotal, entries, entriesPerSecond],
    ] as const;
    const left = estimates.flatMap(([total, done, rate]) => (total === undefined || rate <= 0 ? [] : [Math.max(0, total - done) / rate]));
    return { bytesPerSecond, entriesPerSecond, secondsLeft: left.length === 0 ? undefined : Math.max(...left) };
  }
}

import type { Progress, Reporter } from '../../context/context.ts';
import type { SnapshotRecord } from '../../repository/record.ts';

/** Tells how far a run is, unit by unit. */
export class RunProgress {
  readonly #reporter: Pick<Reporter, 'progress'>;
  readonly #unitCount: number;
  #present: Progress | undefined;
  #number: number;
  #phase: 'backup' | 'paused' = 'backup';

  /** `done`: how many of them an earlier part of the run had. */
  constructor(unitCount: number, reporter: Pick<Reporter, 'progress'>, done = 0) {
    this.#number = done;
    this.#unitCount = unitCount;
    this.#reporter = reporter;
  }

  /** The unit whose turn has come. It is told when it begins, and before that when the run pauses: what waits must be heard of, too. */
  next(unit: string): void {
    this.#present = { phase: this.#phase, unit, unitNumber: ++this.#number, unitCount: this.#unitCount, entries: 0, bytes: 0 };
    if (this.#phase === 'paused') this.#change({});
  }

  /** The unit of `next` begins. */
  begin(): void {
    this.#change({});
  }

  /**
   * How much the unit is to have, by its last snapshot. Where that is compared with, most entries cost a look and few bytes are
   * read, so bytes say nothing about the time left.
   */
  expect(last: SnapshotRecord | undefined, isCompared: boolean): void {
    if (last === undefined) return;
    const { counts, bytes } = last;
    this.#change({ entriesTotal: counts.entries, bytesTotal: bytes.total, byEntries: isCompared });
  }

  /** What is done of the unit: unchanged, or read. A file that is read once more is not done any less. */
  done(entries: number, bytes: number): void {
    const { entries: before = 0, bytes: bytesBefore = 0 } = this.#present ?? {};
    this.#change({ entries: Math.max(entries, before), bytes: Math.max(bytes, bytesBefore) });
  }

  /** To be called now and then while the run pauses. */
  pause(): void {
    this.#enter('paused');
  }

  resume(): void {
    this.#enter('backup');
  }

  #enter(phase: 'backup' | 'paused'): void {
    this.#phase = phase;
    this.#change({ phase });
  }

  #change(changed: Partial<Progress>): void {
    if (this.#present !== undefined) this.#report({ ...this.#present, ...changed });
  }

  #report(progress: Progress): void {
    this.#present = progress;
    this.#reporter.progress(progress);
  }
}

import { breath } from '../context/breath.ts';
import type { Context } from '../context/context.ts';
import { Failure } from '../failure.ts';

/** Who is told of the bytes that were read, and asked every few megabytes whether to go on. */
export interface ReadingWatch {
  bytesRead: number;
  step(): Promise<void>;
}

/** What a verification has done so far, told as progress; and where it stops when it is told to. */
export class VerificationWatch implements ReadingWatch {
  snapshots = 0;
  objects = 0;
  entries = 0;
  bytesRead = 0;
  bytesTotal = 0;
  unit = '';
  unitNumber = 0;
  unitCount = 0;
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * To be called every few megabytes: tells the progress, lets signals and messages be handled, and throws `cancelled` when
   * the command is to stop.
   */
  async step(): Promise<void> {
    const { unit, unitNumber, unitCount, entries, bytesRead: bytes, bytesTotal } = this;
    this.#context.reporter.progress({ phase: 'verify', unit, unitNumber, unitCount, entries, bytes, bytesTotal });
    await breath();
    if (this.#context.signal.aborted) throw new Failure('cancelled', 'the verification was stopped');
  }
}

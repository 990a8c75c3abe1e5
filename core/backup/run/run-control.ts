import { Failure } from '../../failure.ts';
import type { ScanControl, ScanTotals } from '../../scan/scan.ts';
import type { LoadWatch } from './load-watch.ts';
import type { RunProgress } from './run-progress.ts';
import type { StoredOutput } from './throttled-output.ts';

interface Channels {
  readonly progress: RunProgress;
  readonly signal: AbortSignal;
  /** Has the run pause; undefined: it never does. */
  readonly load: LoadWatch | undefined;
  /** Writes an object no faster, and no more of it, than the limits let. */
  readonly throttled: (output: StoredOutput) => StoredOutput;
}

/** What ends the work of a run, has it pause, holds it back and hears how far it is: one for all units. */
export class RunControl {
  readonly progress: RunProgress;
  /** Raised when the run is to end. */
  readonly signal: AbortSignal;
  /** The same object, written no faster, and no more of it, than the limits let. */
  readonly throttled: (output: StoredOutput) => StoredOutput;
  readonly #load: LoadWatch | undefined;

  constructor({ progress, signal, load, throttled }: Channels) {
    this.progress = progress;
    this.signal = signal;
    this.#load = load;
    this.throttled = throttled;
  }

  /** Resolves when the run does not pause, or is to end. */
  readonly mayGoOn = async (): Promise<void> => {
    await this.#load?.pass();
  };

  /** The same for the scan of a unit of which so much is done already. */
  ofScan(done: ScanTotals): ScanControl {
    const onProgress = (entries: number, bytes: number): void => this.progress.done(done.entries + entries, done.bytes + bytes);
    return { signal: this.signal, mayGoOn: this.mayGoOn, onProgress };
  }

  /** Waits while the run pauses. Throws `cancelled`, with what was done in words, when it is to end. */
  async pass(doing: string): Promise<void> {
    await this.mayGoOn();
    if (this.signal.aborted) throw new Failure('cancelled', `stopped while ${doing}`);
  }
}

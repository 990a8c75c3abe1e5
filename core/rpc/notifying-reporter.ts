import type { LogLine, Progress, Reporter } from '../commands/context.ts';
import type { MessageWriter } from './message-writer.ts';

/** At most five `progress` notifications a second: more cost the peer time and tell nobody more. */
const PROGRESS_INTERVAL_MS = 200;

/** Turns what a command reports into `progress` and `log` notifications that name the request they belong to. */
export class NotifyingReporter implements Reporter {
  readonly #writer: Pick<MessageWriter, 'notify'>;
  readonly #request: string | number | null;
  readonly #now: () => number;
  #lastProgress = Number.NEGATIVE_INFINITY;
  #held: Progress | undefined;

  constructor(
    writer: Pick<MessageWriter, 'notify'>,
    request: string | number | null,
    now: () => number = performance.now.bind(performance),
  ) {
    this.#writer = writer;
    this.#request = request;
    this.#now = now;
  }

  progress(progress: Progress): void {
    this.#held = progress;
    if (this.#now() - this.#lastProgress >= PROGRESS_INTERVAL_MS) this.#sendHeld();
  }

  log(line: LogLine): void {
    this.#writer.notify('log', { request: this.#request, ...line });
  }

  /** Sends the last state, which the pace may have held back. */
  finish(): void {
    this.#sendHeld();
  }

  #sendHeld(): void {
    if (this.#held === undefined) return;
    this.#lastProgress = this.#now();
    this.#writer.notify('progress', { request: this.#request, ...this.#held });
    this.#held = undefined;
  }
}

import type { Progress, Reporter } from '../context/context.ts';
import type { Notice } from '../context/notice.ts';
import { ProgressFeed, type ShownProgress } from '../context/progress-feed.ts';
import { jsonLine } from '../schemas/json-text.ts';
import type { LogNotification, ProgressNotification } from '../schemas/notifications.ts';
import type { MessageWriter } from './message-writer.ts';

/** Turns what a command reports into `progress` and `log` notifications that name the request they belong to. */
export class NotifyingReporter implements Reporter {
  readonly #writer: Pick<MessageWriter, 'notify'>;
  readonly #request: string | number | null;
  readonly #feed: ProgressFeed;
  #latest: ShownProgress | undefined;

  /** `now` is in milliseconds. */
  constructor(writer: Pick<MessageWriter, 'notify'>, request: string | number | null, now?: () => number) {
    this.#writer = writer;
    this.#request = request;
    this.#feed = new ProgressFeed((progress) => {
      this.#latest = progress;
      const notification: ProgressNotification = { request, ...progress };
      writer.notify('progress', notification);
    }, now);
  }

  progress(progress: Progress): void {
    this.#feed.add(progress);
  }

  log(line: Notice): void {
    const notification: LogNotification = { request: this.#request, ...line };
    this.#writer.notify('log', notification);
  }

  /** Writes the last state to stderr, because somebody asked for it with a signal: the peer did not. */
  report(): void {
    this.#feed.finish();
    process.stderr.write(jsonLine({ request: this.#request, progress: this.#latest ?? null }));
  }

  /** Sends the last state, which the pace may have held back. */
  finish(): void {
    this.#feed.finish();
  }
}

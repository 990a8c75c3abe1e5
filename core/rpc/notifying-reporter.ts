import type { LogLine, Progress, Reporter } from '../commands/context.ts';
import { ProgressFeed } from '../commands/progress-feed.ts';
import type { LogNotification, ProgressNotification } from '../commands/schemas/notifications.ts';
import type { MessageWriter } from './message-writer.ts';

/** Turns what a command reports into `progress` and `log` notifications that name the request they belong to. */
export class NotifyingReporter implements Reporter {
  readonly #writer: Pick<MessageWriter, 'notify'>;
  readonly #request: string | number | null;
  readonly #feed: ProgressFeed;

  /** `now` is in milliseconds. */
  constructor(writer: Pick<MessageWriter, 'notify'>, request: string | number | null, now?: () => number) {
    this.#writer = writer;
    this.#request = request;
    this.#feed = new ProgressFeed((progress) => {
      const notification: ProgressNotification = { request, ...progress };
      writer.notify('progress', notification);
    }, now);
  }

  progress(progress: Progress): void {
    this.#feed.add(progress);
  }

  log(line: LogLine): void {
    const notification: LogNotification = { request: this.#request, ...line };
    this.#writer.notify('log', notification);
  }

  /** Sends the last state, which the pace may have held back. */
  finish(): void {
    this.#feed.finish();
  }
}

import type { Writable } from 'node:stream';
import { jsonLine } from '../schemas/json-text.ts';
import type { NotificationName } from '../schemas/messages.ts';
import { boundedAnswer, shortTexts } from './bounded-answer.ts';
import type { RequestId, RpcError } from './message.ts';

/** So much waits for a peer that does not read, in characters; notifications beyond it are left out. */
const UNREAD_LIMIT = 1024 * 1024;

/** The most that an answer takes, in bytes: peers read lines of some megabytes only. */
const ANSWER_LIMIT = 8 * 1024 * 1024;

/** How long a peer may take to read the last answer once the program was told to end, in milliseconds. */
const LAST_WORDS_MS = 5000;

/** The most of a text in an error or a notification, in characters. */
const TEXT_LIMIT = 16 * 1024;

/** The only one who writes to the peer: whole messages, one a line, bounded each and together. */
export class MessageWriter {
  readonly #output: Writable;
  readonly #signal: AbortSignal;
  #broken = false;
  /** Log lines that were left out because nobody read. */
  #unread = 0;

  /** `onBroken` is called once, when the peer can no longer be written to. After `signal` nobody waits for a peer any more. */
  constructor(output: Writable, signal: AbortSignal, onBroken: () => void) {
    this.#output = output;
    this.#signal = signal;
    output.on('error', () => {
      if (this.#broken) return;
      this.#broken = true;
      onBroken();
    });
  }

  /** A result beyond the limit loses rows of its lists; a `log` notification before it says how many, and of which. */
  result(id: RequestId, result: unknown): void {
    const { value, exclude } = boundedAnswer(result, ANSWER_LIMIT);
    if (exclude.size > 0) {
      const lists = [...exclude].map(([name, count]) => `${count} of ${name}`).join(', ');
      const message = `the answer would be longer than ${ANSWER_LIMIT} bytes; dropped: ${lists}`;
      this.#send({ method: 'log', params: { request: id, level: 'warning', code: 'answer_shortened', message } });
    }
    this.#send({ id, result: value });
  }

  error(id: RequestId, error: RpcError): void {
    this.#send({ id, error: shortTexts(error, TEXT_LIMIT) });
  }

  /** Nobody waits for what is told on the way: while the peer does not read, progress is left out, and log lines are counted. */
  notify(method: NotificationName, params: object): void {
    if (this.#output.writableNeedDrain && method === 'progress') return;
    if (this.#output.writableLength > UNREAD_LIMIT) this.#unread++;
    else this.#send({ method, params: shortTexts(params, TEXT_LIMIT) });
  }

  /** Resolves when the peer has read what was written so far, or never will. */
  async drained(): Promise<void> {
    if (!this.#broken && this.#output.writableNeedDrain && !this.#signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#output.once('drain', resolve);
      this.#output.once('close', resolve);
      this.#signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      this.#output.off('drain', resolve);
      this.#output.off('close', resolve);
    }
    if (this.#unread === 0) return;
    const message = `${this.#unread} log lines were dropped because nobody read them`;
    this.#unread = 0;
    this.#send({ method: 'log', params: { request: null, level: 'warning', code: 'unread', message } });
  }

  /** Ends when everything is handed to the system, or the peer is gone; after the signal soon. */
  async flush(): Promise<void> {
    if (this.#broken) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#output.write('', () => resolve());
    this.#output.once('close', resolve);
    const hurry = (): void => void setTimeout(resolve, LAST_WORDS_MS).unref();
    if (this.#signal.aborted) hurry();
    else this.#signal.addEventListener('abort', hurry, { once: true });
    await promise;
  }

  #send(message: object): void {
    if (!this.#broken) this.#output.write(jsonLine({ jsonrpc: '2.0', ...message }));
  }
}

import { EventEmitter } from 'node:events';
import type { ThreadPort } from '../../core/scan/pool-thread.ts';

/** A thread that does nothing by itself: it keeps what it is told, says what the test says, and ends when the test ends it. */
export class FakeThread<To, From> extends EventEmitter implements ThreadPort {
  readonly received: To[] = [];
  isOver = false;

  postMessage(message: unknown): void {
    if (!this.isOver) this.received.push(message as To);
  }

  say(message: From): void {
    if (!this.isOver) this.emit('message', message);
  }

  /** Ends, as a thread does: after an error that nobody caught, or without a word. */
  end(error?: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    if (error !== undefined) this.emit('error', error);
    this.emit('exit', error === undefined ? 0 : 1);
  }

  async terminate(): Promise<number> {
    this.end();
    return 1;
  }
}

/** Lets everything that was promised come to pass. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

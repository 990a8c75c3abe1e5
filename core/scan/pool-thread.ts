import { asFailure, Failure } from '../failure.ts';

/** What a pool makes use of in a `Worker` of `node:worker_threads`. */
export interface ThreadPort {
  postMessage(message: unknown): void;
  on(event: 'message' | 'messageerror' | 'error' | 'exit', listener: (value: unknown) => void): unknown;
  terminate(): Promise<number>;
}

/** Who hears of a thread. */
export interface ThreadListener<From> {
  message(message: From): void;
  /** The thread is over and does nothing any more; called once, whatever ended it. */
  ended(cause: Failure): void;
}

/** A thread of a pool: messages to and fro, and one end that nobody can miss. */
export class PoolThread<To, From> {
  /** Settles when the thread is over. */
  readonly ended: Promise<void>;
  readonly #port: ThreadPort;
  #isOver = false;
  #cause: Failure | undefined;

  constructor(port: ThreadPort, listener: ThreadListener<From>) {
    this.#port = port;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    port.on('message', (message) => listener.message(message as From));
    port.on('messageerror', (error) => {
      // What it said is lost, and whoever waits for it would wait for ever.
      this.#cause ??= asFailure(error);
      void port.terminate();
    });
    // The end itself follows: until then the thread may still be reading.
    port.on('error', (error) => {
      this.#cause ??= asFailure(error);
    });
    port.on('exit', () => {
      if (this.#isOver) return;
      this.#isOver = true;
      listener.ended(this.#cause ?? new Failure('internal', 'a thread ended too early'));
      resolve();
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** A thread that cannot be told something is of no use, and ends: what it was to do fails with the cause. */
  send(message: To): void {
    try {
      this.#port.postMessage(message);
    } catch (error) {
      this.#cause ??= asFailure(error);
      void this.#port.terminate();
    }
  }
}

/** Why a run has no thread: the system's limits, mostly. */
export function threadRefused(error: unknown): Failure {
  const { message } = asFailure(error);
  const advice = 'Raise the limit of threads and processes (TasksMax of the unit, ulimit -u, pids.max), or set fewer workers.';
  return new Failure('io_error', `no thread could be started: ${message}`, { advice, retry: true, cause: error });
}

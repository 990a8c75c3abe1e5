import { isMainThread, MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { Failure, type FailureCode } from '../../failure.ts';
import { startWorker } from '../../workers.ts';
import { currentTraffic } from './operation.ts';
import type { StoreSettings } from './store-settings.ts';
import type { Stats } from './traffic.ts';

/** A stretch of an object that is asked for. */
export interface RangeRequest {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

/** With what the thread asked of the store for it. */
export type RangeAnswer = { readonly stats: Stats } & (
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly failure: {
        readonly code: FailureCode;
        readonly message: string;
        readonly affected: readonly string[];
        readonly retry: boolean;
      };
    }
);

/** What the thread is started with. */
export interface RangeThreadData {
  readonly settings: StoreSettings;
  readonly port: MessagePort;
  /** One word: how many answers were given. */
  readonly answers: Int32Array<SharedArrayBuffer>;
}

interface StartedThread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly answers: Int32Array;
}

/** The thread repeats what fails; it is given up when it says nothing for longer than it does that, in milliseconds. */
const SILENT_FOR = 600_000;

/** What takes longer can be ended by a signal, in milliseconds. */
const SOON = 1000;

/** Has signals end the process as if nobody listened: while this thread waits, nobody would hear them. Returns what has them heard again. */
function endBySignal(): () => void {
  if (!isMainThread) return () => {};
  const heard = (['SIGHUP', 'SIGINT', 'SIGTERM'] as const).map((name) => ({ name, listeners: process.listeners(name) }));
  for (const { name } of heard) process.removeAllListeners(name);
  return () => {
    for (const { name, listeners } of heard) for (const listener of listeners) process.on(name, listener);
  };
}

/**
 * Reads of a store as if it were a local file: a thread asks the store, and this one waits. Manifests are read where they branch, deep inside of
 * code that is as fast as it is because nothing in it waits.
 */
export class RangeThread {
  readonly #settings: StoreSettings;
  #thread: StartedThread | undefined;
  #asked = 0;

  constructor(settings: StoreSettings) {
    this.#settings = settings;
  }

  #start(): StartedThread {
    const { port1: port, port2 } = new MessageChannel();
    const answers = new Int32Array(new SharedArrayBuffer(4));
    const data: RangeThreadData = { settings: this.#settings, port: port2, answers };
    const worker = startWorker('range', { ...data }, [port2]);
    // Nobody waits for it when everything else has ended.
    worker.unref();
    port.unref();
    return { worker, port, answers };
  }

  /** `length` bytes of an object from `offset`; throws as `Backend.read` does. */
  read(name: string, offset: number, length: number): Buffer {
    this.#thread ??= this.#start();
    const { port, answers } = this.#thread;
    const request: RangeRequest = { name, offset, length };
    port.postMessage(request);
    const before = this.#asked++;
    if (Atomics.wait(answers, 0, before, SOON) === 'timed-out') {
      const restore = endBySignal();
      Atomics.wait(answers, 0, before, SILENT_FOR);
      restore();
    }
    const answer = receiveMessageOnPort(port)?.message as RangeAnswer | undefined;
    if (answer === undefined) {
      this.#stop();
      throw new Failure('repository_unreachable', `${name}: no answer came within ${SILENT_FOR / 60_000} minutes`, {
        affected: [name],
        retry: true,
      });
    }
    currentTraffic()?.add(answer.stats);
    if ('bytes' in answer) return Buffer.from(answer.bytes.buffer, answer.bytes.byteOffset, answer.bytes.length);
    const { code, message, affected, retry } = answer.failure;
    throw new Failure(code, message, { affected, retry });
  }

  /** The next read starts another: what the silent one would still say is nobody's. */
  #stop(): void {
    void this.#thread?.worker.terminate();
    this.#thread = undefined;
    this.#asked = 0;
  }
}

import type { Worker } from 'node:worker_threads';
import { asFailure, Failure } from '../failure.ts';
import { startWorker } from '../workers.ts';
import type { PackShelf } from './pack-shelf.ts';
import type { FromWriter, Supply, ToWriter, WriteResult, WriterData, WriteTask } from './write-messages.ts';

/** One task in hand and one waiting, so that a thread never waits for its frame while another is read. */
const TASKS_IN_HAND = 2;

/** A task before it has a number; frames are fetched when a thread has room for them. */
export type PreparedTask = () => Promise<
  Omit<Extract<WriteTask, { type: 'frame' }>, 'number'> | Omit<Extract<WriteTask, { type: 'file' }>, 'number'>
>;

interface Answer {
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (failure: Failure) => void;
}

/**
 * The threads that decompress, verify and write. Memory is bounded by `TASKS_IN_HAND` frames a thread, and by what a thread
 * keeps while it writes a large file.
 */
export class WritePool {
  readonly #workers: readonly Worker[];
  readonly #shelf: PackShelf;
  readonly #answers = new Map<number, Answer>();
  #failure: Failure | undefined;
  #stopping = false;
  #number = 0;

  constructor(count: number, data: WriterData, shelf: PackShelf) {
    this.#shelf = shelf;
    this.#workers = Array.from({ length: count }, () => this.#start(data));
  }

  #start(data: WriterData): Worker {
    const worker = startWorker('write', { ...data });
    worker.on('message', (message: FromWriter) => {
      if (message.type === 'need') void this.#supply(worker, message.pack, message.frame);
      else this.#settle(message.number, message.result);
    });
    worker.on('error', (error) => this.#fail(asFailure(error)));
    worker.on('exit', () => this.#fail(new Failure('internal', 'a writing thread ended')));
    return worker;
  }

  /** Performs all tasks and hands each result to `settle`. Ends early, without a failure, when `signal` is aborted. */
  async perform(tasks: Iterator<PreparedTask>, settle: (result: WriteResult) => void, signal: AbortSignal): Promise<void> {
    const lane = async (worker: Worker): Promise<void> => {
      for (let next = tasks.next(); next.done !== true && !signal.aborted; next = tasks.next()) {
        settle(await this.#send(worker, { ...(await next.value()), number: this.#number++ }));
      }
    };
    await Promise.all(this.#workers.flatMap((worker) => Array.from({ length: TASKS_IN_HAND }, () => lane(worker))));
  }

  #send(worker: Worker, task: WriteTask): Promise<WriteResult> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<WriteResult>();
    this.#answers.set(task.number, { resolve, reject });
    const buffer = task.type === 'frame' ? task.stored?.bytes.buffer : undefined;
    post(worker, task, buffer === undefined ? [] : [buffer]);
    return promise;
  }

  #settle(number: number, result: WriteResult): void {
    this.#answers.get(number)?.resolve(result);
    this.#answers.delete(number);
  }

  async #supply(worker: Worker, pack: string, frame: number): Promise<void> {
    const answer: Supply = { type: 'supply', pack, frame };
    try {
      const stored = await this.#shelf.fetch(pack, frame);
      post(worker, { ...answer, stored }, [stored.bytes.buffer]);
    } catch (error) {
      const { code, message } = asFailure(error);
      post(worker, { ...answer, failure: { code, message } }, []);
    }
  }

  #fail(failure: Failure): void {
    if (this.#stopping) return;
    this.#failure ??= failure;
    for (const answer of this.#answers.values()) answer.reject(this.#failure);
    this.#answers.clear();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function post(worker: Worker, message: ToWriter, transfer: ArrayBuffer[]): void {
  worker.postMessage(message, transfer);
}

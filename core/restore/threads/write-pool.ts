import type { Worker } from 'node:worker_threads';
import { asFailure, Failure } from '../../failure.ts';
import { startWorker } from '../../workers.ts';
import { supplyOf } from '../content/frame-supply.ts';
import type { PackCache } from '../content/pack-cache.ts';
import type { Report } from '../rules.ts';
import type { FromWriter, ToWriter, WriteResult, WriterData, WriteTask } from './write-messages.ts';

/** One task in hand and one waiting, so that a thread never waits for its frame while another is read. */
const TASKS_IN_HAND = 2;

/** A task to come. */
export interface PreparedTask {
  /** Whether it takes a thread for so long that nothing should wait behind it. */
  readonly isLong: boolean;
  /** To be called when a thread has room for it: fetches its frame. */
  prepare(): Promise<WriteTask>;
}

interface WorkerSlot {
  readonly worker: Worker;
  /** The long task that the thread has in hand. */
  long: Promise<unknown> | undefined;
}

interface Answer {
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (failure: Failure) => void;
}

/**
 * The threads that decompress, verify and write. Memory is bounded by `TASKS_IN_HAND` frames a thread, and by what a thread
 * keeps while it writes a large file.
 */
export class WritePool {
  readonly #workers: Worker[] = [];
  readonly #ends: Promise<unknown>[] = [];
  readonly #packs: PackCache;
  readonly #report: Report;
  readonly #answers = new Map<number, Answer>();
  #failure: Failure | undefined;
  #stopping = false;
  #number = 0;

  private constructor(packCache: PackCache, report: Report) {
    this.#packs = packCache;
    this.#report = report;
  }

  /**
   * As many threads as can be had, up to `count`; undefined when the system refuses even one. `report` hears of what they leave behind
   * when they end.
   */
  static start(count: number, data: WriterData, packCache: PackCache, report: Report): WritePool | undefined {
    const pool = new WritePool(packCache, report);
    try {
      while (pool.#workers.length < count) pool.#workers.push(pool.#watch(startWorker('write', { ...data })));
    } catch {
      // The limits of the system, mostly: a restore goes on with those that there are.
    }
    return pool.#workers.length === 0 ? undefined : pool;
  }

  #watch(worker: Worker): Worker {
    worker.on('message', (message: FromWriter) => {
      if (message.type === 'need') this.#supply(worker, message.pack, message.frame).catch((error) => this.#fail(asFailure(error)));
      else if (message.type === 'left') this.#report(message.problem);
      else this.#settle(message.number, message.result);
    });
    // What it said is lost, and whoever waits for it would wait for ever.
    worker.on('messageerror', (error) => end(worker, error));
    worker.on('error', (error) => this.#fail(asFailure(error)));
    this.#ends.push(new Promise((resolve) => worker.on('exit', resolve)));
    worker.on('exit', () => this.#fail(new Failure('internal', 'a writing thread ended')));
    return worker;
  }

  /** Performs all tasks and hands each result to `settle`. Ends early, without a failure, when `signal` is aborted. */
  async perform(tasks: Iterator<PreparedTask>, settle: (result: WriteResult) => void, signal: AbortSignal): Promise<void> {
    const slots = this.#workers.map((worker): WorkerSlot => ({ worker, long: undefined }));
    const lane = async (slot: WorkerSlot): Promise<void> => {
      for (;;) {
        await slot.long;
        const next = tasks.next();
        if (next.done === true || signal.aborted) return;
        const result = this.#perform(slot.worker, next.value);
        if (next.value.isLong) slot.long = result.catch(() => {});
        settle(await result);
      }
    };
    // Each thread has a task before any has a second one.
    await Promise.all(Array.from({ length: TASKS_IN_HAND }, () => slots.map(lane)).flat());
  }

  async #perform(worker: Worker, task: PreparedTask): Promise<WriteResult> {
    return this.#send(worker, await task.prepare());
  }

  #send(worker: Worker, task: WriteTask): Promise<WriteResult> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<WriteResult>();
    const number = this.#number++;
    this.#answers.set(number, { resolve, reject });
    const buffer = task.type === 'frame' ? task.stored?.bytes.buffer : undefined;
    post(worker, { type: 'task', number, task }, buffer === undefined ? [] : [buffer]);
    return promise;
  }

  #settle(number: number, result: WriteResult): void {
    this.#answers.get(number)?.resolve(result);
    this.#answers.delete(number);
  }

  async #supply(worker: Worker, pack: string, frame: number): Promise<void> {
    const supply = await supplyOf(this.#packs, pack, frame);
    post(worker, supply, supply.stored === undefined ? [] : [supply.stored.bytes.buffer]);
  }

  #fail(failure: Failure): void {
    if (this.#stopping) return;
    this.#failure ??= failure;
    for (const answer of this.#answers.values()) answer.reject(this.#failure);
    this.#answers.clear();
  }

  /** Ends the threads after what they have in hand. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const worker of this.#workers) post(worker, { type: 'stop' }, []);
    await Promise.all(this.#ends);
  }
}

/** A thread that cannot be told something is of no use, and ends: what it was to do fails. */
function post(worker: Worker, message: ToWriter, transfer: ArrayBuffer[]): void {
  try {
    worker.postMessage(message, transfer);
  } catch (error) {
    end(worker, error);
  }
}

function end(worker: Worker, cause: unknown): void {
  worker.emit('error', cause);
  void worker.terminate();
}

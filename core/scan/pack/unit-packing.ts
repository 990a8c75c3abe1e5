import { asFailure, Failure, type FailureCode } from '../../failure.ts';
import { releaseBuffer } from '../../linux/allocator.ts';
import type { PoolThread } from '../pool-thread.ts';
import { type ReadEntries, releaseEntries } from '../read/read-entries.ts';
import type { StoredStream, StreamOrder } from '../stream/stored-stream.ts';
import { type Batch, Control, type FromWorker, newControl, type ToWorker, type UnitTask } from './batch.ts';
import { FrameLedger } from './frame-ledger.ts';

/** Where the packs of a unit go. */
export interface PackSink {
  /** Stores a finished frame as the next one of a pack. */
  append(pack: number, frame: Uint8Array, decompressedLength: number): Promise<void>;
  /** No further frame of this pack will come. */
  close(pack: number): Promise<void>;
}

export type WorkerThread = PoolThread<ToWorker, FromWorker>;

/** What a unit's packing is given by the pool. */
export interface PackingMeans {
  /** Which unit of the pool it is; every message carries it. */
  readonly unit: number;
  readonly task: Omit<UnitTask, 'control'>;
  readonly sink: PackSink;
  /** The most threads that work for it. */
  readonly size: number;
  /** The threads that live, at least one; those that died are replaced. Throws when none can be had. */
  readonly threads: () => readonly WorkerThread[];
  readonly isPaused: () => boolean;
  /** Called when a frame of so many bytes of tar was stored and its memory is free again. */
  readonly onStored: (decompressedLength: number) => void;
}

/** One in hand and one waiting, so that no worker is idle while the main thread walks. */
const BATCHES_IN_HAND = 2;

/** What a worker is asked to store. */
type Order = { readonly type: 'batch'; readonly batch: Batch } | { readonly type: 'stream'; readonly stream: StreamOrder };

type Answered = FromWorker & { readonly type: 'done' | 'streamed' };

interface Waiting {
  readonly number: number;
  readonly order: Order;
  readonly resolve: (answer: Answered) => void;
  readonly reject: (failure: Failure) => void;
}

/** What one thread does for the unit. */
interface ThreadWork {
  readonly control: Int32Array;
  readonly inHand: Map<number, Waiting>;
}

/**
 * One unit's way through the workers: its batches and their numbers, its sink, its end. When anything of it fails, nothing
 * further is stored; and no promise is rejected before the last worker has let go of the unit, so that whoever hears of
 * the failure may close the descriptors that the workers read from.
 */
export class UnitPacking {
  /** Which unit of the pool this is. */
  readonly unit: number;
  readonly size: number;
  /** What came of the workers, to be compared with what the packs have. */
  readonly sent = new FrameLedger();
  readonly #means: PackingMeans;
  readonly #work = new Map<WorkerThread, ThreadWork>();
  /** Batches that wait for a worker; after a failure all that are to be rejected. */
  readonly #queue: Waiting[] = [];
  #batches = 0;
  #failure: Failure | undefined;
  readonly #failing = new AbortController();
  #ending: PromiseWithResolvers<void> | undefined;

  constructor(means: PackingMeans) {
    this.#means = means;
    this.unit = means.unit;
    this.size = means.size;
  }

  /** Raised when anything of the unit has failed: who feeds a stream to a worker should end it then. */
  get failed(): AbortSignal {
    return this.#failing.signal;
  }

  /** Whether no worker has anything of this unit in hand, nor ever will. */
  get hasEnded(): boolean {
    return this.#ending !== undefined && this.#isIdle;
  }

  /** About how many bytes of large files the workers have read in the batches that they have in hand. */
  get bytesUnderWay(): number {
    return this.#work.values().reduce((sum, { control }) => sum + 1024 * Atomics.load(control, Control.read), 0);
  }

  /** Reads a batch. Fails when anything of the unit failed; the unit then cannot be completed. */
  read(batch: Batch): Promise<ReadEntries> {
    return this.#ask({ type: 'batch', batch }, (answer) => (answer as FromWorker & { type: 'done' }).entries);
  }

  /** Stores a stream. Fails as `read` does, and also when the stream cannot be read. */
  readStream(stream: StreamOrder): Promise<StoredStream> {
    return this.#ask({ type: 'stream', stream }, (answer) => asStored((answer as FromWorker & { type: 'streamed' }).stored));
  }

  #ask<Result>(order: Order, resultOf: (answer: Answered) => Result): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    // Whoever asked looks at the answers in order and may not have come to this one when it fails.
    promise.catch(() => {});
    this.#queue.push({ number: ++this.#batches, order, resolve: (answer) => resolve(resultOf(answer)), reject });
    this.#dispatch();
    return promise;
  }

  /** The rest of the unit is not wanted: what the workers have in hand fails soon. */
  cancel(): void {
    this.#fail(new Failure('cancelled', 'the unit was given up'));
  }

  /**
   * Ends the unit, which is given up when anything of it is under way; resolves when no worker has anything of it in hand.
   * What the sink was given before may still be on its way.
   */
  end(): Promise<void> {
    if (this.#ending === undefined) {
      this.#ending = Promise.withResolvers();
      if (this.#queue.length > 0 || !this.#isIdle) this.cancel();
      this.#settle();
    }
    return this.#ending.promise;
  }

  /** Has the workers wait, or go on. */
  pause(isPaused: boolean): void {
    for (const { control } of this.#work.values()) store(control, Control.paused, isPaused ? 1 : 0);
  }

  /** Takes what a thread says about this unit. */
  receive(thread: WorkerThread, message: FromWorker): void {
    const work = this.#work.get(thread);
    if (work === undefined) return;
    if (message.type === 'frame') void this.#store(work.control, message);
    else if (message.type === 'full') void this.#withSink((sink) => sink.close(message.pack));
    else this.#answer(work, message);
  }

  /** A thread is over. What it had in hand is lost, and the unit with it. */
  lose(thread: WorkerThread, cause: Failure): void {
    const work = this.#work.get(thread);
    if (work === undefined) return;
    this.#work.delete(thread);
    if (work.inHand.size === 0) return;
    this.#queue.push(...work.inHand.values());
    this.#fail(new Failure(cause.code, `a worker thread ended: ${cause.message}`, { cause, retry: true }));
  }

  get #isIdle(): boolean {
    return this.#work.values().every(({ inHand }) => inHand.size === 0);
  }

  #dispatch(): void {
    try {
      while (this.#failure === undefined && this.#queue.length > 0) {
        if (this.#ending !== undefined) throw new Failure('internal', 'the unit has ended');
        const [thread, work] = this.#freest();
        if (work.inHand.size >= BATCHES_IN_HAND) return;
        const next = this.#queue[0] as Waiting;
        thread.send({ unit: this.unit, number: next.number, ...next.order });
        this.#queue.shift();
        work.inHand.set(next.number, next);
      }
    } catch (error) {
      this.#fail(asFailure(error));
    }
    this.#settle();
  }

  #freest(): [WorkerThread, ThreadWork] {
    return this.#means
      .threads()
      .map((thread): [WorkerThread, ThreadWork] => [thread, this.#work.get(thread) ?? this.#employ(thread)])
      .reduce((best, other) => (other[1].inHand.size < best[1].inHand.size ? other : best));
  }

  #employ(thread: WorkerThread): ThreadWork {
    const memory = newControl();
    const work: ThreadWork = { control: new Int32Array(memory), inHand: new Map() };
    if (this.#means.isPaused()) store(work.control, Control.paused, 1);
    thread.send({ type: 'unit', unit: this.unit, task: { ...this.#means.task, control: memory } });
    this.#work.set(thread, work);
    return work;
  }

  #answer(work: ThreadWork, message: FromWorker & { type: 'done' | 'streamed' | 'failed' }): void {
    const waiting = work.inHand.get(message.number);
    if (waiting === undefined) return;
    work.inHand.delete(message.number);
    if (message.type !== 'failed' && this.#failure === undefined) {
      this.sent.count(message.tarBytes);
      waiting.resolve(message);
    } else {
      this.#queue.push(waiting);
      if (message.type === 'done') releaseEntries(message.entries);
      else if (message.type === 'failed') this.#fail(new Failure(message.code as FailureCode, message.message));
    }
    this.#dispatch();
  }

  async #store(control: Int32Array, { pack, frame, bytes, decompressedLength }: FromWorker & { type: 'frame' }): Promise<void> {
    await this.#withSink((sink) => {
      this.sent.appendNumbered(pack, frame, bytes.length, decompressedLength);
      return sink.append(pack, bytes, decompressedLength);
    });
    releaseBuffer(bytes);
    this.#means.onStored(decompressedLength);
    // The worker may be waiting for room, also when the unit has failed.
    Atomics.sub(control, Control.framesUnderWay, 1);
    Atomics.notify(control, Control.framesUnderWay);
  }

  async #withSink(action: (sink: PackSink) => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await action(this.#means.sink);
    } catch (error) {
      this.#fail(asFailure(error));
    }
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure;
    this.#failing.abort();
    for (const { control } of this.#work.values()) {
      store(control, Control.isCancelled, 1);
      // Without ending the pause itself, which others may be in as well.
      Atomics.notify(control, Control.paused);
    }
    this.#settle();
  }

  /** When the last worker has let go: tells everybody. */
  #settle(): void {
    if (!this.#isIdle) return;
    if (this.#failure !== undefined) for (const { reject } of this.#queue.splice(0)) reject(this.#failure);
    if (this.#ending === undefined) return;
    for (const thread of this.#work.keys()) thread.send({ type: 'end', unit: this.unit });
    this.#work.clear();
    this.#ending.resolve();
  }
}

/** A Buffer arrives from another thread as a plain Uint8Array. */
function asStored({ content, size, counts }: StoredStream): StoredStream {
  const extents = content.extents.map((extent) => ({ ...extent, digest: Buffer.from(extent.digest) }));
  return { content: { digest: Buffer.from(content.digest), extents }, size, counts };
}

/** Sets one of the numbers that a worker may be waiting for. */
function store(control: Int32Array, place: number, value: number): void {
  Atomics.store(control, place, value);
  Atomics.notify(control, place);
}

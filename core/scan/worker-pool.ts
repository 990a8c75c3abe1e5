import type { Worker } from 'node:worker_threads';
import { asFailure, Failure, type FailureCode } from '../failure.ts';
import { startWorker } from '../workers.ts';
import type { Batch, FromWorker, ToWorker } from './batch.ts';
import type { ReadEntries } from './read-entries.ts';
import type { IndexedManifest } from './unit-contents.ts';

/** What became of a batch. */
export interface BatchAnswer {
  readonly entries: ReadEntries;
  /** Tar members of directories, for the end of the last pack. */
  readonly structure: Uint8Array;
}

/** Where the packs of a unit go. */
export interface PackSink {
  /** Stores a finished frame as the next one of a pack. */
  append(pack: number, frame: Uint8Array, decompressedLength: number): Promise<void>;
  /** No further frame of this pack will come. */
  close(pack: number): Promise<void>;
}

/** One in hand and one waiting, so that no worker is idle while the main thread walks. */
const BATCHES_IN_HAND = 2;

interface Seat {
  readonly worker: Worker;
  readonly framesUnderWay: SharedArrayBuffer;
  inHand: number;
}

interface Waiting {
  readonly batch: Batch;
  readonly resolve: (answer: BatchAnswer) => void;
  readonly reject: (failure: Failure) => void;
}

/** The threads that read, hash and compress. Kept for all units of a run, one unit at a time. */
export class WorkerPool {
  readonly #seats: Seat[];
  readonly #queue: Waiting[] = [];
  readonly #answers = new Map<number, Waiting>();
  #sink: PackSink | undefined;
  #failure: Failure | undefined;

  constructor(count: number) {
    this.#seats = Array.from({ length: count }, () => this.#seat());
  }

  get size(): number {
    return this.#seats.length;
  }

  /** Begins a unit: from here on frames go to `sink`, in packs named by `packPrefix`. */
  beginUnit(packPrefix: string, known: readonly IndexedManifest[], sink: PackSink): void {
    this.#sink = sink;
    this.#failure = undefined;
    const packCounter = new SharedArrayBuffer(4);
    for (const { worker, framesUnderWay } of this.#seats) {
      send(worker, { type: 'unit', task: { packPrefix, packCounter, framesUnderWay, known } });
    }
  }

  /** Reads a batch. Fails when a worker or the sink failed; the unit then cannot be completed. */
  read(batch: Batch): Promise<BatchAnswer> {
    const answer = new Promise<BatchAnswer>((resolve, reject) => {
      this.#queue.push({ batch, resolve, reject });
      this.#dispatch();
    });
    // Whoever asked looks at the answers in order and may not have come to this one when it fails.
    answer.catch(() => {});
    return answer;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#seats.map(({ worker }) => worker.terminate()));
  }

  #seat(): Seat {
    const seat: Seat = { worker: startWorker('pack'), framesUnderWay: new SharedArrayBuffer(4), inHand: 0 };
    seat.worker.on('message', (message: FromWorker) => this.#receive(seat, message));
    seat.worker.on('error', (error) => this.#fail(asFailure(error)));
    seat.worker.on('exit', () => this.#fail(new Failure('internal', 'a worker thread ended')));
    return seat;
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const seat = this.#seats.reduce((best, other) => (other.inHand < best.inHand ? other : best));
      if (this.#failure === undefined && seat.inHand >= BATCHES_IN_HAND) return;
      const next = this.#queue.shift() as Waiting;
      if (this.#failure !== undefined) {
        next.reject(this.#failure);
        continue;
      }
      seat.inHand++;
      this.#answers.set(next.batch.number, next);
      send(seat.worker, { type: 'batch', batch: next.batch });
    }
  }

  #receive(seat: Seat, message: FromWorker): void {
    if (message.type === 'frame') {
      void this.#store(seat, message.pack, message.bytes, message.decompressedLength);
      return;
    }
    if (message.type === 'full') {
      this.#sink?.close(message.pack).catch((error: unknown) => this.#fail(asFailure(error)));
      return;
    }
    seat.inHand--;
    const waiting = this.#answers.get(message.number);
    this.#answers.delete(message.number);
    if (message.type === 'failed') {
      waiting?.reject(new Failure(message.code as FailureCode, message.message));
    } else waiting?.resolve(message);
    this.#dispatch();
  }

  async #store(seat: Seat, pack: number, bytes: Uint8Array, decompressedLength: number): Promise<void> {
    try {
      if (this.#failure === undefined) await this.#sink?.append(pack, bytes, decompressedLength);
    } catch (error) {
      this.#fail(asFailure(error));
    }
    // The worker may be waiting for room, also when the run has failed.
    const underWay = new Int32Array(seat.framesUnderWay);
    Atomics.sub(underWay, 0, 1);
    Atomics.notify(underWay, 0);
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure;
    for (const waiting of this.#answers.values()) waiting.reject(this.#failure);
    this.#dispatch();
  }
}

function send(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}

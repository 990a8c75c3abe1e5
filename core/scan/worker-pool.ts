import type { Worker } from 'node:worker_threads';
import { asFailure, Failure, type FailureCode } from '../failure.ts';
import { releaseBuffer, trimMemory } from '../linux/allocator.ts';
import { startWorker } from '../workers.ts';
import { type Batch, Control, type FromWorker, newControl, type ToWorker, type UnitTask } from './batch.ts';
import { ByteBucket, type SharedBucket } from './byte-bucket.ts';
import type { ReadEntries } from './read-entries.ts';
import type { IndexedManifest } from './unit-contents.ts';

/** Where the packs of a unit go. */
export interface PackSink {
  /** Stores a finished frame as the next one of a pack. */
  append(pack: number, frame: Uint8Array, decompressedLength: number): Promise<void>;
  /** No further frame of this pack will come. */
  close(pack: number): Promise<void>;
}

/** One in hand and one waiting, so that no worker is idle while the main thread walks. */
const BATCHES_IN_HAND = 2;

/** After so many bytes of tar the memory that their frames left in pieces is given back: it would come to 30 MB. */
const BYTES_PER_TRIM = 32 * 1024 * 1024;

interface Seat {
  readonly worker: Worker;
  /** Settles when the thread is over. */
  readonly ended: Promise<void>;
  control: SharedArrayBuffer;
  inHand: number;
}

interface Waiting {
  readonly batch: Batch;
  readonly resolve: (answer: ReadEntries) => void;
  readonly reject: (failure: Failure) => void;
}

/**
 * The threads that read, hash and compress. Started with the first batch, so that a run that finds nothing does without; kept
 * for all units of a run, one unit at a time.
 */
export class WorkerPool {
  readonly size: number;
  readonly #reading: SharedBucket | undefined;
  #seats: readonly Seat[] = [];
  #unit: Omit<UnitTask, 'control'> | undefined;
  readonly #queue: Waiting[] = [];
  readonly #answers = new Map<number, Waiting>();
  #sink: PackSink | undefined;
  #failure: Failure | undefined;
  /** Bytes of tar that came since memory was given back. */
  #untrimmed = 0;

  /** `readRate`: bytes a second that they may read, all together; undefined: no limit. */
  constructor(count: number, readRate: number | undefined) {
    this.size = count;
    this.#reading = readRate === undefined ? undefined : ByteBucket.share(readRate);
  }

  /** Begins a unit: from here on frames go to `sink`, in packs named by `packPrefix`. */
  beginUnit(packPrefix: string, known: readonly IndexedManifest[], sink: PackSink): void {
    this.#sink = sink;
    this.#failure = undefined;
    this.#unit = { packPrefix, packCounter: new SharedArrayBuffer(4), reading: this.#reading, known };
    for (const seat of this.#seats) this.#assign(seat, this.#unit);
  }

  /** Reads a batch. Fails when a worker or the sink failed; the unit then cannot be completed. */
  read(batch: Batch): Promise<ReadEntries> {
    if (this.#seats.length === 0) this.#seats = Array.from({ length: this.size }, () => this.#seat());
    const answer = new Promise<ReadEntries>((resolve, reject) => {
      this.#queue.push({ batch, resolve, reject });
      this.#dispatch();
    });
    // Whoever asked looks at the answers in order and may not have come to this one when it fails.
    answer.catch(() => {});
    return answer;
  }

  /** Tells the workers that the rest of the unit is not wanted: what they have in hand fails soon. */
  giveUp(): void {
    for (const { control } of this.#seats) tell(control, Control.givenUp, 1);
    this.resume();
  }

  /**
   * Has the workers wait, each behind the entry or the piece of a large file that it has in hand. To be called again in a pause
   * that lasts: with a new unit they begin anew.
   */
  pause(): void {
    for (const { control } of this.#seats) tell(control, Control.paused, 1);
  }

  resume(): void {
    for (const { control } of this.#seats) tell(control, Control.paused, 0);
  }

  /** Ends the threads. They end by themselves: a terminated one would leave its open descriptors to the process. */
  async stop(): Promise<void> {
    this.giveUp();
    for (const { worker } of this.#seats) send(worker, { type: 'stop' });
    await Promise.all(this.#seats.map(({ ended }) => ended));
  }

  #seat(): Seat {
    const worker = startWorker('pack');
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const seat: Seat = { worker, ended, control: newControl(), inHand: 0 };
    worker.on('message', (message: FromWorker) => this.#receive(seat, message));
    worker.on('error', (error) => this.#fail(asFailure(error)));
    worker.on('exit', () => this.#fail(new Failure('internal', 'a worker thread ended')));
    if (this.#unit !== undefined) this.#assign(seat, this.#unit);
    return seat;
  }

  #assign(seat: Seat, unit: Omit<UnitTask, 'control'>): void {
    seat.control = newControl();
    send(seat.worker, { type: 'unit', task: { ...unit, control: seat.control } });
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
      void this.#withSink((sink) => sink.close(message.pack));
      return;
    }
    seat.inHand--;
    const waiting = this.#answers.get(message.number);
    this.#answers.delete(message.number);
    if (message.type === 'failed') {
      waiting?.reject(new Failure(message.code as FailureCode, message.message));
    } else waiting?.resolve(message.entries);
    this.#dispatch();
  }

  async #store(seat: Seat, pack: number, bytes: Uint8Array, decompressedLength: number): Promise<void> {
    const control = new Int32Array(seat.control);
    await this.#withSink((sink) => sink.append(pack, bytes, decompressedLength));
    releaseBuffer(bytes);
    this.#untrimmed += decompressedLength;
    if (this.#untrimmed >= BYTES_PER_TRIM) {
      this.#untrimmed = 0;
      trimMemory();
    }
    // The worker may be waiting for room, also when the run has failed.
    Atomics.sub(control, Control.framesUnderWay, 1);
    Atomics.notify(control, Control.framesUnderWay);
  }

  async #withSink(action: (sink: PackSink) => Promise<void>): Promise<void> {
    const sink = this.#sink;
    try {
      if (sink !== undefined && this.#failure === undefined) await action(sink);
    } catch (error) {
      // The packs of a unit before know of their failure themselves.
      if (sink === this.#sink) this.#fail(asFailure(error));
    }
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure;
    for (const waiting of this.#answers.values()) waiting.reject(this.#failure);
    this.#dispatch();
  }
}

/** Sets one of the numbers that a worker may be waiting for. */
function tell(control: SharedArrayBuffer, place: number, value: number): void {
  const numbers = new Int32Array(control);
  Atomics.store(numbers, place, value);
  Atomics.notify(numbers, place);
}

function send(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}

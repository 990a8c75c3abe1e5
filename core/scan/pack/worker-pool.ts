import type { PackNames } from '../../archive/pack-names.ts';
import { Failure } from '../../failure.ts';
import { releaseBuffer, trimMemory } from '../../linux/allocator.ts';
import { startWorker } from '../../workers.ts';
import type { IndexedManifest } from '../known/unit-contents.ts';
import { PoolThread, type ThreadPort, threadRefused } from '../pool-thread.ts';
import { ByteBucket, type SharedBucket } from '../read/byte-bucket.ts';
import type { FromWorker, ToWorker } from './batch.ts';
import { type PackSink, UnitPacking, type WorkerThread } from './unit-packing.ts';

/** After so many bytes of tar the memory that their frames left in pieces is given back: it would come to 30 MB. */
const BYTES_PER_TRIM = 32 * 1024 * 1024;

/** What is packed for a unit, and where it goes. */
export interface PackingOrder {
  /** How the unit's packs are called. */
  readonly packNames: PackNames;
  readonly known: readonly IndexedManifest[];
  readonly sink: PackSink;
}

/**
 * The threads that read, hash and compress. Started with the first batch, so that a run that finds nothing does without; kept
 * for all units of a run, one unit at a time, and replaced when they die. What belongs to a unit is in its `UnitPacking`.
 */
export class WorkerPool {
  readonly size: number;
  readonly #reading: SharedBucket | undefined;
  readonly #start: () => ThreadPort;
  #threads: readonly WorkerThread[] = [];
  #units = 0;
  #packing: UnitPacking | undefined;
  #isPaused = false;
  /** Set when the system refused a thread: in this unit none is asked for any more. */
  #isRefused = false;
  /** Bytes of tar that came since memory was given back. */
  #untrimmed = 0;

  /**
   * `readRate`: bytes a second that they may read, all together; undefined: no limit. `start` starts a thread, and throws
   * when there can be none.
   */
  constructor(count: number, readRate: number | undefined, start: () => ThreadPort = () => startWorker('pack')) {
    this.size = count;
    this.#reading = readRate === undefined ? undefined : ByteBucket.share(readRate);
    this.#start = start;
  }

  /** The milliseconds that somebody else waits before reading so many bytes of accounts, so that both keep the rate together. */
  readingDelay(bytes: number): number {
    return this.#reading === undefined ? 0 : new ByteBucket(this.#reading).take(bytes, process.hrtime.bigint());
  }

  /** Begins a unit, when the one before has ended. */
  begin({ packNames, known, sink }: PackingOrder): UnitPacking {
    if (this.#packing?.hasEnded === false) throw new Failure('internal', 'the unit before has not ended');
    const packing = new UnitPacking({
      unit: ++this.#units,
      task: { packNames, packCounter: new SharedArrayBuffer(4), reading: this.#reading, known },
      sink,
      size: this.size,
      threads: () => this.#living(),
      isPaused: () => this.#isPaused,
      onStored: (bytes) => this.#trim(bytes),
    });
    this.#packing = packing;
    this.#isRefused = false;
    return packing;
  }

  /** Has the workers wait, each behind the entry or the piece of a large file that it has in hand, also in units to come. */
  pause(): void {
    this.#pause(true);
  }

  resume(): void {
    this.#pause(false);
  }

  /** Ends the threads. They end by themselves: a terminated one would leave its open descriptors to the process. */
  async stop(): Promise<void> {
    await this.#packing?.end();
    for (const thread of this.#threads) thread.send({ type: 'stop' });
    await Promise.all(this.#threads.map(({ ended }) => ended));
  }

  #pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#packing?.pause(isPaused);
  }

  /** As many threads as can be had: a run goes on with those that it has. Throws when there is none. */
  #living(): readonly WorkerThread[] {
    const threads = this.#threads.filter(({ isOver }) => !isOver);
    try {
      while (threads.length < this.size && !(this.#isRefused && threads.length > 0)) threads.push(this.#startThread());
    } catch (error) {
      this.#isRefused = true;
      if (threads.length === 0) throw threadRefused(error);
    }
    this.#threads = threads;
    return threads;
  }

  #startThread(): WorkerThread {
    const thread: WorkerThread = new PoolThread<ToWorker, FromWorker>(this.#start(), {
      message: (message) => this.#receive(thread, message),
      ended: (cause) => this.#packing?.lose(thread, cause),
    });
    return thread;
  }

  /** Whatever is not of the present unit is dropped. */
  #receive(thread: WorkerThread, message: FromWorker): void {
    if (this.#packing?.unit === message.unit) this.#packing.receive(thread, message);
    else if (message.type === 'frame') releaseBuffer(message.bytes);
  }

  #trim(bytes: number): void {
    this.#untrimmed += bytes;
    if (this.#untrimmed < BYTES_PER_TRIM) return;
    this.#untrimmed = 0;
    trimMemory();
  }
}

import { packName } from '../../archive/pack-names.ts';
import { Failure } from '../../failure.ts';
import { FRAMES_UNDER_WAY, PACK_TARGET } from '../limits.ts';
import { ByteBucket } from '../read/byte-bucket.ts';
import type { ReadThrottle } from '../read/stored-bytes.ts';
import { Control, type FromWorker, type UnitTask } from './batch.ts';
import { FrameBuffer } from './frame-buffer.ts';

/** Hands a message to the main thread. */
export type Answer = (message: FromWorker, transfer: ArrayBuffer[]) => void;

/**
 * The pack that a worker is filling, of one unit: another one has another output, so nothing of this can come into its packs. Frames go
 * to the main thread as they are finished; the worker waits when too many are on their way, so memory stays bounded by the
 * slowest disk.
 */
export class PackOutput {
  readonly frames: FrameBuffer;
  /** What holds the reading of files back; undefined: nothing does. */
  readonly pace: ReadThrottle | undefined;
  readonly #unit: number;
  readonly #task: UnitTask;
  readonly #control: Int32Array;
  readonly #answer: Answer;
  #number = 0;
  #stored = 0;

  /** `memory` is the thread's, of `FrameBuffer.allocate`. */
  constructor(unit: number, task: UnitTask, answer: Answer, memory: Buffer) {
    this.frames = new FrameBuffer((bytes, length, number) => this.#send(bytes, length, number), memory);
    this.pace = task.reading === undefined ? undefined : this.#throttleOf(new ByteBucket(task.reading));
    this.#unit = unit;
    this.#task = task;
    this.#control = new Int32Array(task.control);
    this.#answer = answer;
  }

  /** Throws `cancelled` when nobody wants the rest any more, without waiting for the end of a pause. */
  throwIfGivenUp(): void {
    if (Atomics.load(this.#control, Control.isCancelled) !== 0) throw new Failure('cancelled', 'the unit was cancelled');
  }

  /** Waits while the run pauses. Throws `cancelled` when nobody wants the rest any more; to be called now and then. */
  throwIfCancelled(): void {
    for (;;) {
      // First: a pause may begin anew after the unit was given up.
      this.throwIfGivenUp();
      if (Atomics.load(this.#control, Control.paused) === 0) return;
      Atomics.wait(this.#control, Control.paused, 1);
    }
  }

  #throttleOf(bucket: ByteBucket): ReadThrottle {
    return {
      portion: bucket.portion,
      wait: (bytes) => {
        const milliseconds = bucket.take(bytes, process.hrtime.bigint());
        if (milliseconds > 0) Atomics.wait(this.#control, Control.isCancelled, 0, milliseconds);
        this.throwIfCancelled();
      },
    };
  }

  /** Says how much of a large file is read, in bytes; `reportRead(0)` begins anew. */
  reportRead(bytes: number): void {
    if (bytes === 0) Atomics.store(this.#control, Control.read, 0);
    else Atomics.add(this.#control, Control.read, Math.round(bytes / 1024));
  }

  /** To be called between batches: a member never lies in two packs. */
  closeFullPack(): void {
    if (this.#stored < PACK_TARGET) return;
    this.frames.nextPack();
    this.#answer({ type: 'full', unit: this.#unit, pack: this.#number }, []);
    this.#number = 0;
    this.#stored = 0;
  }

  /** The path of the pack that the next frame belongs to. */
  get path(): string {
    return packName(this.#task.packNames, this.#packNumber());
  }

  /** A pack takes its number with its first use, so that no number is left out. */
  #packNumber(): number {
    if (this.#number === 0) this.#number = Atomics.add(new Int32Array(this.#task.packCounter), 0, 1) + 1;
    return this.#number;
  }

  #send(bytes: Uint8Array<ArrayBuffer>, decompressedLength: number, frame: number): void {
    const control = this.#control;
    const place = Control.framesUnderWay;
    for (let count = Atomics.load(control, place); count >= FRAMES_UNDER_WAY; count = Atomics.load(control, place)) {
      Atomics.wait(control, place, count);
    }
    Atomics.add(control, place, 1);
    this.#stored += bytes.length;
    this.#answer({ type: 'frame', unit: this.#unit, pack: this.#packNumber(), frame, bytes, decompressedLength }, [bytes.buffer]);
  }
}

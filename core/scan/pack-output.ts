import type { MessagePort } from 'node:worker_threads';
import { Failure } from '../failure.ts';
import { Control, type FromWorker, newControl, packPath, type UnitTask } from './batch.ts';
import { ByteBucket } from './byte-bucket.ts';
import { FrameBuffer } from './frame-buffer.ts';
import { FRAMES_UNDER_WAY, PACK_TARGET } from './limits.ts';
import type { ReadPace } from './stored-bytes.ts';

/**
 * The pack that a worker is filling. Frames go to the main thread as they are finished; the worker waits when too many are
 * on their way, so memory stays bounded by the slowest disk.
 */
export class PackOutput {
  readonly frames = new FrameBuffer((frame, length) => this.#send(frame, length));
  readonly #port: MessagePort;
  #task: UnitTask | undefined;
  #control = new Int32Array(newControl());
  #number = 0;
  #stored = 0;
  #pace: ReadPace | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  begin(task: UnitTask): void {
    this.#task = task;
    this.#control = new Int32Array(task.control);
    this.#pace = task.reading === undefined ? undefined : this.#paceOf(new ByteBucket(task.reading));
    this.#startPack();
  }

  /** Waits while the run pauses. Throws `cancelled` when nobody wants the rest any more; to be called now and then. */
  checkWanted(): void {
    for (;;) {
      // First: a pause may begin anew after the unit was given up.
      if (Atomics.load(this.#control, Control.givenUp) !== 0) throw new Failure('cancelled', 'the unit was given up');
      if (Atomics.load(this.#control, Control.paused) === 0) return;
      Atomics.wait(this.#control, Control.paused, 1);
    }
  }

  /** What holds the reading of files back; undefined: nothing does. */
  get pace(): ReadPace | undefined {
    return this.#pace;
  }

  #paceOf(bucket: ByteBucket): ReadPace {
    return {
      portion: bucket.portion,
      wait: (bytes) => {
        const milliseconds = bucket.take(bytes, process.hrtime.bigint());
        if (milliseconds > 0) Atomics.wait(this.#control, Control.givenUp, 0, milliseconds);
        this.checkWanted();
      },
    };
  }

  /** To be called between batches: a member never lies in two packs. */
  closeFullPack(): void {
    if (this.#stored < PACK_TARGET) return;
    const message: FromWorker = { type: 'full', pack: this.#number };
    this.#startPack();
    this.#port.postMessage(message);
  }

  /** The path of the pack that the next frame belongs to. */
  get path(): string {
    return packPath((this.#task as UnitTask).packPrefix, this.#packNumber());
  }

  /** A pack takes its number with its first use, so that no number is left out. */
  #packNumber(): number {
    if (this.#number === 0) this.#number = Atomics.add(new Int32Array((this.#task as UnitTask).packCounter), 0, 1) + 1;
    return this.#number;
  }

  #startPack(): void {
    this.frames.restart();
    this.#number = 0;
    this.#stored = 0;
  }

  #send(bytes: Uint8Array<ArrayBuffer>, decompressedLength: number): void {
    const control = this.#control;
    const place = Control.framesUnderWay;
    for (let count = Atomics.load(control, place); count >= FRAMES_UNDER_WAY; count = Atomics.load(control, place)) {
      Atomics.wait(control, place, count);
    }
    Atomics.add(control, place, 1);
    this.#stored += bytes.length;
    const message: FromWorker = { type: 'frame', pack: this.#packNumber(), bytes, decompressedLength };
    this.#port.postMessage(message, [bytes.buffer]);
  }
}

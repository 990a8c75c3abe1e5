import { compressFrame, FRAME_TARGET } from '../../archive/frame.ts';
import { Failure } from '../../failure.ts';
import { releaseBuffer } from '../../linux/allocator.ts';
import { LARGE_FILE } from '../limits.ts';

/** Where a byte of the tar stream comes to lie in the pack. */
export interface FramePosition {
  readonly frame: number;
  readonly offset: number;
}

type SendFrame = (frame: Uint8Array<ArrayBuffer>, decompressedLength: number, number: number) => void;

// A frame's worth, one whole small file and the largest header.
const CAPACITY = FRAME_TARGET + LARGE_FILE + 4 * 1024 * 1024;

/**
 * The tar stream of one pack on its way into frames. Members are put in at `used` and counted with `advance`; a frame is
 * cut before a member that would not fit any more, and every `FRAME_TARGET` bytes inside a longer one.
 */
export class FrameBuffer {
  readonly bytes: Buffer;
  #used = 0;
  #frame = 0;
  /** Bytes of tar that were put in, in all packs. */
  #added = 0;
  #failure: unknown;
  readonly #send: SendFrame;

  /** Memory for a buffer: a thread keeps it for one after the other. */
  static allocate(): Buffer {
    return Buffer.allocUnsafeSlow(CAPACITY);
  }

  /** `send` gets each frame with its number in the pack; what it throws leaves the pack unfinished for good. */
  constructor(send: SendFrame, memory: Buffer = FrameBuffer.allocate()) {
    this.#send = send;
    this.bytes = memory;
  }

  /** Bytes of the current frame so far; the place to write at. */
  get used(): number {
    return this.#used;
  }

  /** The number of the frame that is being filled. */
  get frame(): number {
    return this.#frame;
  }

  /** Bytes of tar that were put in so far, those of earlier packs too. */
  get added(): number {
    return this.#added;
  }

  /** Ends this pack, with all that was put in, and begins the next one. */
  nextPack(): void {
    this.flush();
    this.#frame = 0;
  }

  /** Closes the frame when a member of `length` bytes would not fit into it. */
  makeRoom(length: number): void {
    if (this.#used > 0 && this.#used + length > FRAME_TARGET) this.flush();
    if (this.#used + length > CAPACITY) {
      throw new Failure('unsupported', `a tar member of ${length} bytes does not fit into memory`);
    }
  }

  /** Where the byte that is written at `at` of the buffer will be found. */
  positionOf(at: number): FramePosition {
    return { frame: this.#frame + Math.floor(at / FRAME_TARGET), offset: at % FRAME_TARGET };
  }

  /** Counts `length` bytes that were written at `used`, and zeros up to the next tar block. */
  advance(length: number): void {
    const end = this.#used + length;
    const padded = (end + 511) & ~511;
    this.bytes.fill(0, end, padded);
    this.#added += padded - this.#used;
    this.#used = padded;
  }

  /** The same inside a member that goes on: no padding, and whole frames leave at once. */
  advanceInside(length: number): void {
    this.#used += length;
    this.#added += length;
    while (this.#used >= FRAME_TARGET) this.#cut(FRAME_TARGET);
  }

  /** Ends a member that was written with `advanceInside`. */
  pad(): void {
    this.advance(0);
  }

  /**
   * Sends everything: one frame, or several of `FRAME_TARGET` bytes and a rest. Throws what ever kept a frame from being sent,
   * again and again: nobody can go on with a pack that lacks one.
   */
  flush(): void {
    if (this.#failure !== undefined) throw this.#failure;
    while (this.#used > 0) this.#cut(Math.min(this.#used, FRAME_TARGET));
  }

  #cut(length: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const compressed = compressFrame(this.bytes.subarray(0, length));
      // A copy of its own, exactly as long, so that it can be handed to another thread.
      const frame = new Uint8Array(compressed);
      releaseBuffer(compressed);
      this.#send(frame, length, this.#frame);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    this.bytes.copyWithin(0, length, this.#used);
    this.#used -= length;
    this.#frame++;
  }
}

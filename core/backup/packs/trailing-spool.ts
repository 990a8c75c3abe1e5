import { closeSync, constants, openSync } from 'node:fs';
import { compressFrame, FRAME_TARGET } from '../../archive/frame.ts';
import { FileBytes } from '../../linux/file-bytes.ts';
import { writeAll } from '../../linux/write-all.ts';

/** Linux' O_TMPFILE: a file without a name, gone with its descriptor. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** A finished frame that waits for its place at the end of the last pack. */
export interface SpooledFrame {
  readonly bytes: Buffer;
  readonly decompressedLength: number;
}

/**
 * Tar members that have to come last in the last pack, compressed into frames and kept in an unnamed file until then, so
 * that memory does not grow with the number of directories. They come out in the order in which they came in, or the other
 * way round.
 */
export class TrailingSpool {
  readonly #descriptor: number;
  readonly #isReversed: boolean;
  readonly #frames: { offset: number; length: number; decompressedLength: number }[] = [];
  #members: Uint8Array[] = [];
  #waiting = 0;
  #end = 0;

  /** `directory` is where the unnamed file lies: private, and with room for it. */
  constructor(directory: string, order: 'as added' | 'reversed') {
    this.#descriptor = openSync(directory, O_TMPFILE | constants.O_RDWR, 0o600);
    this.#isReversed = order === 'reversed';
  }

  /** Adds one member, in whole tar blocks; the spool keeps it. */
  add(member: Uint8Array): void {
    if (this.#waiting > 0 && this.#waiting + member.length > FRAME_TARGET) this.#cut();
    this.#members.push(member);
    this.#waiting += member.length;
  }

  /** Every frame, in order. */
  *frames(): Generator<SpooledFrame> {
    this.#cut();
    const file = new FileBytes(this.#descriptor, 'the spool of trailing members', this.#end);
    for (const { offset, length, decompressedLength } of this.#isReversed ? this.#frames.toReversed() : this.#frames) {
      yield { bytes: file.read(offset, length), decompressedLength };
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #cut(): void {
    if (this.#waiting === 0) return;
    const frame = compressFrame(Buffer.concat(this.#isReversed ? this.#members.reverse() : this.#members));
    writeAll(this.#descriptor, frame, this.#end);
    this.#frames.push({ offset: this.#end, length: frame.length, decompressedLength: this.#waiting });
    this.#end += frame.length;
    this.#members = [];
    this.#waiting = 0;
  }
}

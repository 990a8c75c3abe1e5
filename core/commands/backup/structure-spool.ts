import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { compressFrame, FRAME_TARGET } from '../../archive/frame.ts';

/** Linux' O_TMPFILE: a file without a name, gone with its descriptor. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** A finished frame that waits for its place at the end of the last pack. */
export interface SpooledFrame {
  readonly bytes: Buffer;
  readonly decompressedLength: number;
}

/**
 * Tar members that have to come last in the last pack, compressed into frames and kept in an unnamed file until then, so
 * that memory does not grow with the number of directories.
 */
export class StructureSpool {
  readonly #descriptor: number;
  readonly #frames: { length: number; decompressedLength: number }[] = [];
  readonly #buffer = Buffer.allocUnsafeSlow(FRAME_TARGET);
  #used = 0;

  /** `directory` is where the unnamed file lies: private, and with room for it. */
  constructor(directory: string) {
    this.#descriptor = openSync(directory, O_TMPFILE | constants.O_RDWR, 0o600);
  }

  /** Appends whole tar blocks. */
  add(members: Uint8Array): void {
    for (let at = 0; at < members.length; ) {
      const piece = members.subarray(at, at + FRAME_TARGET - this.#used);
      this.#buffer.set(piece, this.#used);
      this.#used += piece.length;
      at += piece.length;
      if (this.#used === FRAME_TARGET) this.#cut();
    }
  }

  /** Every frame, in order. */
  *frames(): Generator<SpooledFrame> {
    this.#cut();
    let at = 0;
    for (const { length, decompressedLength } of this.#frames) {
      const bytes = Buffer.allocUnsafe(length);
      readSync(this.#descriptor, bytes, 0, length, at);
      at += length;
      yield { bytes, decompressedLength };
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #cut(): void {
    if (this.#used === 0) return;
    const frame = compressFrame(this.#buffer.subarray(0, this.#used));
    for (let written = 0; written < frame.length; ) written += writeSync(this.#descriptor, frame, written);
    this.#frames.push({ length: frame.length, decompressedLength: this.#used });
    this.#used = 0;
  }
}

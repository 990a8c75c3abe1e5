import { compressFrame, FRAME_LIMIT } from './frame.ts';
import { encodeSeekTable, FRAME_COUNT_LIMIT } from './seek-table.ts';

/** Two zero blocks: POSIX' end of an archive. */
const END_OF_ARCHIVE_LENGTH = 1024;

/** Takes the next bytes of the pack. Calls come in the order of the bytes; one may begin before the one before has settled. */
export type PackSink = (bytes: Uint8Array) => void | Promise<void>;

/** Puts finished frames together to one pack: members, end of archive, seek table. Keeps nothing but the frames' lengths. */
export class PackBuilder {
  readonly #output: PackSink;
  readonly #frames: { length: number; decompressedLength: number }[] = [];
  #length = 0;

  constructor(output: PackSink) {
    this.#output = output;
  }

  /** Bytes of the pack so far. */
  get length(): number {
    return this.#length;
  }

  /** Frames so far; also the number that the next frame gets. */
  get frameCount(): number {
    return this.#frames.length;
  }

  /** Appends a frame made by `compressFrame`; its number is known when the output has taken it. */
  async addFrame(compressed: Uint8Array, decompressedLength: number): Promise<number> {
    // One place stays free for the end of the archive.
    if (this.#frames.length >= FRAME_COUNT_LIMIT - 1) throw new RangeError('the pack has too many frames');
    return this.#append(compressed, decompressedLength);
  }

  /** Appends the end-of-archive frame and the seek table. Nothing can be added afterwards. */
  async finish(): Promise<void> {
    await this.#append(compressFrame(Buffer.alloc(END_OF_ARCHIVE_LENGTH)), END_OF_ARCHIVE_LENGTH);
    await this.#put(encodeSeekTable(this.#frames));
  }

  async #append(compressed: Uint8Array, decompressedLength: number): Promise<number> {
    if (decompressedLength < 1 || decompressedLength > FRAME_LIMIT || decompressedLength % 512 !== 0) {
      throw new RangeError(`a frame cannot hold ${decompressedLength} bytes`);
    }
    const number = this.#frames.push({ length: compressed.length, decompressedLength }) - 1;
    await this.#put(compressed);
    return number;
  }

  #put(bytes: Uint8Array): void | Promise<void> {
    this.#length += bytes.length;
    return this.#output(bytes);
  }
}

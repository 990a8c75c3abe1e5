import type { Extent } from '../manifest/entry.ts';
import { word } from '../manifest/format/columns.ts';
import { damagedPack } from './damage.ts';
import { decompressFrame } from './frame.ts';
import { type FrameLengths, type FramePlace, type ReadRange, readSeekTable } from './seek-table.ts';

/** A part of one decompressed frame: the bytes from `begin` up to `end`. */
export interface FrameSlice {
  readonly frame: number;
  readonly begin: number;
  readonly end: number;
}

/** What is needed of an extent to find its bytes in an opened pack. */
export type PlaceInPack = Pick<Extent, 'frame' | 'offset' | 'length'>;

/** Reads single frames and extents of a pack through a function that reads stretches of it. Holds no content. */
export class PackReader {
  readonly frameCount: number;
  /** Of the tar archive that the pack decompresses to, in bytes. */
  readonly decompressedLength: number;
  readonly #lengths: FrameLengths;
  readonly #offsets: Float64Array;
  readonly #readRange: ReadRange;

  private constructor(lengths: FrameLengths, readRange: ReadRange) {
    this.#lengths = lengths;
    this.#readRange = readRange;
    this.frameCount = lengths.compressed.length;
    this.#offsets = new Float64Array(this.frameCount);
    let offset = 0;
    let decompressed = 0;
    for (let frame = 0; frame < this.frameCount; frame++) {
      this.#offsets[frame] = offset;
      offset += word(lengths.compressed, frame);
      decompressed += word(lengths.decompressed, frame);
    }
    this.decompressedLength = decompressed;
  }

  /** Reads and checks the seek table of a pack of `packSize` bytes; `repository_damaged` when it is not a pack. */
  static async open(packSize: number, readRange: ReadRange): Promise<PackReader> {
    const readExactly: ReadRange = async (offset, length) => {
      const bytes = await readRange(offset, length);
      if (bytes.length !== length) throw damagedPack(`${length} bytes at ${offset} were read as ${bytes.length}`);
      return bytes;
    };
    return new PackReader(await readSeekTable(packSize, readExactly), readExactly);
  }

  /** Where frame `frame` lies; `repository_damaged` when the pack has no such frame. */
  frame(frame: number): FramePlace {
    const offset = this.#offsets[frame];
    if (offset === undefined) throw damagedPack(`it has no frame ${frame}`);
    return { offset, length: word(this.#lengths.compressed, frame), decompressedLength: word(this.#lengths.decompressed, frame) };
  }

  /** The tar blocks of one frame. */
  async readFrame(frame: number): Promise<Buffer> {
    const { offset, length, decompressedLength } = this.frame(frame);
    return decompressFrame(await this.#readRange(offset, length), decompressedLength);
  }

  /** Which parts of which frames make up an extent, in order; `repository_damaged` when it does not lie in this pack. */
  *framesOfExtent(extent: PlaceInPack): Generator<FrameSlice> {
    let { frame, offset: begin, length: left } = extent;
    if (!isCount(begin) || !isCount(left) || begin >= this.frame(frame).decompressedLength) {
      throw damagedPack(`it has no ${left} bytes at ${begin} of frame ${frame}`);
    }
    while (left > 0) {
      const end = Math.min(this.frame(frame).decompressedLength, begin + left);
      yield { frame, begin, end };
      left -= end - begin;
      begin = 0;
      frame++;
    }
  }

  /** The bytes of an extent, a frame's worth at a time. Digests are the caller's to check. */
  async *readExtent(extent: PlaceInPack): AsyncGenerator<Buffer> {
    for (const { frame, begin, end } of this.framesOfExtent(extent)) {
      yield (await this.readFrame(frame)).subarray(begin, end);
    }
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

import type { Extent } from '../manifest/entry.ts';
import { word } from '../manifest/format/columns.ts';

const DIGEST_BYTES = 32;
const FOUR_GIB = 0x1_0000_0000;

/** One reference to a stretch of a pack, and the manifest row that it comes from. */
export interface ExtentReference {
  readonly pack: number;
  readonly frame: number;
  readonly offset: number;
  readonly length: number;
  readonly digest: Buffer;
  readonly manifest: number;
  readonly block: number;
  readonly row: number;
}

/**
 * References to stretches of packs, 64 bytes each outside the object heap. Filled up to the capacity it was made for, then
 * sorted by their place, so that packs can be read from front to back.
 */
export class ExtentTable {
  readonly #columns: {
    readonly pack: Uint32Array;
    readonly frame: Uint32Array;
    readonly offset: Uint32Array;
    readonly length: Float64Array;
    readonly manifest: Uint32Array;
    readonly block: Uint32Array;
    readonly row: Uint32Array;
  };
  readonly #digests: Buffer;
  #count = 0;

  constructor(capacity: number) {
    const words = () => new Uint32Array(capacity);
    this.#columns = {
      pack: words(),
      frame: words(),
      offset: words(),
      length: new Float64Array(capacity),
      manifest: words(),
      block: words(),
      row: words(),
    };
    this.#digests = Buffer.alloc(capacity * DIGEST_BYTES);
  }

  add(extent: Extent, pack: number, manifest: number, block: number, row: number): void {
    const at = this.#count++;
    const columns = this.#columns;
    columns.pack[at] = pack;
    columns.frame[at] = extent.frame;
    columns.offset[at] = extent.offset;
    columns.length[at] = extent.length;
    columns.manifest[at] = manifest;
    columns.block[at] = block;
    columns.row[at] = row;
    extent.digest.copy(this.#digests, at * DIGEST_BYTES);
  }

  #get(at: number): ExtentReference {
    const { pack, frame, offset, length, manifest, block, row } = this.#columns;
    return {
      pack: word(pack, at),
      frame: word(frame, at),
      offset: word(offset, at),
      length: length[at] as number,
      digest: this.#digests.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES),
      manifest: word(manifest, at),
      block: word(block, at),
      row: word(row, at),
    };
  }

  /** The references of each pack that has any, in the order of packs and, in each, of their place. */
  *byPack(): Generator<{ pack: number; references: Generator<ExtentReference> }> {
    const { pack, frame, offset, length } = this.#columns;
    const place = (at: number) => word(frame, at) * FOUR_GIB + word(offset, at);
    const order = new Uint32Array(this.#count).map((_, at) => at);
    order.sort((a, b) => word(pack, a) - word(pack, b) || place(a) - place(b) || (length[a] as number) - (length[b] as number));
    for (let begin = 0; begin < order.length; ) {
      const number = word(pack, word(order, begin));
      let end = begin;
      while (end < order.length && pack[word(order, end)] === number) end++;
      yield { pack: number, references: this.#each(order.subarray(begin, end)) };
      begin = end;
    }
  }

  *#each(order: Uint32Array): Generator<ExtentReference> {
    for (const at of order) yield this.#get(at);
  }
}

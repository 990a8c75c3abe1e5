import type { Extent } from '../../manifest/entry.ts';
import { word } from '../../manifest/format/columns.ts';
import { lowerBound } from '../../manifest/lower-bound.ts';

const DIGEST_BYTES = 32;
const FOUR_GIB = 0x1_0000_0000;

/** Where the bytes of an extent lie: the number of the pack is the caller's. */
export interface ExtentPlace {
  readonly pack: number;
  readonly frame: number;
  readonly offset: number;
}

/** Extents that are copied to new packs, and where to: some 64 bytes each, outside the object heap. */
export class CopiedExtents {
  readonly #pack: Uint32Array;
  readonly #frame: Uint32Array;
  readonly #offset: Uint32Array;
  readonly #length: Uint32Array;
  readonly #digests: Buffer;
  /** Pack (from 1; 0: not copied), frame and offset of the copy, three words each. */
  readonly #copies: Uint32Array;
  #order = new Uint32Array(0);
  #count = 0;

  constructor(capacity: number) {
    this.#pack = new Uint32Array(capacity);
    this.#frame = new Uint32Array(capacity);
    this.#offset = new Uint32Array(capacity);
    this.#length = new Uint32Array(capacity);
    this.#digests = Buffer.alloc(capacity * DIGEST_BYTES);
    this.#copies = new Uint32Array(capacity * 3);
  }

  add(pack: number, { frame, offset, length, digest }: Extent): void {
    const at = this.#count++;
    this.#pack[at] = pack;
    this.#frame[at] = frame;
    this.#offset[at] = offset;
    this.#length[at] = length;
    digest.copy(this.#digests, at * DIGEST_BYTES);
  }

  /** To be called when all are added: puts them into the order of their places, each place once. */
  sort(): void {
    const order = new Uint32Array(this.#count).map((_, at) => at);
    order.sort((a, b) => this.#compare(a, this.#place(b)) || word(this.#length, a) - word(this.#length, b));
    let kept = 0;
    for (const at of order) {
      const last = order[kept - 1];
      const isSame = kept > 0 && this.#compare(at, this.#place(last!)) === 0 && this.#length[at] === this.#length[last!];
      if (!isSame) order[kept++] = at;
    }
    this.#order = order.subarray(0, kept);
  }

  /** Each extent in the order of its place; `copied` says where it went. */
  *each(): Generator<{ place: ExtentPlace; length: number; digest: Buffer; copied: (to: ExtentPlace) => void }> {
    for (const at of this.#order) {
      yield {
        place: this.#place(at),
        length: word(this.#length, at),
        digest: this.#digests.subarray(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES),
        copied: ({ pack, frame, offset }) => this.#copies.set([pack, frame, offset], at * 3),
      };
    }
  }

  /** Where the extent at this place was copied to; undefined when it was not. */
  find(place: ExtentPlace, length: number): ExtentPlace | undefined {
    const at = this.#at(place, length);
    if (at === undefined) return undefined;
    const [pack, frame, offset] = this.#copies.subarray(at * 3, at * 3 + 3) as unknown as [number, number, number];
    return pack === 0 ? undefined : { pack, frame, offset };
  }

  /** Whether the extent at this place is to be copied, and was not yet. */
  isMissing(place: ExtentPlace, length: number): boolean {
    const at = this.#at(place, length);
    return at !== undefined && this.#copies[at * 3] === 0;
  }

  /** Says where the extent at this place went. */
  copied(place: ExtentPlace, length: number, { pack, frame, offset }: ExtentPlace): void {
    const at = this.#at(place, length);
    if (at !== undefined) this.#copies.set([pack, frame, offset], at * 3);
  }

  #at(place: ExtentPlace, length: number): number | undefined {
    const order = this.#order;
    const at =
      order[
        lowerBound(order.length, (index) => {
          const middle = word(order, index);
          return (this.#compare(middle, place) || word(this.#length, middle) - length) < 0;
        })
      ];
    return at === undefined || this.#compare(at, place) !== 0 || this.#length[at] !== length ? undefined : at;
  }

  #place(at: number): ExtentPlace {
    return { pack: word(this.#pack, at), frame: word(this.#frame, at), offset: word(this.#offset, at) };
  }

  #compare(at: number, { pack, frame, offset }: ExtentPlace): number {
    return word(this.#pack, at) - pack || word(this.#frame, at) * FOUR_GIB + word(this.#offset, at) - (frame * FOUR_GIB + offset);
  }
}

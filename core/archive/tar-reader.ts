import { damagedTar } from './damage.ts';
import { parsePaxRecords } from './pax-parser.ts';
import { SparseMapParser } from './sparse-map-parser.ts';
import { PAX_RECORDS_LIMIT, padding } from './tar-header.ts';
import { type MemberHeader, memberHeader, type TarMember } from './tar-member.ts';
import { BLOCK, TypeFlag } from './ustar.ts';
import { parseUstarHeader } from './ustar-parser.ts';

type State = 'header' | 'records' | 'map' | 'content' | 'padding' | 'second zero block' | 'end';

const NO_RECORDS: ReadonlyMap<string, Buffer> = new Map();

/**
 * Reads the tar archive of a pack from pieces of any length and rejects, as `repository_damaged`, whatever is not exactly as
 * packs are written: where tar readers could differ in what they see, there is nothing to see. Keeps no content, and of a
 * member at most `PAX_RECORDS_LIMIT` bytes of records and the ranges of one sparse map.
 */
export class TarReader {
  #state: State = 'header';
  /** Bytes from the archive's beginning to what is read next. */
  #position = 0;
  readonly #block = Buffer.alloc(BLOCK);
  /** What is being collected: `#block`, or the records of a pax header. */
  #collected = this.#block;
  #filled = 0;
  /** Bytes of content or padding that are still to come. */
  #left = 0;
  #records: ReadonlyMap<string, Buffer> | undefined;
  #recordsLength = 0;
  #header: MemberHeader | undefined;
  #map: SparseMapParser | undefined;
  #bodyEnd = 0;

  /** Takes the next piece of the archive; returns the members whose headers end in it. */
  push(chunk: Buffer): TarMember[] {
    const members: TarMember[] = [];
    for (let at = 0; at < chunk.length; ) {
      const length = this.#state === 'content' || this.#state === 'padding' ? this.#pass(chunk, at) : this.#collect(chunk, at);
      at += length;
      this.#position += length;
      if (this.#state === 'content' || this.#state === 'padding') this.#afterPassing();
      else if (this.#filled === this.#collected.length) this.#afterCollecting(members);
    }
    return members;
  }

  /** To be called when there are no more pieces: the archive must have ended. */
  finish(): void {
    if (this.#state !== 'end') throw damagedTar('it is cut off');
  }

  #pass(chunk: Buffer, at: number): number {
    const length = Math.min(this.#left, chunk.length - at);
    if (this.#state === 'padding') requireZeros(chunk.subarray(at, at + length), 'the padding of a member');
    this.#left -= length;
    return length;
  }

  #collect(chunk: Buffer, at: number): number {
    if (this.#state === 'end') throw damagedTar('something follows its end');
    const length = chunk.copy(this.#collected, this.#filled, at, at + this.#collected.length - this.#filled);
    this.#filled += length;
    return length;
  }

  #afterPassing(): void {
    if (this.#left > 0) return;
    if (this.#state === 'content') {
      this.#left = padding(this.#position);
      this.#state = 'padding';
    }
    if (this.#left === 0) this.#expect('header');
  }

  #afterCollecting(members: TarMember[]): void {
    const bytes = this.#collected;
    if (this.#state === 'records') {
      requireZeros(bytes.subarray(this.#recordsLength), 'the padding of a pax header');
      this.#records = parsePaxRecords(bytes.subarray(0, this.#recordsLength));
      this.#expect('header');
    } else if (this.#state === 'map') {
      this.#takeMapBlock(bytes, members);
    } else if (this.#state === 'second zero block') {
      requireZeros(bytes, 'the second block of its end');
      this.#expect('end');
    } else if (bytes.every((byte) => byte === 0) && this.#records === undefined) {
      this.#expect('second zero block');
    } else {
      this.#takeHeader(bytes, members);
    }
  }

  #takeHeader(block: Buffer, members: TarMember[]): void {
    const ustar = parseUstarHeader(block);
    if (ustar.typeFlag === TypeFlag.pax) {
      if (this.#records !== undefined) throw damagedTar('two pax headers before one member');
      if (ustar.size < 1 || ustar.size > PAX_RECORDS_LIMIT) throw damagedTar(`a pax header of ${ustar.size} bytes`);
      this.#recordsLength = ustar.size;
      this.#expect('records', ustar.size + padding(ustar.size));
      return;
    }
    const header = memberHeader(ustar, this.#records ?? NO_RECORDS);
    this.#records = undefined;
    this.#bodyEnd = this.#position + header.bodyLength;
    if (header.isSparse) {
      if (header.bodyLength < BLOCK) throw damagedTar('a sparse file without a map');
      this.#header = header;
      this.#map = new SparseMapParser(header.size);
      this.#expect('map');
    } else {
      members.push(this.#member(header));
      this.#startContent();
    }
  }

  #takeMapBlock(block: Buffer, members: TarMember[]): void {
    const sparse = this.#map!.push(block);
    const left = this.#bodyEnd - this.#position;
    if (sparse === undefined) {
      if (left < BLOCK) throw damagedTar('a sparse map is cut off');
      this.#expect('map');
      return;
    }
    if (sparse.reduce((sum, { length }) => sum + length, 0) !== left) throw damagedTar('a sparse map contradicts the length of its member');
    members.push({ ...this.#member(this.#header!), sparse });
    this.#startContent();
  }

  #member({ bodyLength: _, isSparse: __, ...described }: MemberHeader): TarMember {
    return { ...described, contentOffset: this.#position, contentLength: this.#bodyEnd - this.#position };
  }

  #startContent(): void {
    this.#left = this.#bodyEnd - this.#position;
    this.#state = 'content';
    this.#afterPassing();
  }

  #expect(state: State, length = BLOCK): void {
    this.#state = state;
    this.#filled = 0;
    // Attributes of a member are views of its records, so these get a buffer of their own.
    this.#collected = state === 'records' ? Buffer.alloc(length) : this.#block;
  }
}

function requireZeros(bytes: Buffer, what: string): void {
  if (!bytes.every((byte) => byte === 0)) throw damagedTar(`${what} is not zero`);
}

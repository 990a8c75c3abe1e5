import type { ByteString } from '../entry.ts';
import { DIGEST_BYTES } from '../format/block-layout.ts';
import { allWords, byte, offsets, safeNumber, word, words } from '../format/columns.ts';
import { damaged } from '../format/damage.ts';
import { HEADER_BYTES } from '../format/envelope.ts';
import { INDEX_MAGIC, INDEX_SECTIONS, type IndexSection } from '../format/index-layout.ts';
import { BLOCK_BYTES_MAX, BLOCK_ROWS_MAX, PACK_PATH_MAX, PACKS_MAX, PATH_BYTES_MAX } from '../format/limits.ts';
import { unpackSections } from '../format/sections.ts';
import { isPath } from '../names.ts';

const SLASH = 0x2f;
const WHAT = 'the index';

/** What a manifest says about its blocks. First paths stay in their short form: long ones would cost much memory. */
export class ManifestIndex {
  readonly blockCount: number;
  /** Rows of all blocks without context rows. */
  readonly rowCount: number;
  readonly packs: readonly string[];
  readonly #offsets: Uint32Array;
  readonly #lengths: Uint32Array;
  readonly #contentLengths: Uint32Array;
  readonly #rows: Uint32Array;
  readonly #shared: Uint32Array;
  readonly #restOffsets: Uint32Array;
  readonly #rests: Buffer;
  readonly #digests: Buffer;
  /** By block: the last one before it that shares less with its predecessor. From there comes the end of what this one shares. */
  readonly #above: Uint32Array;
  /** The path that was asked for last: mostly the next one follows. */
  #last = { block: -1, path: '' };

  /** `bytes` is the decompressed index of a manifest in which it begins at `indexOffset`. */
  constructor(bytes: Buffer, indexOffset: number) {
    const list = unpackSections(bytes, INDEX_MAGIC, INDEX_SECTIONS.length, WHAT);
    const section = (name: IndexSection): Buffer => list[INDEX_SECTIONS.indexOf(name)] as Buffer;
    this.rowCount = safeNumber(words(section('rowCount'), 2, WHAT), 0, 'the number of rows');
    this.#lengths = allWords(section('blockLength'), WHAT);
    const count = this.#lengths.length;
    this.blockCount = count;
    this.#offsets = words(section('blockOffset'), 2 * count, 'block offsets');
    this.#contentLengths = words(section('blockContentLength'), count, 'block lengths');
    this.#rows = words(section('blockRows'), count, 'block row counts');
    this.#shared = words(section('firstPathShared'), count, 'first paths');
    this.#rests = section('firstPathRests');
    this.#restOffsets = offsets(section('firstPathOffsets'), count, this.#rests.length, 'first paths');
    this.#digests = section('blockDigests');
    if (this.#digests.length !== DIGEST_BYTES * count) throw damaged('block digests are missing');
    this.packs = readPacks(section('packOffsets'), section('packPaths'));
    this.#checkPlaces(indexOffset);
    this.#checkFirstPaths();
    this.#above = blocksAbove(this.#shared);
  }

  offset(block: number): number {
    return safeNumber(this.#offsets, block, 'a block offset');
  }

  length(block: number): number {
    return word(this.#lengths, block);
  }

  contentLength(block: number): number {
    return word(this.#contentLengths, block);
  }

  rows(block: number): number {
    return word(this.#rows, block);
  }

  digest(block: number): Buffer {
    return this.#digests.subarray(block * DIGEST_BYTES, (block + 1) * DIGEST_BYTES);
  }

  /** The full path of the first row of a block. Takes steps for the length of that path, and none for the number of blocks. */
  firstPath(block: number): ByteString {
    if (block !== this.#last.block) this.#last = { block, path: this.#makePath(block) };
    return this.#last.path;
  }

  #makePath(block: number): ByteString {
    const rest = this.#rest(block);
    let needed = word(this.#shared, block);
    if (this.#last.block === block - 1) return this.#last.path.slice(0, needed) + rest;
    const parts = [rest];
    for (let before = block; needed > 0; ) {
      before = word(this.#above, before);
      const shared = word(this.#shared, before);
      parts.push(this.#rest(before, needed - shared));
      needed = shared;
    }
    return parts.reverse().join('');
  }

  /** The last block whose first path is not behind `path`; -1 when every block is. */
  find(path: ByteString): number {
    // How many bytes `path` shares with the first path of the block found so far, which is not behind it.
    let matched = 0;
    for (let block = 0; block < this.blockCount; block++) {
      const shared = word(this.#shared, block);
      if (shared > matched) continue;
      if (shared < matched) return block - 1;
      let rest = word(this.#restOffsets, block);
      const end = word(this.#restOffsets, block + 1);
      while (rest < end && matched < path.length && this.#rests[rest] === path.charCodeAt(matched)) {
        rest++;
        matched++;
      }
      if (rest === end) continue;
      if (matched === path.length || rank(byte(this.#rests, rest)) > rank(path.charCodeAt(matched))) return block - 1;
    }
    return this.blockCount - 1;
  }

  /**
   * The last block that begins below the directory `path`, given that `block` does not begin below it but holds its row;
   * `block` itself when there is none.
   */
  lastBlockBelow(block: number, path: ByteString): number {
    if (block + 1 >= this.blockCount || !this.firstPath(block + 1).startsWith(`${path}/`)) return block;
    let last = block + 1;
    while (last + 1 < this.blockCount && word(this.#shared, last + 1) > path.length) last++;
    return last;
  }

  /** What a first path has besides what it shares, or the first `length` bytes of that. */
  #rest(block: number, length?: number): ByteString {
    const begin = word(this.#restOffsets, block);
    return this.#rests.latin1Slice(begin, length === undefined ? this.#restOffsets[block + 1] : begin + length);
  }

  /** Blocks fill the space between the header and the index without gaps. */
  #checkPlaces(indexOffset: number): void {
    let expected = HEADER_BYTES;
    let rows = 0;
    for (let block = 0; block < this.blockCount; block++) {
      if (this.offset(block) !== expected || this.length(block) === 0) throw damaged(`block ${block} is not where it should be`);
      if (this.contentLength(block) > BLOCK_BYTES_MAX) throw damaged(`block ${block} is larger than ${BLOCK_BYTES_MAX} bytes`);
      if (this.rows(block) === 0 || this.rows(block) > BLOCK_ROWS_MAX) throw damaged(`block ${block} has ${this.rows(block)} rows`);
      expected += this.length(block);
      rows += this.rows(block);
    }
    if (expected !== indexOffset) throw damaged('there is a gap before the index');
    if (this.rowCount > rows) throw damaged('there are fewer rows than it says');
  }

  /** First paths rise, and each says exactly how much it shares with the one before. */
  #checkFirstPaths(): void {
    let previous = Buffer.alloc(256);
    let previousLength = 0;
    for (let block = 0; block < this.blockCount; block++) {
      const shared = word(this.#shared, block);
      const rest = this.#rests.subarray(this.#restOffsets[block], this.#restOffsets[block + 1]);
      const rises = rest.length > 0 && (shared === previousLength || rank(byte(rest, 0)) > rank(byte(previous, shared)));
      if (shared > previousLength || !rises) throw damaged(`block ${block} is out of order`);
      previousLength = shared + rest.length;
      if (previousLength > PATH_BYTES_MAX) throw damaged(`block ${block} begins with a path that is too long`);
      if (previousLength > previous.length) previous = Buffer.concat([previous], 2 * previousLength);
      rest.copy(previous, shared);
    }
  }
}

function blocksAbove(shared: Uint32Array): Uint32Array {
  const above = new Uint32Array(shared.length);
  for (let block = 1; block < shared.length; block++) {
    const own = word(shared, block);
    let before = block - 1;
    // The first block shares nothing, and ends every search. What shares nothing has nobody above, and is never asked.
    while (own > 0 && word(shared, before) >= own) before = word(above, before);
    above[block] = before;
  }
  return above;
}

/** `/` sorts below every other byte. */
function rank(byte: number): number {
  return byte === SLASH ? -1 : byte;
}

function readPacks(offsetSection: Buffer, paths: Buffer): string[] {
  const count = offsetSection.length / 4 - 1;
  if (!(count >= 0)) throw damaged('the table of packs is missing');
  if (count > PACKS_MAX) throw damaged(`it points at more than ${PACKS_MAX} packs`);
  const ends = offsets(offsetSection, Math.floor(count), paths.length, 'pack paths');
  const packs: string[] = [];
  for (let index = 0; index < count; index++) {
    const path = paths.latin1Slice(ends[index], ends[index + 1]);
    if (path.length > PACK_PATH_MAX || !isPath(path)) throw damaged('a pack has a path that leads elsewhere');
    packs.push(path);
  }
  return packs;
}

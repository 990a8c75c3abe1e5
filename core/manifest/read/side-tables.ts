import type { ByteString, Content, DataRange, Extent, Xattr } from '../entry.ts';
import { DIGEST_BYTES } from '../format/block-layout.ts';
import { allWords, offsets, safeNumber, word, words } from '../format/columns.ts';
import { damaged } from '../format/damage.ts';
import { lowerBound } from '../lower-bound.ts';
import type { BlockView } from './block-view.ts';

const TABLES = new WeakMap<BlockView, SideTables>();

/** What only some rows of a block have: attributes, link targets, device numbers, contents. Checked when it is first asked for. */
export class SideTables {
  readonly #what: string;
  readonly #xattrSets: readonly Xattr[][];
  readonly #linkRows: Uint32Array;
  readonly #linkOffsets: Uint32Array;
  readonly #linkTargets: Buffer;
  readonly #deviceNumberRows: Uint32Array;
  readonly #deviceNumbers: Uint32Array;
  readonly #contentRows: Uint32Array;
  readonly #contentDigests: Buffer;
  readonly #extentOffsets: Uint32Array;
  readonly #extentPack: Uint32Array;
  readonly #extentFrame: Uint32Array;
  readonly #extentStart: Uint32Array;
  readonly #extentLength: Uint32Array;
  readonly #extentDigestOffsets: Uint32Array;
  readonly #extentDigests: Buffer;
  readonly #sparseRows: Uint32Array;
  readonly #sparseOffsets: Uint32Array;
  readonly #sparseRanges: Uint32Array;

  /** The tables of a block; made once for each. */
  static of(block: BlockView): SideTables {
    let tables = TABLES.get(block);
    if (tables === undefined) {
      tables = new SideTables(block);
      TABLES.set(block, tables);
    }
    return tables;
  }

  private constructor(block: BlockView) {
    const what = `block ${block.index}`;
    this.#what = what;
    this.#xattrSets = readXattrSets(block, what);
    this.#linkRows = rowNumbers(block.section('linkRows'), block.rows, `${what}: links`);
    this.#linkTargets = block.section('linkTargets');
    this.#linkOffsets = offsets(block.section('linkOffsets'), this.#linkRows.length, this.#linkTargets.length, `${what}: links`);
    this.#deviceNumberRows = rowNumbers(block.section('deviceNumberRows'), block.rows, `${what}: device numbers`);
    this.#deviceNumbers = words(block.section('deviceNumbers'), 2 * this.#deviceNumberRows.length, `${what}: device numbers`);
    this.#contentRows = rowNumbers(block.section('contentRows'), block.rows, `${what}: contents`);
    const contents = this.#contentRows.length;
    this.#contentDigests = digests(block.section('contentDigests'), contents, `${what}: contents`);
    this.#extentPack = allWords(block.section('extentPack'), `${what}: extents`);
    const extents = this.#extentPack.length;
    this.#extentOffsets = offsets(block.section('extentOffsets'), contents, extents, `${what}: extents`);
    this.#extentFrame = words(block.section('extentFrame'), extents, `${what}: extents`);
    this.#extentStart = words(block.section('extentStart'), extents, `${what}: extents`);
    this.#extentLength = words(block.section('extentLength'), 2 * extents, `${what}: extents`);
    const digestCount = block.section('extentDigests').length / DIGEST_BYTES;
    this.#extentDigests = digests(block.section('extentDigests'), Math.floor(digestCount), `${what}: extents`);
    this.#extentDigestOffsets = offsets(block.section('extentDigestOffsets'), contents, digestCount, `${what}: extents`);
    this.#sparseRows = rowNumbers(block.section('sparseRows'), block.rows, `${what}: sparse maps`);
    const ranges = block.section('sparseRanges').length / 16;
    this.#sparseRanges = words(block.section('sparseRanges'), 4 * Math.floor(ranges), `${what}: sparse maps`);
    this.#sparseOffsets = offsets(block.section('sparseOffsets'), this.#sparseRows.length, ranges, `${what}: sparse maps`);
  }

  /** The set of extended attributes with this number; 0 is the empty one. Rows of the same set get the same array. */
  xattrs(set: number): readonly Xattr[] {
    const xattrs = this.#xattrSets[set];
    if (xattrs === undefined) throw damaged(`${this.#what}: unknown set of attributes`);
    return xattrs;
  }

  linkTarget(row: number): ByteString | undefined {
    const index = find(this.#linkRows, row);
    return index < 0 ? undefined : this.#linkTargets.latin1Slice(this.#linkOffsets[index], this.#linkOffsets[index + 1]);
  }

  deviceNumber(row: number): { major: number; minor: number } | undefined {
    const index = find(this.#deviceNumberRows, row);
    if (index < 0) return undefined;
    return { major: word(this.#deviceNumbers, 2 * index), minor: word(this.#deviceNumbers, 2 * index + 1) };
  }

  content(row: number, packs: readonly string[]): Content | undefined {
    const index = find(this.#contentRows, row);
    if (index < 0) return undefined;
    const digest = copyDigest(this.#contentDigests, index);
    const first = word(this.#extentOffsets, index);
    const count = word(this.#extentOffsets, index + 1) - first;
    const firstDigest = word(this.#extentDigestOffsets, index);
    const digestCount = word(this.#extentDigestOffsets, index + 1) - firstDigest;
    if (digestCount !== (count > 1 ? count : 0)) throw damaged(`${this.#what}, row ${row}: ${digestCount} digests of ${count} extents`);
    const extents: Extent[] = [];
    for (let extent = 0; extent < count; extent++) {
      extents.push(this.#extent(first + extent, count > 1 ? copyDigest(this.#extentDigests, firstDigest + extent) : digest, packs));
    }
    const sparse = find(this.#sparseRows, row);
    return sparse < 0 ? { digest, extents } : { digest, extents, sparse: this.#ranges(sparse) };
  }

  /** Calls `visit` with each extent's digest in `bytes` at `offset`, and its row; of a single extent it is the content's. */
  eachDigest(visit: (bytes: Buffer, offset: number, row: number) => void): void {
    this.#contentRows.forEach((row, index) => {
      const first = word(this.#extentDigestOffsets, index);
      const end = word(this.#extentDigestOffsets, index + 1);
      for (let at = first; at < end; at++) visit(this.#extentDigests, at * DIGEST_BYTES, row);
      const isStored = this.#extentOffsets[index] !== this.#extentOffsets[index + 1];
      if (first === end && isStored) visit(this.#contentDigests, index * DIGEST_BYTES, row);
    });
  }

  /** Calls `visit` with the place of each extent; `pack` is its number in the manifest. No object is made for it. */
  eachExtent(visit: (pack: number, frame: number, offset: number, length: number) => void): void {
    const what = `${this.#what}: the length of an extent`;
    for (let extent = 0; extent < this.#extentPack.length; extent++) {
      const length = safeNumber(this.#extentLength, extent, what);
      visit(word(this.#extentPack, extent), word(this.#extentFrame, extent), word(this.#extentStart, extent), length);
    }
  }

  /**
   * Calls `visit` with each row that has content, how long its extents are together, and the data of its sparse map; undefined
   * where it has none.
   */
  eachContent(visit: (row: number, stored: number, mapped: number | undefined) => void): void {
    let sparse = 0;
    for (let content = 0; content < this.#contentRows.length; content++) {
      const row = word(this.#contentRows, content);
      let stored = 0;
      for (let extent = word(this.#extentOffsets, content); extent < word(this.#extentOffsets, content + 1); extent++) {
        stored += safeNumber(this.#extentLength, extent, this.#what);
      }
      while (sparse < this.#sparseRows.length && word(this.#sparseRows, sparse) < row) sparse++;
      visit(row, stored, this.#sparseRows[sparse] === row ? this.#mapped(sparse) : undefined);
    }
  }

  #mapped(index: number): number {
    return this.#ranges(index).reduce((sum, { length }) => sum + length, 0);
  }

  #extent(index: number, digest: Buffer, packs: readonly string[]): Extent {
    const pack = packs[word(this.#extentPack, index)];
    if (pack === undefined) throw damaged(`${this.#what}: an extent lies in an unknown pack`);
    const length = safeNumber(this.#extentLength, index, `${this.#what}: the length of an extent`);
    return { pack, frame: word(this.#extentFrame, index), offset: word(this.#extentStart, index), length, digest };
  }

  #ranges(index: number): DataRange[] {
    const ranges: DataRange[] = [];
    const what = `${this.#what}: a sparse map`;
    for (let range = word(this.#sparseOffsets, index); range < word(this.#sparseOffsets, index + 1); range++) {
      const offset = safeNumber(this.#sparseRanges, 2 * range, what);
      ranges.push({ offset, length: safeNumber(this.#sparseRanges, 2 * range + 1, what) });
    }
    return ranges;
  }
}

/** Copies, so that an entry that is kept does not keep its whole block. */
function copyDigest(table: Buffer, index: number): Buffer {
  return Buffer.from(table.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES));
}

function digests(section: Buffer, count: number, what: string): Buffer {
  if (section.length !== count * DIGEST_BYTES) throw damaged(`${what}: digests are cut`);
  return section;
}

/** The rows that a table is about: rising, each of them a row of the block. */
function rowNumbers(section: Buffer, rows: number, what: string): Uint32Array {
  const numbers = allWords(section, what);
  let previous = -1;
  for (const number of numbers) {
    if (number <= previous || number >= rows) throw damaged(`${what}: rows out of order`);
    previous = number;
  }
  return numbers;
}

function find(rows: Uint32Array, row: number): number {
  const index = lowerBound(rows.length, (middle) => word(rows, middle) < row);
  return rows[index] === row ? index : -1;
}

function readXattrSets(block: BlockView, what: string): Xattr[][] {
  const names = block.section('xattrNames');
  const values = block.section('xattrValues');
  const count = allWords(block.section('xattrNameOffsets'), `${what}: attributes`).length - 1;
  const nameOffsets = offsets(block.section('xattrNameOffsets'), count, names.length, `${what}: attributes`);
  const valueOffsets = offsets(block.section('xattrValueOffsets'), count, values.length, `${what}: attributes`);
  const setCount = allWords(block.section('xattrSetOffsets'), `${what}: attributes`).length - 1;
  const setOffsets = offsets(block.section('xattrSetOffsets'), setCount, count, `${what}: attributes`);
  const sets: Xattr[][] = [[]];
  for (let set = 0; set < setCount; set++) {
    const xattrs: Xattr[] = [];
    for (let index = word(setOffsets, set); index < word(setOffsets, set + 1); index++) {
      const name = names.latin1Slice(nameOffsets[index], nameOffsets[index + 1]);
      xattrs.push({ name, value: Buffer.from(values.subarray(valueOffsets[index], valueOffsets[index + 1])) });
    }
    sets.push(xattrs);
  }
  return sets;
}

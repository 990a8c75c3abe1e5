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
  readonly #badSets: ReadonlySet<number>;
  /** The rows that have a link target, rising; and those below. */
  readonly linkRows: Uint32Array;
  readonly #linkOffsets: Uint32Array;
  readonly #linkTargets: Buffer;
  readonly deviceNumberRows: Uint32Array;
  readonly #deviceNumbers: Uint32Array;
  readonly contentRows: Uint32Array;
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
    this.#badSets = new Set(this.#xattrSets.flatMap((set, number) => (isSet(set) ? [] : [number])));
    this.linkRows = rowNumbers(block.section('linkRows'), block.rows, `${what}: links`);
    this.#linkTargets = block.section('linkTargets');
    this.#linkOffsets = offsets(block.section('linkOffsets'), this.linkRows.length, this.#linkTargets.length, `${what}: links`);
    this.deviceNumberRows = rowNumbers(block.section('deviceNumberRows'), block.rows, `${what}: device numbers`);
    this.#deviceNumbers = words(block.section('deviceNumbers'), 2 * this.deviceNumberRows.length, `${what}: device numbers`);
    this.contentRows = rowNumbers(block.section('contentRows'), block.rows, `${what}: contents`);
    const contents = this.contentRows.length;
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
    if (this.#sparseRows.some((row) => find(this.contentRows, row) < 0)) throw damaged(`${what}: a sparse map of no content`);
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

  /** Whether there is a set of this number, with names that attributes can have, each once. */
  hasSet(set: number): boolean {
    return this.#xattrSets[set] !== undefined && !this.#badSets.has(set);
  }

  /** The bytes of a link's target, by its place in `linkRows`. */
  targetAt(link: number): Buffer {
    return this.#linkTargets.subarray(this.#linkOffsets[link], this.#linkOffsets[link + 1]);
  }

  /** By its place in `deviceNumberRows`. */
  deviceNumberAt(index: number): { major: number; minor: number } {
    return { major: word(this.#deviceNumbers, 2 * index), minor: word(this.#deviceNumbers, 2 * index + 1) };
  }

  /** How many bytes are stored of a content, by its place in `contentRows`. */
  storedAt(content: number): number {
    let stored = 0;
    for (let extent = word(this.#extentOffsets, content); extent < word(this.#extentOffsets, content + 1); extent++) {
      stored += safeNumber(this.#extentLength, extent, this.#what);
    }
    return stored;
  }

  /** How many bytes have to be stored of a content of a file of `size` bytes; or what is wrong with its sparse map. */
  mappedAt(content: number, size: number): number | string {
    const sparse = find(this.#sparseRows, this.contentRows[content] as number);
    if (sparse < 0) return size;
    let sum = 0;
    let end = 0;
    for (let range = word(this.#sparseOffsets, sparse); range < word(this.#sparseOffsets, sparse + 1); range++) {
      const offset = safeNumber(this.#sparseRanges, 2 * range, this.#what);
      const length = safeNumber(this.#sparseRanges, 2 * range + 1, this.#what);
      if (offset < end || length === 0 || offset + length > size) return 'ranges of a sparse map out of place';
      end = offset + length;
      sum += length;
    }
    return sum;
  }

  /** What is wrong with the extents of a content: each has bytes, lies in one of so many packs, and has a digest. */
  problemOfExtents(content: number, packs: number): string | undefined {
    const first = word(this.#extentOffsets, content);
    const end = word(this.#extentOffsets, content + 1);
    const digestCount = word(this.#extentDigestOffsets, content + 1) - word(this.#extentDigestOffsets, content);
    if (digestCount !== (end - first > 1 ? end - first : 0)) return `${digestCount} digests of ${end - first} extents`;
    for (let extent = first; extent < end; extent++) {
      if (word(this.#extentPack, extent) >= packs) return 'an extent in an unknown pack';
      const [low, high] = [word(this.#extentLength, 2 * extent), word(this.#extentLength, 2 * extent + 1)];
      if ((low === 0 && high === 0) || high > 0x1f_ffff) return 'an extent of a length that cannot be';
    }
    return undefined;
  }

  linkTarget(row: number): ByteString | undefined {
    const index = find(this.linkRows, row);
    return index < 0 ? undefined : this.#linkTargets.latin1Slice(this.#linkOffsets[index], this.#linkOffsets[index + 1]);
  }

  deviceNumber(row: number): { major: number; minor: number } | undefined {
    const index = find(this.deviceNumberRows, row);
    if (index < 0) return undefined;
    return { major: word(this.#deviceNumbers, 2 * index), minor: word(this.#deviceNumbers, 2 * index + 1) };
  }

  content(row: number, packs: readonly string[]): Content | undefined {
    const index = find(this.contentRows, row);
    if (index < 0) return undefined;
    const digest = copyDigest(this.#contentDigests, index);
    const first = word(this.#extentOffsets, index);
    const count = word(this.#extentOffsets, index + 1) - first;
    const firstDigest = word(this.#extentDigestOffsets, index);
    const extents: Extent[] = [];
    for (let extent = 0; extent < count; extent++) {
      extents.push(this.#extent(first + extent, count > 1 ? copyDigest(this.#extentDigests, firstDigest + extent) : digest, packs));
    }
    const sparse = find(this.#sparseRows, row);
    return sparse < 0 ? { digest, extents } : { digest, extents, sparse: this.#ranges(sparse) };
  }

  /** Calls `visit` with each extent's digest in `bytes` at `offset`, and its row; of a single extent it is the content's. */
  eachDigest(visit: (bytes: Buffer, offset: number, row: number) => void): void {
    this.contentRows.forEach((row, index) => {
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

/** Whether an entry can have these attributes. */
function isSet(xattrs: readonly Xattr[]): boolean {
  const names = new Set(xattrs.map(({ name }) => name));
  return names.size === xattrs.length && !names.has('') && xattrs.every(({ name }) => !name.includes('\0'));
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

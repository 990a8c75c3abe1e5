import { createHash, hash } from 'node:crypto';
import { Failure } from '../../failure.ts';
import type { DeviceNumbers } from '../device-numbers.ts';
import type { ByteString, ManifestRow } from '../entry.ts';
import { byte, word } from '../format/columns.ts';
import { damaged, namedDamage } from '../format/damage.ts';
import { checkHeader, FOOTER_BYTES, HEADER_BYTES, readFooter } from '../format/envelope.ts';
import { decompressBlock } from '../format/frames.ts';
import { CONTEXT, DIRECTORY, holdsChildren, TOMBSTONE } from '../format/kinds.ts';
import { CACHED_BLOCKS } from '../format/limits.ts';
import { PathStack } from '../format/path-stack.ts';
import { comparePaths, isWithin } from '../path-order.ts';
import { BlockCache } from './block-cache.ts';
import { checkRows } from './block-check.ts';
import { BlockView } from './block-view.ts';
import { decodeRow } from './entry-decoder.ts';
import { ManifestIndex } from './manifest-index.ts';
import type { RandomAccess } from './random-access.ts';
import { type BadRow, badRows } from './row-check.ts';
import { standIn } from './stand-in.ts';

const HASH_STEP = 1024 * 1024;

/** What a snapshot record says about a manifest. */
export interface ExpectedManifest {
  /** Its place in the repository, to be named when something is wrong with it. */
  readonly path?: string;
  readonly length: number;
  /** The compressed index; `sha256` is hexadecimal. */
  readonly index: { readonly offset: number; readonly length: number; readonly sha256: string };
}

/** A row's place: 8 bytes are enough to come back to it with `readAt`. */
export interface RowPlace {
  readonly block: BlockView;
  readonly row: number;
}

/** What of a manifest cannot be used: the paths from `from` up to `to`, or to the end; or of a single row the one path `from`. */
export interface LostStretch {
  readonly from: ByteString;
  readonly to: ByteString | undefined;
  readonly isOne: boolean;
  readonly failure: Failure;
}

/** How manifests are read. */
export interface ReadingOptions {
  /** Every row has the number that its device has now. */
  readonly devices?: DeviceNumbers | undefined;
  /** Hears of each block, and each row, that cannot be used, once; they are passed over. Without it they are a failure. */
  readonly onLost?: (lost: LostStretch) => void;
}

/**
 * Reads a manifest block by block. Whatever is wrong with it ends in a `repository_damaged` failure that names it: the index is checked
 * against `expect`, a block against the index when it is read. Where the source has a spare, that is asked for what is damaged.
 */
export class ManifestReader {
  readonly #source: RandomAccess;
  readonly #index: ManifestIndex;
  readonly #path: string | undefined;
  readonly #cache: BlockCache;
  readonly #options: ReadingOptions;
  readonly #lost = new Set<number>();

  static open(source: RandomAccess, expect?: ExpectedManifest, options: ReadingOptions = {}): ManifestReader {
    return new ManifestReader(source, expect, new BlockCache(CACHED_BLOCKS), options);
  }

  /** Opens manifests that are read together, such as those of a chain: each finds room for the block that it is at. */
  static openAll(
    manifests: readonly { readonly source: RandomAccess; readonly expect?: ExpectedManifest | undefined }[],
    options: ReadingOptions = {},
  ): ManifestReader[] {
    return ManifestReader.openEach(manifests, options).map((opened) => {
      if (opened instanceof Failure) throw opened;
      return opened;
    });
  }

  /** The same, where one that is damaged keeps nobody from the others: why stands in its place. */
  static openEach(
    manifests: readonly { readonly source: RandomAccess; readonly expect?: ExpectedManifest | undefined }[],
    options: ReadingOptions = {},
  ): (ManifestReader | Failure)[] {
    const cache = new BlockCache(manifests.length + CACHED_BLOCKS);
    return manifests.map(({ source, expect }) => {
      try {
        return new ManifestReader(source, expect, cache, options);
      } catch (error) {
        if (error instanceof Failure && isDamage(error)) return error;
        throw error;
      }
    });
  }

  private constructor(source: RandomAccess, expect: ExpectedManifest | undefined, cache: BlockCache, options: ReadingOptions) {
    this.#source = source;
    this.#path = expect?.path;
    this.#cache = cache;
    this.#options = options;
    this.#index = this.#fromEither((each) => readIndex(each, expect));
  }

  /** What `read` makes of the source, or where that is damaged of its spare. */
  #fromEither<T>(read: (source: RandomAccess) => T): T {
    try {
      return read(this.#source);
    } catch (error) {
      const failure = namedDamage(error, this.#path);
      const { spare } = this.#source;
      if (spare === undefined || !isDamage(failure)) throw failure;
      let found: T;
      try {
        found = read(spare.access);
      } catch {
        throw failure;
      }
      spare.used(failure);
      return found;
    }
  }

  /** Entries and tombstones. */
  get rowCount(): number {
    return this.#index.rowCount;
  }

  get blockCount(): number {
    return this.#index.blockCount;
  }

  /** The packs that entries point at, by first use. */
  get packs(): readonly string[] {
    return this.#index.packs;
  }

  /** Compares the whole manifest with its SHA-256 (hexadecimal). */
  verifyWhole(sha256: string): void {
    const whole = createHash('sha256');
    for (let offset = 0; offset < this.#source.size; offset += HASH_STEP) {
      whole.update(this.#source.read(offset, Math.min(HASH_STEP, this.#source.size - offset)));
    }
    if (whole.digest('hex') !== sha256) throw namedDamage(damaged('its bytes are not the recorded ones'), this.#path);
  }

  /** First paths of blocks, in order, with at least `rows` rows before the first and between each and the next. Reads nothing. */
  pathsEvery(rows: number): ByteString[] {
    const paths: ByteString[] = [];
    let passed = 0;
    for (let block = 0; block < this.blockCount; block++) {
      if (passed >= rows) {
        paths.push(this.#index.firstPath(block));
        passed = 0;
      }
      passed += this.#index.rows(block);
    }
    return paths;
  }

  /** All rows in order, from the first that is not before `from`. */
  *rows(from: ByteString = ''): Generator<ManifestRow> {
    for (let number = Math.max(this.#index.find(from), 0); number < this.blockCount; number++) {
      const block = this.block(number);
      const directory = new PathStack(block.parentPath);
      for (let row = 0; row < block.rows; row++) {
        const name = block.name(row);
        directory.leaveTo(word(block.depth, row));
        const path = directory.join(name);
        if (holdsChildren(byte(block.kind, row))) directory.enter(name);
        if (comparePaths(path, from) < 0) continue;
        const decoded = decodeRow(block, row, path, this.packs);
        if (decoded !== undefined) yield decoded;
      }
    }
  }

  /** The row of exactly this path. Reads one block at most. */
  find(path: ByteString): ManifestRow | undefined {
    const place = this.floor(path);
    if (place === undefined || place.block.path(place.row) !== path) return undefined;
    return decodeRow(place.block, place.row, path, this.packs);
  }

  /** The row at a place that was learnt from a walk: an entry or a tombstone. */
  readAt(block: number, row: number): ManifestRow {
    if (!(block >= 0 && block < this.blockCount && row >= 0 && row < this.#index.rows(block))) {
      throw new RangeError(`no row ${row} in block ${block}`);
    }
    const view = this.block(block);
    const decoded = decodeRow(view, row, view.path(row), this.packs);
    if (decoded === undefined) throw new RangeError(`row ${row} in block ${block} is no entry`);
    return decoded;
  }

  /** The last row that is not behind `path`, context rows included. Reads one block at most. */
  floor(path: ByteString): RowPlace | undefined {
    const number = this.#index.find(path);
    if (number < 0) return undefined;
    const block = this.block(number);
    const row = firstRowBehind(block, path) - 1;
    // Of a block that is lost nothing is known.
    return row < 0 ? undefined : { block, row };
  }

  /** The block and row of the first row, context rows included, that is not before `path`; the row may be the end of its block. */
  ceiling(path: ByteString): { block: number; row: number } {
    const place = this.floor(path);
    if (place === undefined) return { block: Math.max(0, this.#index.find(path)), row: 0 };
    const isExact = place.block.path(place.row) === path;
    return { block: place.block.index, row: isExact ? place.row : place.row + 1 };
  }

  /** The last block that begins below the directory `path` whose row lies in `block`; `block` when there is none. */
  lastBlockBelow(block: number, path: ByteString): number {
    return this.#index.lastBlockBelow(block, path);
  }

  /** A checked block. The few that were used last are kept. */
  block(number: number): BlockView {
    return this.#cache.get(this, number, () => this.#readBlock(number));
  }

  #readBlock(number: number): BlockView {
    try {
      const block = this.#fromEither((source) => this.#checkedBlock(source, number));
      this.#options.devices?.translateWords(block.devices);
      return block;
    } catch (error) {
      if (this.#options.onLost === undefined || !(error instanceof Failure) || !isDamage(error)) throw error;
      const [from, to] = [this.#index.firstPath(number), this.#nextFirstPath(number)];
      this.#lose(number, { from, to, isOne: false, failure: error });
      return standIn(number, from, to);
    }
  }

  /** Tells what of a block is lost, when it is read for the first time. */
  #lose(number: number, ...lost: LostStretch[]): void {
    if (this.#lost.has(number)) return;
    this.#lost.add(number);
    for (const each of lost) this.#options.onLost?.(each);
  }

  #checkedBlock(source: RandomAccess, number: number): BlockView {
    const index = this.#index;
    const frame = source.read(index.offset(number), index.length(number));
    if (!hash('sha256', frame, 'buffer').equals(index.digest(number))) throw damaged(`block ${number} is altered`);
    const block = new BlockView(decompressBlock(frame, index.contentLength(number), `block ${number}`), number);
    if (block.rows !== index.rows(number)) throw damaged(`block ${number}: ${block.rows} rows instead of ${index.rows(number)}`);
    checkRows(block, index.firstPath(number), this.#nextFirstPath(number));
    const bad = badRows(block, index.packs.length);
    if (bad.length > 0) this.#passOver(block, bad);
    return block;
  }

  /** A bad row is no entry: of a directory its path is left, of anything else nothing. */
  #passOver(block: BlockView, bad: readonly BadRow[]): void {
    const lost = bad.map(({ row, problem }): LostStretch => {
      const from = block.path(row);
      const failure = damaged(`block ${block.index}, row ${row} (${JSON.stringify(from)}): ${problem}`);
      return { from, to: undefined, isOne: true, failure: namedDamage(failure, this.#path) };
    });
    if (this.#options.onLost === undefined) throw (lost[0] as LostStretch).failure;
    for (const { row } of bad) block.kind[row] = block.kind[row] === DIRECTORY ? CONTEXT : TOMBSTONE;
    this.#lose(block.index, ...lost);
  }

  #nextFirstPath(number: number): ByteString | undefined {
    return number + 1 < this.#index.blockCount ? this.#index.firstPath(number + 1) : undefined;
  }
}

/** Whether a failure says that bytes are not what they were, or cannot be had. */
function isDamage({ code }: Failure): boolean {
  return code === 'repository_damaged' || code === 'io_error';
}

function readIndex(source: RandomAccess, expect: ExpectedManifest | undefined): ManifestIndex {
  if (source.size < HEADER_BYTES + FOOTER_BYTES) throw damaged('it is cut');
  if (expect !== undefined && expect.length !== source.size) throw damaged(`${source.size} bytes instead of ${expect.length}`);
  const isRecorded = expect !== undefined;
  checkHeader(source.read(0, HEADER_BYTES), isRecorded);
  const place = readFooter(source.read(source.size - FOOTER_BYTES, FOOTER_BYTES), source.size, isRecorded);
  const frame = source.read(place.offset, place.length);
  if (expect !== undefined) {
    const isExpected = place.offset === expect.index.offset && place.length === expect.index.length;
    if (!isExpected || hash('sha256', frame) !== expect.index.sha256) throw damaged('its index is not the recorded one');
  }
  return new ManifestIndex(decompressBlock(frame, place.contentLength, 'the index'), place.offset);
}

/** Walks down towards `path`, passing over what lies beside the way. */
function firstRowBehind(block: BlockView, path: ByteString): number {
  const directory = new PathStack(block.parentPath);
  let row = 0;
  while (row < block.rows) {
    directory.leaveTo(word(block.depth, row));
    const name = block.name(row);
    const here = directory.join(name);
    if (comparePaths(here, path) > 0) return row;
    if (here !== path && isWithin(path, here)) {
      directory.enter(name);
      row++;
    } else {
      // Everything below a path before `path` is before it, too; everything below `path` itself is behind it.
      if (here === path) return row + 1;
      row = block.afterSubtree(row);
    }
  }
  return row;
}

import { createHash, hash } from 'node:crypto';
import type { DeviceNumbers } from '../device-numbers.ts';
import type { ByteString, ManifestRow } from '../entry.ts';
import { byte, word } from '../format/columns.ts';
import { damaged } from '../format/damage.ts';
import { checkHeader, FOOTER_BYTES, HEADER_BYTES, readFooter } from '../format/envelope.ts';
import { decompressFrame } from '../format/frames.ts';
import { holdsChildren } from '../format/kinds.ts';
import { CACHED_BLOCKS } from '../format/limits.ts';
import { PathStack } from '../format/path-stack.ts';
import { comparePaths, isWithin } from '../path-order.ts';
import { BlockCache } from './block-cache.ts';
import { checkRows } from './block-check.ts';
import { BlockView } from './block-view.ts';
import { decodeRow } from './entry-decoder.ts';
import { ManifestIndex } from './manifest-index.ts';
import type { RandomAccess } from './random-access.ts';

const HASH_STEP = 1024 * 1024;

/** What a snapshot record says about a manifest. */
export interface ExpectedManifest {
  readonly length: number;
  /** The compressed index; `sha256` is hexadecimal. */
  readonly index: { readonly offset: number; readonly length: number; readonly sha256: string };
}

/** A row's place: 8 bytes are enough to come back to it with `readAt`. */
export interface RowPlace {
  readonly block: BlockView;
  readonly row: number;
}

/**
 * Reads a manifest block by block. Whatever is wrong with it ends in a `repository_damaged` failure: the index is checked
 * against `expect`, a block against the index when it is read.
 */
export class ManifestReader {
  readonly #source: RandomAccess;
  readonly #index: ManifestIndex;
  readonly #cache: BlockCache;
  readonly #devices: DeviceNumbers | undefined;

  static open(source: RandomAccess, expect?: ExpectedManifest): ManifestReader {
    return new ManifestReader(source, expect, new BlockCache(CACHED_BLOCKS), undefined);
  }

  /**
   * Opens manifests that are read together, such as those of a chain: each finds room for the block that it is at. With `devices` every
   * row has the number that its device has now.
   */
  static openAll(
    manifests: readonly { readonly source: RandomAccess; readonly expect?: ExpectedManifest | undefined }[],
    devices?: DeviceNumbers,
  ): ManifestReader[] {
    const cache = new BlockCache(manifests.length + CACHED_BLOCKS);
    return manifests.map(({ source, expect }) => new ManifestReader(source, expect, cache, devices));
  }

  private constructor(source: RandomAccess, expect: ExpectedManifest | undefined, cache: BlockCache, devices: DeviceNumbers | undefined) {
    this.#source = source;
    this.#cache = cache;
    this.#devices = devices;
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
    this.#index = new ManifestIndex(decompressFrame(frame, place.contentLength, 'the index'), place.offset);
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
    if (whole.digest('hex') !== sha256) throw damaged('its bytes are not the recorded ones');
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
    return { block, row: firstRowBehind(block, path) - 1 };
  }

  /** The block and row of the first row, context rows included, that is not before `path`; the row may be the end of its block. */
  ceiling(path: ByteString): { block: number; row: number } {
    const place = this.floor(path);
    if (place === undefined) return { block: 0, row: 0 };
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
    const index = this.#index;
    const frame = this.#source.read(index.offset(number), index.length(number));
    if (!hash('sha256', frame, 'buffer').equals(index.digest(number))) throw damaged(`block ${number} is altered`);
    const block = new BlockView(decompressFrame(frame, index.contentLength(number), `block ${number}`), number);
    if (block.rows !== index.rows(number)) throw damaged(`block ${number}: ${block.rows} rows instead of ${index.rows(number)}`);
    checkRows(block, index.firstPath(number), number + 1 < index.blockCount ? index.firstPath(number + 1) : undefined);
    this.#devices?.translateWords(block.devices);
    return block;
  }
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

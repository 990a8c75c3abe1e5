import type { ByteString } from '../entry.ts';
import { byte, word } from '../format/columns.ts';
import type { BlockView } from '../read/block-view.ts';
import type { ManifestReader } from '../read/manifest-reader.ts';

/** A place in one manifest that moves forward only. Holds one block. */
export class LayerCursor {
  readonly reader: ManifestReader;
  #block: BlockView | undefined;
  #row = 0;
  #name: ByteString | undefined;

  /** Begins at the first row. */
  constructor(reader: ManifestReader) {
    this.reader = reader;
    this.#enterBlock(0);
  }

  /** The depth of the row, -1 behind the last one. */
  get depth(): number {
    return this.#block === undefined ? -1 : word(this.#block.depth, this.#row);
  }

  /** Only while there is a row, like everything below. */
  get block(): BlockView {
    return this.#block as BlockView;
  }

  get row(): number {
    return this.#row;
  }

  get kind(): number {
    return byte(this.block.kind, this.#row);
  }

  get name(): ByteString {
    this.#name ??= this.block.name(this.#row);
    return this.#name;
  }

  /** On to the next row, which may be a child. */
  next(): void {
    this.#moveTo(this.#row + 1);
  }

  /** On to the next row when that is in this block and not below this one; false otherwise. */
  skipLeaf(): boolean {
    const block = this.block;
    const next = this.#row + 1;
    if (next >= block.rows || word(block.depth, next) > word(block.depth, this.#row)) return false;
    this.#name = undefined;
    this.#row = next;
    return true;
  }

  /** On to the first row that is not below this one, whose path is `path`. Blocks that lie below it whole are not read. */
  skipSubtree(path: ByteString): void {
    const block = this.block;
    const depth = this.depth;
    const next = block.afterSubtree(this.#row);
    if (next < block.rows) {
      this.#moveTo(next);
      return;
    }
    const last = this.reader.lastBlockBelow(block.index, path);
    if (last === block.index) this.#enterBlock(last + 1);
    else this.#leaveSubtree(last, depth);
  }

  /** From a row somewhere below `path`, whose own row is at `depth`, on to the first row that is not below it. */
  skipRest(path: ByteString, depth: number): void {
    if (this.depth <= depth) return;
    const block = this.block;
    let row = this.#row;
    while (row < block.rows && word(block.depth, row) > depth) row++;
    if (row < block.rows) {
      this.#moveTo(row);
      return;
    }
    const last = this.reader.lastBlockBelow(block.index, path);
    if (last === block.index) this.#enterBlock(last + 1);
    else this.#leaveSubtree(last, depth);
  }

  /** On to the first row that is not before `path`, which must not lie behind the cursor. */
  seek(path: ByteString): void {
    const { block, row } = this.reader.ceiling(path);
    this.#enterBlock(block);
    if (row > 0) this.#moveTo(row);
  }

  #leaveSubtree(block: number, depth: number): void {
    this.#enterBlock(block);
    if (this.#block === undefined) return;
    const { depth: depths, rows } = this.#block;
    let row = 0;
    while (row < rows && word(depths, row) > depth) row++;
    this.#moveTo(row);
  }

  #moveTo(row: number): void {
    this.#name = undefined;
    this.#row = row;
    if (row >= this.block.rows) this.#enterBlock(this.block.index + 1);
  }

  #enterBlock(number: number): void {
    this.#name = undefined;
    this.#row = 0;
    this.#block = undefined;
    // A block that is lost can have no rows.
    for (let next = number; next < this.reader.blockCount && this.#block === undefined; next++) {
      const block = this.reader.block(next);
      if (block.rows > 0) this.#block = block;
    }
  }
}

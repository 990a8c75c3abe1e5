import type { ByteString } from '../entry.ts';
import { BLOCK_MAGIC, BLOCK_SECTIONS, type BlockSection } from '../format/block-layout.ts';
import { allWords, halfWords, offsets, word, words } from '../format/columns.ts';
import { damaged } from '../format/damage.ts';
import { PathStack } from '../format/path-stack.ts';
import { unpackSections } from '../format/sections.ts';

/**
 * A decompressed block, its columns used where they lie. A column has one element a row; `size`, `inode` and the seconds
 * have two, the low word first. Rows that are no entries have zeros. What the columns mean: docs/format/manifest.md.
 */
export class BlockView {
  /** The number of the block in its manifest. */
  readonly index: number;
  readonly rows: number;
  /** Path of the directory of the first row. */
  readonly parentPath: ByteString;
  /** See `kinds.ts`. */
  readonly kind: Uint8Array;
  readonly flags: Uint8Array;
  /** 0 for a top-level name. */
  readonly depth: Uint32Array;
  readonly nameOffsets: Uint32Array;
  readonly nameBytes: Buffer;
  readonly mode: Uint16Array;
  readonly uid: Uint32Array;
  readonly gid: Uint32Array;
  readonly linkCount: Uint32Array;
  /** Into `devices`. */
  readonly deviceIndex: Uint32Array;
  readonly size: Uint32Array;
  readonly mtimeSeconds: Uint32Array;
  readonly mtimeNanoseconds: Uint32Array;
  readonly ctimeSeconds: Uint32Array;
  readonly ctimeNanoseconds: Uint32Array;
  readonly inode: Uint32Array;
  readonly xattrSet: Uint32Array;
  readonly inodeFlags: Uint32Array;
  /** Major and minor number of each device. */
  readonly devices: Uint32Array;
  readonly #sections: readonly Buffer[];
  #names: string | undefined;

  constructor(bytes: Buffer, index: number) {
    const what = `block ${index}`;
    this.index = index;
    this.#sections = unpackSections(bytes, BLOCK_MAGIC, BLOCK_SECTIONS.length, what);
    this.kind = this.section('kind');
    const rows = this.kind.length;
    this.rows = rows;
    const column = (name: BlockSection): Uint32Array => words(this.section(name), rows, `${what}: ${name}`);
    const pairs = (name: BlockSection): Uint32Array => words(this.section(name), 2 * rows, `${what}: ${name}`);
    this.parentPath = this.section('parentPath').latin1Slice();
    this.flags = this.section('flags');
    if (this.flags.length !== rows) throw damaged(`${what}: flags`);
    this.depth = column('depth');
    this.nameBytes = this.section('names');
    this.nameOffsets = offsets(this.section('nameOffsets'), rows, this.nameBytes.length, `${what}: names`);
    this.mode = halfWords(this.section('mode'), rows, `${what}: mode`);
    this.uid = column('uid');
    this.gid = column('gid');
    this.linkCount = column('linkCount');
    this.deviceIndex = column('deviceIndex');
    this.size = pairs('size');
    this.mtimeSeconds = pairs('mtimeSeconds');
    this.mtimeNanoseconds = column('mtimeNanoseconds');
    this.ctimeSeconds = pairs('ctimeSeconds');
    this.ctimeNanoseconds = column('ctimeNanoseconds');
    this.inode = pairs('inode');
    this.xattrSet = column('xattrSet');
    this.inodeFlags = column('inodeFlags');
    this.devices = allWords(this.section('devices'), `${what}: devices`);
    if (this.devices.length % 2 !== 0) throw damaged(`${what}: devices`);
  }

  section(name: BlockSection): Buffer {
    const section = this.#sections[SECTION_NUMBERS.get(name) ?? -1];
    if (section === undefined) throw damaged(`block ${this.index}: ${name}`);
    return section;
  }

  name(row: number): ByteString {
    // One string for all names, of which V8 takes slices, costs a third of a conversion per name.
    this.#names ??= this.nameBytes.latin1Slice();
    return this.#names.substring(word(this.nameOffsets, row), word(this.nameOffsets, row + 1));
  }

  /** The full path of a row, found by walking back to its ancestors. */
  path(row: number): ByteString {
    const names = [this.name(row)];
    let wanted = word(this.depth, row) - 1;
    for (let before = row - 1; before >= 0 && wanted >= 0; before--) {
      if (this.depth[before] !== wanted) continue;
      names.push(this.name(before));
      wanted--;
    }
    if (wanted >= 0) {
      const above = new PathStack(this.parentPath);
      above.leaveTo(wanted + 1);
      names.push(above.path);
    }
    return names.reverse().join('/');
  }

  /** The first row after `row` that is not below it; the number of rows when the block ends before. */
  afterSubtree(row: number): number {
    const depth = word(this.depth, row);
    let next = row + 1;
    while (next < this.rows && word(this.depth, next) > depth) next++;
    return next;
  }
}

const SECTION_NUMBERS = new Map<BlockSection, number>(BLOCK_SECTIONS.map((name, index) => [name, index]));

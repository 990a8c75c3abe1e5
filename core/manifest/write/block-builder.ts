import type { ByteString, Content, Entry } from '../entry.ts';
import { BLOCK_MAGIC, BLOCK_SECTIONS, type BlockSection } from '../format/block-layout.ts';
import { wideBytes, wordBytes } from '../format/column-bytes.ts';
import { kindNumber } from '../format/kinds.ts';
import { packSections } from '../format/sections.ts';
import { ByteList } from './byte-list.ts';
import { XattrSets } from './xattr-sets.ts';

const BILLION = 1_000_000_000n;
/** Pack, frame, start, length and digest; offset and length. */
const BYTES_OF_EXTENT = 52;
const BYTES_OF_RANGE = 16;

/** Collects the rows of one block as columns. Used again for the next block after `clear`. */
export class BlockBuilder {
  #rows = 0;
  readonly #kind: Uint8Array;
  readonly #flags: Uint8Array;
  readonly #depth: Uint32Array;
  readonly #nameOffsets: Uint32Array;
  readonly #names = new ByteList();
  readonly #mode: Uint16Array;
  readonly #uid: Uint32Array;
  readonly #gid: Uint32Array;
  readonly #linkCount: Uint32Array;
  readonly #deviceIndex: Uint32Array;
  readonly #size: BigUint64Array;
  readonly #mtimeSeconds: BigInt64Array;
  readonly #mtimeNanoseconds: Uint32Array;
  readonly #ctimeSeconds: BigInt64Array;
  readonly #ctimeNanoseconds: Uint32Array;
  readonly #inode: BigUint64Array;
  readonly #xattrSet: Uint32Array;
  readonly #inodeFlags: Uint32Array;
  readonly #devices: bigint[] = [];
  readonly #xattrs = new XattrSets();
  readonly #linkRows: number[] = [];
  readonly #linkOffsets: number[] = [0];
  readonly #linkTargets = new ByteList();
  readonly #deviceNumberRows: number[] = [];
  readonly #deviceNumbers: number[] = [];
  readonly #contentRows: number[] = [];
  readonly #contentDigests = new ByteList();
  readonly #extentOffsets: number[] = [0];
  readonly #extentPack: number[] = [];
  readonly #extentFrame: number[] = [];
  readonly #extentStart: number[] = [];
  readonly #extentLength: number[] = [];
  readonly #extentDigestOffsets: number[] = [0];
  readonly #extentDigests = new ByteList();
  readonly #sparseRows: number[] = [];
  readonly #sparseOffsets: number[] = [0];
  readonly #sparseRanges: number[] = [];

  /** `capacity` is the most rows that will be added. */
  constructor(capacity: number) {
    this.#kind = new Uint8Array(capacity);
    this.#flags = new Uint8Array(capacity);
    this.#depth = new Uint32Array(capacity);
    this.#nameOffsets = new Uint32Array(capacity + 1);
    this.#mode = new Uint16Array(capacity);
    this.#uid = new Uint32Array(capacity);
    this.#gid = new Uint32Array(capacity);
    this.#linkCount = new Uint32Array(capacity);
    this.#deviceIndex = new Uint32Array(capacity);
    this.#size = new BigUint64Array(capacity);
    this.#mtimeSeconds = new BigInt64Array(capacity);
    this.#mtimeNanoseconds = new Uint32Array(capacity);
    this.#ctimeSeconds = new BigInt64Array(capacity);
    this.#ctimeNanoseconds = new Uint32Array(capacity);
    this.#inode = new BigUint64Array(capacity);
    this.#xattrSet = new Uint32Array(capacity);
    this.#inodeFlags = new Uint32Array(capacity);
  }

  get rows(): number {
    return this.#rows;
  }

  /** About how many bytes of the block have no fixed width. */
  get variableBytes(): number {
    return (
      this.#names.length +
      this.#xattrs.names.length +
      this.#xattrs.values.length +
      this.#linkTargets.length +
      this.#extentDigests.length +
      20 * this.#extentPack.length +
      8 * this.#sparseRanges.length
    );
  }

  /** Adds a row that is a path and a kind: a context row or a tombstone. */
  addBare(depth: number, name: ByteString, kind: number): number {
    const row = this.#rows++;
    this.#kind[row] = kind;
    this.#depth[row] = depth;
    this.#names.appendText(name);
    this.#nameOffsets[row + 1] = this.#names.length;
    return row;
  }

  /** Adds a row with all columns. `packIndex` gives the place of a pack in the table of the whole manifest. */
  addEntry(depth: number, name: ByteString, entry: Entry, packIndex: (pack: string) => number): void {
    const row = this.addBare(depth, name, kindNumber(entry.kind));
    this.#flags[row] = entry.flags;
    this.#mode[row] = entry.mode;
    this.#uid[row] = entry.uid;
    this.#gid[row] = entry.gid;
    this.#linkCount[row] = entry.linkCount;
    this.#deviceIndex[row] = this.#device(entry.device);
    this.#size[row] = BigInt(entry.size);
    addTime(this.#mtimeSeconds, this.#mtimeNanoseconds, row, entry.mtime);
    addTime(this.#ctimeSeconds, this.#ctimeNanoseconds, row, entry.ctime);
    this.#inode[row] = entry.inode;
    this.#xattrSet[row] = this.#xattrs.number(entry.xattrs);
    this.#inodeFlags[row] = entry.inodeFlags;
    if (entry.linkTarget !== undefined) {
      this.#linkRows.push(row);
      this.#linkTargets.appendText(entry.linkTarget);
      this.#linkOffsets.push(this.#linkTargets.length);
    }
    if (entry.deviceNumber !== undefined) {
      this.#deviceNumberRows.push(row);
      this.#deviceNumbers.push(entry.deviceNumber.major, entry.deviceNumber.minor);
    }
    if (entry.projectId !== undefined) {
      this.#deviceNumberRows.push(row);
      this.#deviceNumbers.push(entry.projectId, 0);
    }
    if (entry.content !== undefined) this.#addContent(row, entry.content, packIndex);
  }

  /** The block as its bytes before compression. `parentPath` is the path of the directory of the first row. */
  build(parentPath: ByteString): Buffer {
    const rows = this.#rows;
    const sections: Record<BlockSection, Uint8Array> = {
      parentPath: Buffer.from(parentPath, 'latin1'),
      kind: this.#kind.subarray(0, rows),
      flags: this.#flags.subarray(0, rows),
      depth: bytesOf(this.#depth, rows),
      nameOffsets: bytesOf(this.#nameOffsets, rows + 1),
      names: this.#names.contents(),
      mode: bytesOf(this.#mode, rows),
      uid: bytesOf(this.#uid, rows),
      gid: bytesOf(this.#gid, rows),
      linkCount: bytesOf(this.#linkCount, rows),
      deviceIndex: bytesOf(this.#deviceIndex, rows),
      size: bytesOf(this.#size, rows),
      mtimeSeconds: bytesOf(this.#mtimeSeconds, rows),
      mtimeNanoseconds: bytesOf(this.#mtimeNanoseconds, rows),
      ctimeSeconds: bytesOf(this.#ctimeSeconds, rows),
      ctimeNanoseconds: bytesOf(this.#ctimeNanoseconds, rows),
      inode: bytesOf(this.#inode, rows),
      xattrSet: bytesOf(this.#xattrSet, rows),
      inodeFlags: bytesOf(this.#inodeFlags, rows),
      devices: wordBytes(this.#devices.flatMap((device) => [Number(device >> 32n), Number(device & 0xffff_ffffn)])),
      xattrSetOffsets: wordBytes(this.#xattrs.setOffsets),
      xattrNameOffsets: wordBytes(this.#xattrs.nameOffsets),
      xattrNames: this.#xattrs.names.contents(),
      xattrValueOffsets: wordBytes(this.#xattrs.valueOffsets),
      xattrValues: this.#xattrs.values.contents(),
      linkRows: wordBytes(this.#linkRows),
      linkOffsets: wordBytes(this.#linkOffsets),
      linkTargets: this.#linkTargets.contents(),
      deviceNumberRows: wordBytes(this.#deviceNumberRows),
      deviceNumbers: wordBytes(this.#deviceNumbers),
      contentRows: wordBytes(this.#contentRows),
      contentDigests: this.#contentDigests.contents(),
      extentOffsets: wordBytes(this.#extentOffsets),
      extentPack: wordBytes(this.#extentPack),
      extentFrame: wordBytes(this.#extentFrame),
      extentStart: wordBytes(this.#extentStart),
      extentLength: wideBytes(this.#extentLength),
      extentDigestOffsets: wordBytes(this.#extentDigestOffsets),
      extentDigests: this.#extentDigests.contents(),
      sparseRows: wordBytes(this.#sparseRows),
      sparseOffsets: wordBytes(this.#sparseOffsets),
      sparseRanges: wideBytes(this.#sparseRanges),
    };
    return packSections(
      BLOCK_MAGIC,
      BLOCK_SECTIONS.map((name) => sections[name]),
    );
  }

  clear(): void {
    const columns = [this.#flags, this.#mode, this.#uid, this.#gid, this.#linkCount, this.#deviceIndex];
    for (const column of [...columns, this.#mtimeNanoseconds, this.#ctimeNanoseconds, this.#xattrSet, this.#inodeFlags]) column.fill(0);
    for (const column of [this.#size, this.#inode, this.#mtimeSeconds, this.#ctimeSeconds]) column.fill(0n);
    for (const bytes of [this.#names, this.#linkTargets, this.#contentDigests, this.#extentDigests]) bytes.clear();
    for (const list of [this.#linkRows, this.#deviceNumberRows, this.#deviceNumbers, this.#contentRows, this.#sparseRows]) list.length = 0;
    for (const list of [this.#extentPack, this.#extentFrame, this.#extentStart, this.#extentLength, this.#sparseRanges]) list.length = 0;
    for (const list of [this.#linkOffsets, this.#extentOffsets, this.#extentDigestOffsets, this.#sparseOffsets]) list.length = 1;
    this.#devices.length = 0;
    this.#xattrs.clear();
    this.#rows = 0;
  }

  #addContent(row: number, content: Content, packIndex: (pack: string) => number): void {
    this.#contentRows.push(row);
    this.#contentDigests.append(content.digest);
    for (const extent of content.extents) {
      this.#extentPack.push(packIndex(extent.pack));
      this.#extentFrame.push(extent.frame);
      this.#extentStart.push(extent.offset);
      this.#extentLength.push(extent.length);
      if (content.extents.length > 1) this.#extentDigests.append(extent.digest);
    }
    this.#extentOffsets.push(this.#extentPack.length);
    this.#extentDigestOffsets.push(this.#extentDigests.length / content.digest.length);
    if (content.sparse === undefined) return;
    this.#sparseRows.push(row);
    for (const range of content.sparse) this.#sparseRanges.push(range.offset, range.length);
    this.#sparseOffsets.push(this.#sparseRanges.length / 2);
  }

  /** There are rarely more than one or two devices in a block. */
  #device(device: bigint): number {
    const index = this.#devices.indexOf(device);
    return index >= 0 ? index : this.#devices.push(device) - 1;
  }
}

/** What a content takes in a block besides the columns of its row. */
export function bytesOfContent({ extents, sparse = [] }: Content): number {
  return BYTES_OF_EXTENT * extents.length + BYTES_OF_RANGE * sparse.length;
}

function addTime(seconds: BigInt64Array, nanoseconds: Uint32Array, row: number, time: bigint): void {
  let whole = time / BILLION;
  let rest = time % BILLION;
  if (rest < 0n) {
    whole -= 1n;
    rest += BILLION;
  }
  seconds[row] = whole;
  nanoseconds[row] = Number(rest);
}

function bytesOf(column: Uint16Array | Uint32Array | BigUint64Array | BigInt64Array, count: number): Uint8Array {
  return new Uint8Array(column.buffer, 0, count * column.BYTES_PER_ELEMENT);
}

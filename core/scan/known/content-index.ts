import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { writeAll } from '../../linux/write-all.ts';
import type { Entry, Extent } from '../../manifest/entry.ts';
import { byte, word } from '../../manifest/format/columns.ts';
import { FILE } from '../../manifest/format/kinds.ts';
import type { BlockView } from '../../manifest/read/block-view.ts';
import type { ManifestReader } from '../../manifest/read/manifest-reader.ts';
import { SideTables } from '../../manifest/read/side-tables.ts';
import { sameStat } from '../../manifest/read/stat-columns.ts';
import {
  RECORD_LENGTH,
  RECORDS_PER_PAGE,
  type RecordSource,
  SortedHashes,
  type SortedHashesLayout,
  writeSortedHashes,
} from './sorted-hashes.ts';

const MAGIC = 'apiscp-backup content index 1\n\0\0';
const HEADER_LENGTH = 64;

/** To read the row of a file with more pieces for each of them would take longer than to store it. */
const MANY_PIECES = 64;

type Layouts = readonly [SortedHashesLayout, SortedHashesLayout];

/** The first 28 bits of a SHA-256. */
function hashOfDigest(bytes: Uint8Array, offset: number): number {
  const at = (index: number): number => byte(bytes, offset + index);
  return ((at(0) << 20) | (at(1) << 12) | (at(2) << 4) | (at(3) >>> 4)) & 0xfff_ffff;
}

/** An inode number, given as its two words, spread over 28 bits by Fibonacci hashing. */
function hashOfInode(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, 0x85eb_ca6b), 0x9e37_79b1) >>> 4;
}

/**
 * Leads from a digest, or an inode, to the row of a manifest that has it: a local file beside the manifest's copy. Only a
 * help: what it points at is compared with what was asked for, and without it contents are stored once more.
 */
export class ContentIndex {
  readonly #reader: ManifestReader;
  readonly #descriptor: number;
  readonly #digests: SortedHashes;
  readonly #inodes: SortedHashes;
  /** The pieces by digest of the last file of many pieces in which something was found. */
  #pieces: ReadonlyMap<string, Extent> = new Map();

  /** Opens the index of a manifest; undefined when there is none that can be read, or it is cut, or of another manifest. */
  static open(file: string, reader: ManifestReader): ContentIndex | undefined {
    let descriptor: number;
    try {
      descriptor = openSync(file, 'r');
    } catch {
      return undefined;
    }
    let layouts: Layouts | undefined;
    try {
      layouts = readLayouts(descriptor, reader);
    } catch {
      // A folder, or a disk that does not give it back.
    }
    if (layouts !== undefined) return new ContentIndex(reader, descriptor, layouts);
    closeSync(descriptor);
    return undefined;
  }

  private constructor(reader: ManifestReader, descriptor: number, layouts: Layouts) {
    this.#reader = reader;
    this.#descriptor = descriptor;
    this.#digests = new SortedHashes(descriptor, layouts[0]);
    this.#inodes = new SortedHashes(descriptor, layouts[1]);
  }

  /** Where stored bytes of this digest and length lie. */
  findContent(digest: Buffer, length: number): Extent | undefined {
    const key = digest.latin1Slice();
    // What is asked for next lies mostly in the same file.
    const near = this.#pieces.get(key);
    if (near?.length === length) return near;
    for (const { block, row } of this.#digests.find(hashOfDigest(digest, 0))) {
      const extents = this.#row(block, row)?.content?.extents ?? [];
      const found = extents.find((extent) => extent.length === length && extent.digest.equals(digest));
      if (found === undefined) continue;
      if (extents.length >= MANY_PIECES) this.#pieces = new Map(extents.map((extent) => [extent.digest.latin1Slice(), extent]));
      return found;
    }
    return undefined;
  }

  /** The file whose inode is still exactly as `words`, a `struct statx`, say: the same file under whatever name. */
  findFile(words: Uint32Array): Entry | undefined {
    for (const { block, row } of this.#inodes.find(hashOfInode(word(words, 8), word(words, 9)))) {
      const view = this.#view(block, row);
      if (view !== undefined && view.flags[row] === 0 && sameStat(view, row, words)) return this.#row(block, row);
    }
    return undefined;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #view(block: number, row: number): BlockView | undefined {
    const view = block < this.#reader.blockCount ? this.#reader.block(block) : undefined;
    return view !== undefined && row < view.rows && view.kind[row] === FILE ? view : undefined;
  }

  #row(block: number, row: number): Entry | undefined {
    if (this.#view(block, row) === undefined) return undefined;
    const found = this.#reader.readAt(block, row);
    return found.kind === 'tombstone' ? undefined : found;
  }
}

/** Makes the index of a manifest; `file` appears whole or not at all. */
export function writeContentIndex(file: string, reader: ManifestReader): void {
  const temporary = `${file}.tmp`;
  try {
    const descriptor = openSync(temporary, 'w', 0o600);
    try {
      writeIndex(descriptor, reader);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true, recursive: true });
    throw error;
  }
}

function writeIndex(descriptor: number, reader: ManifestReader): void {
  const digests = writeSortedHashes(descriptor, HEADER_LENGTH, reader.rowCount, digestsOf(reader));
  const inodes = writeSortedHashes(descriptor, HEADER_LENGTH + digests.count * RECORD_LENGTH, reader.rowCount, inodesOf(reader));
  let at = HEADER_LENGTH + (digests.count + inodes.count) * RECORD_LENGTH;
  for (const { fences } of [digests, inodes]) {
    const bytes = Buffer.from(fences.buffer, fences.byteOffset, fences.byteLength);
    writeAll(descriptor, bytes, at);
    at += bytes.length;
  }
  const header = Buffer.alloc(HEADER_LENGTH);
  header.latin1Write(MAGIC);
  [reader.rowCount, digests.count, inodes.count].forEach((number, index) => {
    header.writeDoubleLE(number, MAGIC.length + 8 * index);
  });
  writeAll(descriptor, header, 0);
}

function digestsOf(reader: ManifestReader): RecordSource {
  return (add) => {
    for (let number = 0; number < reader.blockCount; number++) {
      SideTables.of(reader.block(number)).eachDigest((bytes, offset, row) => add(hashOfDigest(bytes, offset), number, row));
    }
  };
}

/** Files without content are left out: there is nothing to gain. */
function inodesOf(reader: ManifestReader): RecordSource {
  return (add) => {
    for (let number = 0; number < reader.blockCount; number++) {
      const { kind, inode, size, rows } = reader.block(number);
      for (let row = 0; row < rows; row++) {
        const isEmpty = size[2 * row] === 0 && size[2 * row + 1] === 0;
        if (kind[row] === FILE && !isEmpty) add(hashOfInode(word(inode, 2 * row), word(inode, 2 * row + 1)), number, row);
      }
    }
  };
}

/** Undefined unless the file is of this manifest and exactly as long as its header says. */
function readLayouts(descriptor: number, reader: ManifestReader): Layouts | undefined {
  const header = Buffer.alloc(HEADER_LENGTH);
  readSync(descriptor, header, 0, HEADER_LENGTH, 0);
  if (header.latin1Slice(0, MAGIC.length) !== MAGIC || header.readDoubleLE(MAGIC.length) !== reader.rowCount) return undefined;
  const counts = [header.readDoubleLE(MAGIC.length + 8), header.readDoubleLE(MAGIC.length + 16)] as const;
  const pages = counts.map((count) => Math.ceil(count / RECORDS_PER_PAGE));
  const records = counts[0] + counts[1];
  const length = HEADER_LENGTH + records * RECORD_LENGTH + ((pages[0] as number) + (pages[1] as number)) * Uint32Array.BYTES_PER_ELEMENT;
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0) || fstatSync(descriptor).size !== length) return undefined;
  let at = HEADER_LENGTH + records * RECORD_LENGTH;
  const [digests, inodes] = pages.map((count) => {
    const fences = new Uint32Array(count);
    at += readSync(descriptor, Buffer.from(fences.buffer), 0, fences.byteLength, at);
    return fences;
  }) as [Uint32Array, Uint32Array];
  return [
    { offset: HEADER_LENGTH, count: counts[0], fences: digests },
    { offset: HEADER_LENGTH + counts[0] * RECORD_LENGTH, count: counts[1], fences: inodes },
  ];
}

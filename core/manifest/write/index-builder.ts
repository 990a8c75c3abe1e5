import type { ByteString } from '../entry.ts';
import { wideBytes, wordBytes } from '../format/column-bytes.ts';
import { INDEX_MAGIC, INDEX_SECTIONS, type IndexSection } from '../format/index-layout.ts';
import { packSections } from '../format/sections.ts';
import { ByteList } from './byte-list.ts';

export interface BlockSummary {
  /** Of the compressed block in the manifest. */
  readonly offset: number;
  readonly length: number;
  /** Of the decompressed block. */
  readonly contentLength: number;
  readonly rows: number;
  readonly firstPath: ByteString;
  /** SHA-256 of the compressed block. */
  readonly digest: Buffer;
}

/** Collects what the index says about the blocks: some 60 bytes each, and what a first path does not share with the one before. */
export class IndexBuilder {
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  readonly #contentLengths: number[] = [];
  readonly #rows: number[] = [];
  readonly #shared: number[] = [];
  readonly #restOffsets: number[] = [0];
  readonly #rests = new ByteList();
  readonly #digests = new ByteList();
  #previous: ByteString = '';

  add(block: BlockSummary): void {
    this.#offsets.push(block.offset);
    this.#lengths.push(block.length);
    this.#contentLengths.push(block.contentLength);
    this.#rows.push(block.rows);
    const shared = sharedLength(this.#previous, block.firstPath);
    this.#shared.push(shared);
    this.#rests.appendText(block.firstPath.slice(shared));
    this.#restOffsets.push(this.#rests.length);
    this.#digests.append(block.digest);
    this.#previous = block.firstPath;
  }

  /** The index as its bytes before compression. `rowCount` leaves context rows out. */
  build(rowCount: number, packs: readonly string[]): Buffer {
    const sections: Record<IndexSection, Uint8Array> = {
      rowCount: wideBytes([rowCount]),
      blockOffset: wideBytes(this.#offsets),
      blockLength: wordBytes(this.#lengths),
      blockContentLength: wordBytes(this.#contentLengths),
      blockRows: wordBytes(this.#rows),
      firstPathShared: wordBytes(this.#shared),
      firstPathOffsets: wordBytes(this.#restOffsets),
      firstPathRests: this.#rests.contents(),
      blockDigests: this.#digests.contents(),
      ...packTable(packs),
    };
    return packSections(
      INDEX_MAGIC,
      INDEX_SECTIONS.map((name) => sections[name]),
    );
  }
}

/** The sections that name packs. */
export function packTable(packs: readonly string[]): Pick<Record<IndexSection, Uint8Array>, 'packOffsets' | 'packPaths'> {
  const packPaths = new ByteList();
  const packOffsets = [0];
  for (const pack of packs) {
    packPaths.appendText(pack);
    packOffsets.push(packPaths.length);
  }
  return { packOffsets: wordBytes(packOffsets), packPaths: packPaths.contents() };
}

function sharedLength(a: ByteString, b: ByteString): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

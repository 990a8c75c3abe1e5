import { hash } from 'node:crypto';
import { tarHeaderLengthBound, writeTarHeader } from '../../archive/tar-header.ts';
import type { Content, Entry } from '../../manifest/entry.ts';
import type { UnitContents } from '../known/unit-contents.ts';
import { LargeFileWriter } from '../read/large-file.ts';
import type { ReadPace, StoredBytes } from '../read/stored-bytes.ts';
import type { PackOutput } from './pack-output.ts';
import { isStructure } from './trailing.ts';

/** What was read of a file and can now be kept or dropped. */
export interface PendingContent {
  /** False when the file ended before its size; the rest is zeros. */
  readonly complete: boolean;
  readonly bytes: number;
  keep(): Content;
}

/** Puts entries into the worker's pack as tar members, unless the repository already has what is in them. */
export class ContentStore {
  readonly #output: PackOutput;
  readonly #known: UnitContents | undefined;
  readonly #largeFiles: LargeFileWriter;

  /** Without `known` everything is stored, as a plain full wants it. */
  constructor(output: PackOutput, known: UnitContents | undefined) {
    this.#output = output;
    this.#known = known;
    this.#largeFiles = new LargeFileWriter(output, known);
  }

  /** Throws `cancelled` when the unit was given up. */
  checkWanted(): void {
    this.#output.checkWanted();
  }

  /** What holds the reading of files back. */
  get pace(): ReadPace | undefined {
    return this.#output.pace;
  }

  /** Adds an entry that has no content, unless it is one of those that come last. */
  addMember(entry: Entry): void {
    if (isStructure(entry)) return;
    // A link whose target could not be read: the manifest alone has it.
    if (entry.kind === 'symlink' && entry.linkTarget === undefined) return;
    const { frames } = this.#output;
    frames.makeRoom(tarHeaderLengthBound(entry));
    frames.advance(writeTarHeader(frames.bytes, frames.used, entry) - frames.used);
  }

  /** Reads a file that fits into memory. Nothing is stored before `keep`. */
  readSmall(entry: Entry, source: StoredBytes): PendingContent {
    const { frames } = this.#output;
    const sparse = source.ranges;
    frames.makeRoom(tarHeaderLengthBound(entry, sparse) + source.length);
    const start = writeTarHeader(frames.bytes, frames.used, entry, sparse === undefined ? {} : { sparse });
    const bytes = source.read(frames.bytes, start, source.length);
    frames.bytes.fill(0, start + bytes, start + source.length);
    return {
      complete: bytes === source.length,
      bytes,
      keep: () => {
        const digest = hash('sha256', frames.bytes.subarray(start, start + source.length), 'buffer');
        const holes = sparse === undefined ? {} : { sparse };
        const known = source.length === 0 ? undefined : this.#known?.find(digest, source.length);
        if (known !== undefined) return { digest, extents: [known], ...holes };
        const extent = { pack: this.#output.path, ...frames.positionOf(start), length: source.length, digest };
        frames.advance(start + source.length - frames.used);
        // A file that is one hole has nothing stored, but keeps its member.
        return { digest, extents: source.length === 0 ? [] : [extent], ...holes };
      },
    };
  }

  /** Reads and stores a file of any length, bit by bit. Of what `earlier` holds nothing is stored again. */
  storeLarge(entry: Entry, source: StoredBytes, earlier: Content | undefined): PendingContent {
    const { content, complete } = this.#largeFiles.store(entry, source, earlier);
    return { complete, bytes: source.length, keep: () => content };
  }
}

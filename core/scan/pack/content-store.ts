import { hash } from 'node:crypto';
import { tarHeaderLengthBound, writeTarHeader } from '../../archive/tar-header.ts';
import type { Content, Entry } from '../../manifest/entry.ts';
import type { UnitContents } from '../known/unit-contents.ts';
import { LargeFileWriter, type StoredFile } from '../read/large-file.ts';
import type { ReadThrottle, StoredBytes } from '../read/stored-bytes.ts';
import type { PackOutput } from './pack-output.ts';
import { isTrailing } from './trailing.ts';

/** What these packs have of an entry. */
export interface KeptEntry {
  /** Undefined where there is none, or it could not be stored. */
  readonly content: Content | undefined;
  /** Whether a tar member stands for the entry under its name. */
  readonly hasMember: boolean;
}

/** What was read of a file and can now be kept or dropped. */
export interface PendingContent {
  /** False when the file ended before its size; the rest is zeros. */
  readonly complete: boolean;
  readonly bytes: number;
  /** Of a large file, which is stored while it is read. */
  readonly stored?: StoredFile;
  keep(): KeptEntry;
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
  throwIfCancelled(): void {
    this.#output.throwIfCancelled();
  }

  /** What holds the reading of files back. */
  get pace(): ReadThrottle | undefined {
    return this.#output.pace;
  }

  /** Adds an entry that has no content, unless it is one of those that come last; tells whether it did. */
  addMember(entry: Entry): boolean {
    if (isTrailing(entry)) return false;
    // A link whose target could not be read: the manifest alone has it.
    if (entry.kind === 'symlink' && entry.linkTarget === undefined) return false;
    const { frames } = this.#output;
    frames.makeRoom(tarHeaderLengthBound(entry));
    frames.advance(writeTarHeader(frames.bytes, frames.used, entry) - frames.used);
    return true;
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
        if (known !== undefined) return { content: { digest, extents: [known], ...holes }, hasMember: false };
        const extent = { pack: this.#output.path, ...frames.positionOf(start), length: source.length, digest };
        frames.advance(start + source.length - frames.used);
        // A file that is one hole has nothing stored, but keeps its member.
        return { content: { digest, extents: source.length === 0 ? [] : [extent], ...holes }, hasMember: true };
      },
    };
  }

  /** Reads and stores a file of any length, bit by bit; `earlier` is what a previous attempt stored of it. */
  storeLarge(entry: Entry, source: StoredBytes, earlier: StoredFile | undefined): PendingContent {
    const stored = this.#largeFiles.store(entry, source, earlier);
    const kept = { content: stored.content, hasMember: !stored.isPiecewise };
    return { complete: stored.complete, bytes: source.length, stored, keep: () => kept };
  }
}

import { createHash, hash } from 'node:crypto';
import { chunkEntry } from '../../archive/chunk-member.ts';
import { ContentDefinedChunker, MAXIMUM_CHUNK } from '../../archive/chunker.ts';
import { tarHeaderLengthBound, writeTarHeader } from '../../archive/tar-header.ts';
import type { Content, Entry, Extent } from '../../manifest/entry.ts';
import type { UnitContents } from '../known/unit-contents.ts';
import type { PackOutput } from '../pack/pack-output.ts';
import type { StoredBytes } from './stored-bytes.ts';

const READ_LENGTH = 1024 * 1024;

/** How much of a new file is looked at to tell whether the repository knows parts of it under another name. */
const PROBE_LENGTH = 16 * 1024 * 1024;

/** Room for the longest chunk and the next read behind it: one for each thread, made with its first large file. */
let window: Buffer | undefined;

function windowOfThread(): Buffer {
  window ??= Buffer.allocUnsafeSlow(MAXIMUM_CHUNK + READ_LENGTH);
  return window;
}

/** A stretch of the file in memory, valid until the next one is asked for. */
interface Chunk {
  readonly bytes: Buffer;
  readonly digest: Buffer;
}

/** A large file as it was stored. */
export interface StoredFile {
  readonly content: Content;
  /** False when the file ended before its size. */
  readonly complete: boolean;
  /** Whether no member has all of it: it lies in chunks. */
  readonly isPiecewise: boolean;
}

/**
 * Stores files too large for memory, chunk by chunk. A file that is new to the repository becomes one ordinary tar member,
 * its chunks being stretches of it; of a file that is partly known only the unknown chunks are stored, each as a member of
 * its own. A file that changed meanwhile is stored again in the same way: of two members of one name tar gives the last, so
 * that one has to be whole.
 */
export class LargeFileWriter {
  readonly #output: PackOutput;
  readonly #known: UnitContents | undefined;
  #complete = true;
  #failure: unknown;

  constructor(output: PackOutput, known: UnitContents | undefined) {
    this.#output = output;
    this.#known = known;
  }

  /** `earlier` is what a previous attempt stored of the same file. Throws what a read threw, with the pack in order. */
  store(entry: Entry, source: StoredBytes, earlier: StoredFile | undefined): StoredFile {
    const stored = new Map(earlier?.content.extents.map((extent) => [extent.digest.latin1Slice(), extent]));
    const piecewise = earlier?.isPiecewise ?? this.#isPartlyKnown(source);
    const whole = createHash('sha256');
    const extents: Extent[] = [];
    if (!piecewise) this.#beginMember(entry, source);
    for (const { bytes, digest } of this.#chunks(source, source.length)) {
      this.#output.throwIfCancelled();
      this.#output.reportRead(bytes.length);
      whole.update(bytes);
      const extent = piecewise ? (stored.get(digest.latin1Slice()) ?? this.#known?.find(digest, bytes.length)) : undefined;
      if (extent !== undefined) extents.push(extent);
      else if (piecewise) extents.push(this.#storeChunk(bytes, digest));
      else extents.push(this.#continueMember(bytes, digest));
    }
    if (!piecewise) this.#output.frames.pad();
    if (this.#failure !== undefined) throw this.#failure;
    const content = { digest: whole.digest(), extents, ...(source.ranges === undefined ? {} : { sparse: source.ranges }) };
    return { content, complete: this.#complete, isPiecewise: piecewise };
  }

  #isPartlyKnown(source: StoredBytes): boolean {
    if (this.#known === undefined) return false;
    for (const { bytes, digest } of this.#chunks(source, Math.min(source.length, PROBE_LENGTH))) {
      if (this.#known.find(digest, bytes.length) !== undefined) return true;
    }
    return false;
  }

  #beginMember(entry: Entry, source: StoredBytes): void {
    const { frames } = this.#output;
    const sparse = source.ranges;
    frames.makeRoom(tarHeaderLengthBound(entry, sparse));
    frames.advanceInside(writeTarHeader(frames.bytes, frames.used, entry, sparse === undefined ? {} : { sparse }) - frames.used);
  }

  #continueMember(bytes: Buffer, digest: Buffer): Extent {
    const { frames } = this.#output;
    const extent = { pack: this.#output.path, ...frames.positionOf(frames.used), length: bytes.length, digest };
    bytes.copy(frames.bytes, frames.used);
    frames.advanceInside(bytes.length);
    return extent;
  }

  #storeChunk(bytes: Buffer, digest: Buffer): Extent {
    const { frames } = this.#output;
    const entry = chunkEntry(digest, bytes.length);
    frames.makeRoom(tarHeaderLengthBound(entry) + bytes.length);
    const start = writeTarHeader(frames.bytes, frames.used, entry);
    bytes.copy(frames.bytes, start);
    const extent = { pack: this.#output.path, ...frames.positionOf(start), length: bytes.length, digest };
    frames.advance(start + bytes.length - frames.used);
    return extent;
  }

  /** The first `length` stored bytes of the file in content-defined chunks; zeros where the file was cut meanwhile. */
  *#chunks(source: StoredBytes, length: number): Generator<Chunk> {
    const chunker = new ContentDefinedChunker();
    const window = windowOfThread();
    this.#complete = true;
    this.#failure = undefined;
    source.rewind();
    let unread = length;
    let start = 0;
    let end = 0;
    while (start < end || unread > 0) {
      if (unread > 0 && end - start < MAXIMUM_CHUNK) {
        window.copyWithin(0, start, end);
        end -= start;
        start = 0;
        const wanted = Math.min(READ_LENGTH, unread);
        const got = this.#read(source, end, wanted);
        if (got < wanted) this.#complete = false;
        window.fill(0, end + got, end + wanted);
        end += wanted;
        unread -= wanted;
      }
      const next = chunker.find(window, start, end, unread === 0);
      if (next < 0) continue;
      const bytes = window.subarray(start, next);
      yield { bytes, digest: hash('sha256', bytes, 'buffer') };
      start = next;
    }
  }

  /** A member that was begun has to be ended: after a read error its rest is zeros, and the error is thrown then. */
  #read(source: StoredBytes, at: number, length: number): number {
    if (this.#failure !== undefined) return 0;
    try {
      return source.read(windowOfThread(), at, length);
    } catch (error) {
      this.#failure = error;
      return 0;
    }
  }
}

import { createHash, hash } from 'node:crypto';
import { chunkEntry } from '../../archive/chunk-member.ts';
import { type ChunkSizes, ContentDefinedChunker, chunksAround } from '../../archive/chunker.ts';
import { FRAME_TARGET } from '../../archive/frame.ts';
import { tarHeaderLengthBound, writeTarHeader } from '../../archive/tar-header.ts';
import { readStream } from '../../linux/files.ts';
import type { Extent } from '../../manifest/entry.ts';
import type { UnitContents } from '../known/unit-contents.ts';
import type { PackOutput } from '../pack/pack-output.ts';
import { dumpCounter } from './dump-counter.ts';
import type { StoredStream, StreamOrder } from './stored-stream.ts';

/** In a dump a few changed rows cost a chunk: short ones where the dump is short, longer ones far behind, so that the list of them stays short. */
const CHUNKS: readonly { readonly from: number; readonly sizes: ChunkSizes }[] = [
  { from: 0, sizes: chunksAround(16 * 1024) },
  { from: 64 * 1024 ** 2, sizes: chunksAround(64 * 1024) },
  { from: 1024 ** 3, sizes: chunksAround(256 * 1024) },
  { from: 64 * 1024 ** 3, sizes: chunksAround(1024 * 1024) },
];
const LONGEST_CHUNK = 4 * 1024 * 1024;
const READ_LENGTH = 256 * 1024;

/** New chunks that follow one another are one tar member: of at most so many bytes, so that member and header fill a frame, or of one chunk. */
const RUN_BYTES = FRAME_TARGET - 16 * 1024;

/** Room for a run, a chunk behind it and the next read: one for each thread, made with its first stream. */
let window: Buffer | undefined;

interface NewChunk {
  readonly start: number;
  readonly end: number;
  readonly digest: Buffer;
}

/** Stores what comes out of a stream of unknown length, chunk by chunk. What the repository holds already is not stored again. */
export class StreamWriter {
  readonly #output: PackOutput;
  readonly #known: UnitContents | undefined;

  constructor(output: PackOutput, known: UnitContents | undefined) {
    this.#output = output;
    this.#known = known;
  }

  /** Reads until the stream ends. Throws what a read threw, or `cancelled`, with the pack in order. */
  store(order: StreamOrder): StoredStream {
    window ??= Buffer.allocUnsafeSlow(RUN_BYTES + LONGEST_CHUNK + READ_LENGTH);
    const run = new Run(order, this.#output, this.#known, window);
    const chunker = new ContentDefinedChunker();
    const whole = createHash('sha256');
    const counter = dumpCounter(order.kind);
    const reads = new Int32Array(order.reads);
    let size = 0;
    let isOver = false;
    let cut = 0;
    while (!isOver) {
      this.#output.throwIfGivenUp();
      run.makeRoom(READ_LENGTH);
      const got = readStream(order.descriptor, window, run.end, READ_LENGTH);
      const bytes = window.subarray(run.end, run.end + got);
      Atomics.add(reads, 0, 1);
      isOver = got === 0;
      run.end += got;
      size += got;
      whole.update(bytes);
      counter.take(bytes);
      this.#output.reportRead(got);
      for (;;) {
        chunker.sizes = sizesAt(cut);
        const next = run.next === run.end ? -1 : chunker.find(window, run.next, run.end, isOver);
        if (next < 0) break;
        cut += next - run.next;
        run.cut(next, isOver);
      }
    }
    const extents = run.finish();
    const { tables, rows } = counter;
    return { content: { digest: whole.digest(), extents }, size, counts: { tables, rows } };
  }
}

function sizesAt(offset: number): ChunkSizes {
  return (CHUNKS.findLast(({ from }) => from <= offset) as (typeof CHUNKS)[number]).sizes;
}

/** The chunks at hand that are not stored yet, and where in the window the stream is. */
class Run {
  readonly #order: StreamOrder;
  readonly #output: PackOutput;
  readonly #known: UnitContents | undefined;
  readonly #window: Buffer;
  readonly #extents: Extent[] = [];
  #chunks: NewChunk[] = [];
  /** Where the next chunk begins, and up to where bytes are known. */
  next = 0;
  end = 0;
  /** Undefined until the first run is to be stored. */
  #isPiecewise: boolean | undefined;
  #hasKnown = false;
  #parts = 0;

  constructor(order: StreamOrder, output: PackOutput, known: UnitContents | undefined, window: Buffer) {
    this.#order = order;
    this.#output = output;
    this.#known = known;
    this.#window = window;
  }

  /** Has room for so many bytes behind `end`. */
  makeRoom(length: number): void {
    if (this.end + length <= this.#window.length) return;
    const begin = this.#chunks[0]?.start ?? this.next;
    this.#window.copyWithin(0, begin, this.end);
    this.#chunks = this.#chunks.map(({ start, end, digest }) => ({ start: start - begin, end: end - begin, digest }));
    this.next -= begin;
    this.end -= begin;
  }

  /** The next chunk ends at `end`. */
  cut(end: number, isOver: boolean): void {
    const bytes = this.#window.subarray(this.next, end);
    const digest = hash('sha256', bytes, 'buffer');
    const known = this.#known?.find(digest, bytes.length);
    const begin = this.#chunks[0]?.start ?? this.next;
    if (known !== undefined) this.#hasKnown = true;
    if (known !== undefined || end - begin > RUN_BYTES) this.#store(false);
    if (known !== undefined) this.#extents.push(known);
    else this.#chunks.push({ start: this.next, end, digest });
    this.next = end;
    if (isOver && end === this.end) this.#store(this.#extents.length === 0);
  }

  finish(): readonly Extent[] {
    return this.#extents;
  }

  /** Stores the chunks at hand as one member; `isWhole`: they are all of the stream. */
  #store(isWhole: boolean): void {
    const [first] = this.#chunks;
    const last = this.#chunks.at(-1);
    if (first === undefined || last === undefined) return;
    this.#isPiecewise ??= !this.#order.isNew || this.#hasKnown;
    this.#output.closeFullPack();
    const { frames } = this.#output;
    const bytes = this.#window.subarray(first.start, last.end);
    const entry = this.#memberOf(bytes, isWhole);
    frames.makeRoom(tarHeaderLengthBound(entry) + bytes.length);
    const start = writeTarHeader(frames.bytes, frames.used, entry);
    bytes.copy(frames.bytes, start);
    for (const chunk of this.#chunks) {
      const place = frames.positionOf(start + chunk.start - first.start);
      this.#extents.push({ pack: this.#output.path, ...place, length: chunk.end - chunk.start, digest: chunk.digest });
    }
    frames.advance(start + bytes.length - frames.used);
    this.#chunks = [];
  }

  #memberOf(bytes: Buffer, isWhole: boolean): ReturnType<typeof chunkEntry> {
    const entry = chunkEntry(hash('sha256', bytes, 'buffer'), bytes.length);
    if (this.#isPiecewise === true) return entry;
    const { path } = this.#order;
    return { ...entry, path: isWhole ? path : `${path}.parts/${String(++this.#parts).padStart(6, '0')}` };
  }
}

import { Failure } from '../failure.ts';
import { CHUNK, openChunk, release, SEALED_CHUNK, StreamLayout } from './stream.ts';

/** What is needed to read an encrypted object: where its content begins, and its key. Can be sent to other threads of this process. */
export interface StreamKey {
  /** Bytes before the first chunk: header and nonce. */
  readonly start: number;
  readonly key: Uint8Array;
}

/** A chunk that was opened. */
interface OpenedChunk {
  readonly chunk: number;
  readonly plain: Buffer;
}

/** Stretches of an encrypted object's content: which stored bytes they need, and what comes out of those. */
class Stretches {
  readonly layout: StreamLayout;
  readonly #key: Uint8Array;

  constructor(size: number, { start, key }: StreamKey) {
    this.layout = new StreamLayout(size, start);
    this.#key = key;
  }

  /** Throws `repository_damaged` when the content has not so many bytes. */
  check(offset: number, length: number): void {
    const { plainLength } = this.layout;
    if (offset >= 0 && length >= 0 && offset + length <= plainLength) return;
    throw new Failure('repository_damaged', `it has ${plainLength} bytes of content, too few for ${length} from ${offset}`);
  }

  /** The chunks in `stored`, the first of which is number `first`. */
  *open(first: number, stored: Buffer): Generator<OpenedChunk> {
    for (let at = 0, chunk = first; at < stored.length; at += SEALED_CHUNK, chunk++) {
      yield { chunk, plain: openChunk(this.#key, chunk, this.layout.isLast(chunk), stored.subarray(at, at + SEALED_CHUNK)) };
    }
  }

  /** Where the last chunk is stored, by which an object shows that nothing of it is missing. */
  get end(): { offset: number; length: number } {
    return this.layout.place(this.layout.chunks - 1, this.layout.chunks - 1);
  }

  openEnd(stored: Buffer): OpenedChunk {
    const chunk = this.layout.chunks - 1;
    return { chunk, plain: openChunk(this.#key, chunk, true, stored) };
  }
}

/** Puts the part of a chunk that belongs to `plain`, which is the content from `offset` on, in its place there. */
function take({ chunk, plain: bytes }: OpenedChunk, offset: number, plain: Buffer): void {
  const begin = chunk * CHUNK - offset;
  bytes.copy(plain, Math.max(begin, 0), Math.max(-begin, 0), Math.max(plain.length - begin, 0));
}

/** Reads any stretch of an encrypted object through a function that reads stretches of what is stored. Keeps no content. */
export class StreamReader {
  readonly #stretches: Stretches;
  readonly #read: (offset: number, length: number) => Promise<Buffer>;

  private constructor(stretches: Stretches, read: (offset: number, length: number) => Promise<Buffer>) {
    this.#stretches = stretches;
    this.#read = read;
  }

  /**
   * `size` is that of the stored object. Opens the last chunk first: `repository_damaged` when the object is cut there. What `read` gives must be its
   * reader's alone: the memory goes back when it was decrypted.
   */
  static async open(size: number, key: StreamKey, read: (offset: number, length: number) => Promise<Buffer>): Promise<StreamReader> {
    const stretches = new Stretches(size, key);
    const { offset, length } = stretches.end;
    stretches.openEnd(await read(offset, length));
    return new StreamReader(stretches, read);
  }

  /** Of the content, in bytes. */
  get plainLength(): number {
    return this.#stretches.layout.plainLength;
  }

  /** Exactly these bytes of the content, in a buffer that is theirs alone. */
  async read(offset: number, length: number): Promise<Buffer> {
    this.#stretches.check(offset, length);
    const plain = Buffer.allocUnsafeSlow(length);
    if (length === 0) return plain;
    const { layout } = this.#stretches;
    const [first, last] = layout.chunksOf(offset, length);
    const place = layout.place(first, last);
    const stored = await this.#read(place.offset, place.length);
    if (stored.length !== place.length) throw new Failure('repository_damaged', 'it is cut');
    for (const opened of this.#stretches.open(first, stored)) {
      take(opened, offset, plain);
      release(opened.plain);
    }
    release(stored);
    return plain;
  }
}

/**
 * The same where what is stored is read at once, from a local file, in many small stretches that mostly follow one another: the last chunk
 * that was opened is kept.
 */
export class DirectStreamReader {
  readonly #stretches: Stretches;
  readonly #read: (offset: number, length: number) => Buffer;
  #kept: OpenedChunk;

  constructor(size: number, key: StreamKey, read: (offset: number, length: number) => Buffer) {
    this.#stretches = new Stretches(size, key);
    this.#read = read;
    const { offset, length } = this.#stretches.end;
    this.#kept = this.#stretches.openEnd(read(offset, length));
  }

  get plainLength(): number {
    return this.#stretches.layout.plainLength;
  }

  read(offset: number, length: number): Buffer {
    this.#stretches.check(offset, length);
    const plain = Buffer.allocUnsafeSlow(length);
    if (length === 0) return plain;
    const { layout } = this.#stretches;
    const [first, last] = layout.chunksOf(offset, length);
    const isKept = this.#kept.chunk === first;
    if (isKept) take(this.#kept, offset, plain);
    const from = isKept ? first + 1 : first;
    if (from > last) return plain;
    const place = layout.place(from, last);
    const stored = this.#read(place.offset, place.length);
    if (stored.length !== place.length) throw new Failure('repository_damaged', 'it is cut');
    for (const opened of this.#stretches.open(from, stored)) {
      take(opened, offset, plain);
      this.#kept = opened;
    }
    return plain;
  }
}

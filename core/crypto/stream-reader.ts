import { Failure } from '../failure.ts';
import { CHUNK, openChunk, SEALED_CHUNK, StreamLayout } from './stream.ts';

/** What is needed to read an encrypted object: where its content begins, and its key. Can be sent to other threads of this process. */
export interface StreamKey {
  /** Bytes before the first chunk: header and nonce. */
  readonly start: number;
  readonly key: Uint8Array;
}

/** A chunk that was opened, and its content in memory that is used again for another one. */
class OpenedChunk {
  chunk = -1;
  readonly #memory = Buffer.allocUnsafeSlow(CHUNK);

  /** Puts the part that belongs to `plain`, which is the content from `offset` on, in its place there. */
  take(offset: number, plain: Buffer): void {
    const begin = this.chunk * CHUNK - offset;
    this.#memory.copy(plain, Math.max(begin, 0), Math.max(-begin, 0), Math.max(plain.length - begin, 0));
  }

  /** What was opened before is lost, also when `open` throws; it gets just the place for a chunk of so many bytes. */
  renew(chunk: number, length: number, open: (place: Buffer) => void): void {
    this.chunk = -1;
    open(this.#memory.subarray(0, length));
    this.chunk = chunk;
  }
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

  /**
   * Opens the chunks in `stored`, which begins with number `first`, to their places in `plain`, which is the content from `offset` on. Those that have
   * bytes on both sides of an end, and the last where `keepsLast` says so, go by way of `kept`.
   */
  open(first: number, stored: Buffer, offset: number, plain: Buffer, kept: OpenedChunk, keepsLast: boolean): void {
    for (let at = 0, chunk = first; at < stored.length; at += SEALED_CHUNK, chunk++) {
      const sealed = stored.subarray(at, at + SEALED_CHUNK);
      const begin = chunk * CHUNK - offset;
      const end = begin + this.layout.lengthOf(chunk);
      const isKept = keepsLast && at + SEALED_CHUNK >= stored.length;
      if (begin >= 0 && end <= plain.length && !isKept) {
        this.#open(chunk, sealed, plain.subarray(begin, end));
      } else {
        this.keep(chunk, sealed, kept);
        kept.take(offset, plain);
      }
    }
  }

  /** Opens a chunk and keeps it. */
  keep(chunk: number, sealed: Buffer, kept: OpenedChunk): void {
    kept.renew(chunk, this.layout.lengthOf(chunk), (place) => this.#open(chunk, sealed, place));
  }

  #open(chunk: number, sealed: Buffer, place: Buffer): void {
    openChunk(this.#key, chunk, this.layout.isLast(chunk), sealed, place);
  }

  /** The last chunk's number, by which an object shows that nothing of it is missing. */
  get end(): number {
    return this.layout.chunks - 1;
  }
}

/** Gives the memory back at once: collected some day, the stretches of a pack would be a hundred megabytes by then. */
function release({ buffer, length }: Buffer): void {
  if (length > 0 && buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}

/** For chunks of which a reader wants a part. One after the other, without a pause between: one is enough for all readers of a thread. */
let passing: OpenedChunk | undefined;

function passingChunk(): OpenedChunk {
  passing ??= new OpenedChunk();
  return passing;
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
    const { end, layout } = stretches;
    const { offset, length } = layout.place(end, end);
    stretches.keep(end, await read(offset, length), passingChunk());
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
    this.#stretches.open(first, stored, offset, plain, passingChunk(), false);
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
  readonly #kept = new OpenedChunk();

  constructor(size: number, key: StreamKey, read: (offset: number, length: number) => Buffer) {
    this.#stretches = new Stretches(size, key);
    this.#read = read;
    const { end, layout } = this.#stretches;
    const { offset, length } = layout.place(end, end);
    this.#stretches.keep(end, read(offset, length), this.#kept);
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
    if (isKept) this.#kept.take(offset, plain);
    const from = isKept ? first + 1 : first;
    if (from > last) return plain;
    const place = layout.place(from, last);
    const stored = this.#read(place.offset, place.length);
    if (stored.length !== place.length) throw new Failure('repository_damaged', 'it is cut');
    this.#stretches.open(from, stored, offset, plain, this.#kept, true);
    return plain;
  }
}

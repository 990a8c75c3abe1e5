import { PackReader } from '../../archive/pack-reader.ts';
import { Failure } from '../../failure.ts';

/** Where packs come from. Paths are those in manifests, below the server's folder. */
export interface PackSource {
  /** Whether each request takes its time: then frames that lie beside one another are read together, before they are asked for. */
  readonly isDistant?: boolean;
  /** Undefined when the pack is missing. */
  open(pack: string): Promise<PackContent | undefined>;
}

/** The bytes of a pack, however they are stored. */
export interface PackContent {
  readonly length: number;
  readonly read: (offset: number, length: number) => Promise<Buffer>;
}

interface OpenedPack {
  readonly reader: PackReader;
  readonly content: PackContent;
}

/** A frame as it is stored. */
export interface StoredFrame {
  /** Compressed; the only view of its buffer, which may be handed to another thread. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly decompressedLength: number;
}

/** The packs of a restore, each opened once. */
export class PackCache {
  readonly #source: PackSource;
  readonly #readers = new Map<string, Promise<OpenedPack>>();
  /** Of frames, without the seek tables. */
  bytesFetched = 0;

  constructor(source: PackSource) {
    this.#source = source;
  }

  get isDistant(): boolean {
    return this.#source.isDistant === true;
  }

  /** The opened pack; `repository_damaged` when it is missing or not a pack, each time. */
  async open(pack: string): Promise<PackReader> {
    return (await this.#opened(pack)).reader;
  }

  #opened(pack: string): Promise<OpenedPack> {
    let reader = this.#readers.get(pack);
    if (reader === undefined) {
      reader = this.#open(pack);
      this.#readers.set(pack, reader);
    }
    return reader;
  }

  async #open(pack: string): Promise<OpenedPack> {
    const content = await this.#source.open(pack);
    if (content === undefined) throw new Failure('repository_damaged', 'a pack is missing', { affected: [pack] });
    return { content, reader: await PackReader.open(content.length, content.read) };
  }

  /** Fetches one frame. */
  async fetch(pack: string, frame: number): Promise<StoredFrame> {
    const { reader } = await this.#opened(pack);
    const { offset, length, decompressedLength } = reader.frame(frame);
    return { bytes: ownBuffer(await this.read(pack, offset, length)), decompressedLength };
  }

  /** A stretch of a pack as it is stored, in which frames lie. */
  async read(pack: string, offset: number, length: number): Promise<Buffer> {
    const { content } = await this.#opened(pack);
    const bytes = await content.read(offset, length);
    if (bytes.length !== length) throw new Failure('repository_damaged', 'a pack ends inside a frame', { affected: [pack] });
    this.bytesFetched += length;
    return bytes;
  }
}

/** Small Buffers share memory with others; only one that has its own can be handed to another thread. */
export function ownBuffer(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) return new Uint8Array(buffer);
  return new Uint8Array(bytes);
}

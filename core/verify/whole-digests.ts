import { createHash } from 'node:crypto';
import { PackReader } from '../archive/pack-reader.ts';
import { Failure } from '../failure.ts';
import type { Content, Entry } from '../manifest/entry.ts';
import type { Repository } from '../repository/repository.ts';
import type { ReadingWatch } from './watch.ts';

/** Why contents cannot be read, which is said of the pack. */
const TOLD: ReadonlySet<string> = new Set(['repository_damaged', 'identity_missing', 'identity_wrong']);

/**
 * Compares contents of several extents with the SHA-256 of the whole, as a restore does when it puts them together: that each extent is what it
 * should be does not say that they are the right ones in the right order. Each content is read once, however many snapshots have it.
 */
export class WholeDigests {
  readonly #repository: Repository;
  readonly #watch: ReadingWatch;
  readonly #packs = new Map<string, Promise<PackReader>>();
  /** What was compared: the digest of the whole and of all places that it was read from. */
  readonly #seen = new Set<string>();
  #frame: { readonly key: string; readonly bytes: Buffer } = { key: '', bytes: Buffer.alloc(0) };

  constructor(repository: Repository, watch: ReadingWatch) {
    this.#repository = repository;
    this.#watch = watch;
  }

  /** What is wrong with the whole of a file; undefined also where it cannot be read, which is told of the pack. */
  async problemOf({ content }: Entry): Promise<Failure | undefined> {
    if (content === undefined || content.extents.length < 2 || this.#isSeen(content)) return undefined;
    const whole = createHash('sha256');
    try {
      for (const extent of content.extents) {
        const reader = await this.#open(extent.pack);
        for (const { frame, begin, end } of reader.framesOfExtent(extent)) {
          whole.update((await this.#read(reader, extent.pack, frame)).subarray(begin, end));
        }
      }
    } catch (error) {
      if (error instanceof Failure && TOLD.has(error.code)) return undefined;
      throw error;
    }
    if (whole.digest().equals(content.digest)) return undefined;
    return new Failure('digest_mismatch', 'the extents of a file are not, one after the other, what its recorded SHA-256 is of');
  }

  #isSeen({ digest, extents }: Content): boolean {
    const key = createHash('sha256').update(digest);
    for (const extent of extents) key.update(`${extent.pack} ${extent.frame} ${extent.offset} ${extent.length}\n`);
    const text = key.digest('latin1');
    if (this.#seen.has(text)) return true;
    this.#seen.add(text);
    return false;
  }

  #open(pack: string): Promise<PackReader> {
    let reader = this.#packs.get(pack);
    if (reader === undefined) {
      reader = this.#openNew(pack);
      // Whoever waits for it hears of it.
      reader.catch(() => {});
      this.#packs.set(pack, reader);
    }
    return reader;
  }

  async #openNew(pack: string): Promise<PackReader> {
    const size = await this.#repository.objectSize(pack);
    if (size === undefined) throw new Failure('repository_damaged', 'the pack is missing');
    const { length, read } = await this.#repository.openContent(pack, size);
    return PackReader.open(length, read);
  }

  /** Extents of one file mostly follow each other in a frame. */
  async #read(reader: PackReader, pack: string, frame: number): Promise<Buffer> {
    const key = `${frame} ${pack}`;
    if (this.#frame.key !== key) {
      this.#frame = { key, bytes: await reader.readFrame(frame) };
      this.#watch.bytesRead += reader.frame(frame).length;
      await this.#watch.step();
    }
    return this.#frame.bytes;
  }
}

import { chunkEntry } from '../../archive/chunk-member.ts';
import { tarHeaderLengthBound, writeTarHeader } from '../../archive/tar-header.ts';
import { PACK_TARGET } from '../../scan/limits.ts';
import { FrameBuffer } from '../../scan/pack/frame-buffer.ts';
import type { ExtentPlace } from './copied-extents.ts';
import type { SnapshotPacks } from './snapshot-packs.ts';

/** Writes pieces of content into new packs, each as a member named by its digest. */
export class ChunkPacks {
  readonly #packs: SnapshotPacks;
  readonly #finished: { frame: Uint8Array; decompressedLength: number }[] = [];
  readonly #frames = new FrameBuffer((frame, decompressedLength) => void this.#finished.push({ frame, decompressedLength }));
  #number: number;
  #stored = 0;

  /** Goes on behind the packs that are there. */
  constructor(packs: SnapshotPacks) {
    this.#packs = packs;
    this.#number = packs.nextNumber;
  }

  /** Adds bytes of at most half of what a frame may hold; returns the number of the pack and the place in it. */
  async add(bytes: Buffer, digest: Buffer): Promise<ExtentPlace> {
    const frames = this.#frames;
    if (this.#stored >= PACK_TARGET) await this.#nextPack();
    const entry = chunkEntry(digest, bytes.length);
    frames.makeRoom(tarHeaderLengthBound(entry) + bytes.length);
    const start = writeTarHeader(frames.bytes, frames.used, entry);
    bytes.copy(frames.bytes, start);
    const place = { pack: this.#number, ...frames.positionOf(start) };
    frames.advance(start + bytes.length - frames.used);
    await this.#send();
    return place;
  }

  /** Ends the last pack. */
  async finish(): Promise<void> {
    this.#frames.flush();
    await this.#send();
    await this.#packs.endOpen();
  }

  async #nextPack(): Promise<void> {
    this.#frames.nextPack();
    await this.#send();
    await this.#packs.close(this.#number);
    this.#number++;
    this.#stored = 0;
  }

  async #send(): Promise<void> {
    for (const { frame, decompressedLength } of this.#finished.splice(0)) {
      this.#stored += frame.length;
      await this.#packs.append(this.#number, frame, decompressedLength);
    }
  }
}

import { Failure } from '../../failure.ts';

/** The lengths of the frames of one pack, in order, in bytes. */
export interface LedgerPack {
  readonly compressed: number[];
  readonly decompressed: number[];
}

/** The frames that were sent to packs, pack by pack, and the bytes of tar that went into them: two numbers a frame. */
export class FrameLedger {
  readonly packs = new Map<number, LedgerPack>();
  #framed = 0;
  #counted = 0;

  /** How many frames a pack has so far. */
  frames(pack: number): number {
    return this.packs.get(pack)?.compressed.length ?? 0;
  }

  /** Notes the next frame of a pack. */
  append(pack: number, length: number, decompressedLength: number): void {
    let entry = this.packs.get(pack);
    if (entry === undefined) {
      entry = { compressed: [], decompressed: [] };
      this.packs.set(pack, entry);
    }
    entry.compressed.push(length);
    entry.decompressed.push(decompressedLength);
    this.#framed += decompressedLength;
  }

  /** The same for a frame of which the sender says the number; `proof_failed` when others would be found at a wrong place. */
  appendNumbered(pack: number, frame: number, length: number, decompressedLength: number): void {
    const next = this.frames(pack);
    if (frame !== next) throw new Failure('proof_failed', `frame ${frame} of pack ${pack} came where frame ${next} belongs`);
    this.append(pack, length, decompressedLength);
  }

  /** Counts bytes of tar that somebody put into frames of these packs. */
  count(tarBytes: number): void {
    this.#counted += tarBytes;
  }

  /** Throws `proof_failed` unless the frames hold exactly what was counted. To be called when all frames have come. */
  checkSum(): void {
    if (this.#framed === this.#counted) return;
    throw new Failure('proof_failed', `the frames hold ${this.#framed} bytes of tar, the members come to ${this.#counted}`);
  }
}

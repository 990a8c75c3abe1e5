import { compressFrame, FRAME_TARGET } from './frame.ts';

/** Two zero blocks: POSIX' end of an archive. */
const END_OF_ARCHIVE = Buffer.alloc(1024);

/** Takes the next bytes; they are used no more when it has settled. */
export type ByteSink = (bytes: Buffer) => Promise<void>;

/** A tar archive in zstd frames, made as it goes out. Nothing of it is kept but the frame that is filled. */
export class ArchiveOutput {
  readonly #sink: ByteSink;
  readonly #frame = Buffer.allocUnsafe(FRAME_TARGET);
  #filled = 0;
  /** Bytes that went out. */
  length = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  async write(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const copied = bytes.copy(this.#frame, this.#filled, done);
      done += copied;
      this.#filled += copied;
      if (this.#filled === this.#frame.length) await this.#flush();
    }
  }

  async finish(): Promise<void> {
    await this.write(END_OF_ARCHIVE);
    if (this.#filled > 0) await this.#flush();
  }

  /** Ends in the middle of a frame, where no reader of zstd can take what came for all of it. */
  async breakOff(): Promise<void> {
    if (this.#filled === 0) this.#filled = END_OF_ARCHIVE.copy(this.#frame);
    const frame = compressFrame(this.#frame.subarray(0, this.#filled));
    await this.#send(frame.subarray(0, Math.floor(frame.length / 2)));
  }

  async #flush(): Promise<void> {
    const frame = compressFrame(this.#frame.subarray(0, this.#filled));
    this.#filled = 0;
    await this.#send(frame);
  }

  async #send(bytes: Buffer): Promise<void> {
    this.length += bytes.length;
    await this.#sink(bytes);
  }
}

import type { ByteString } from '../entry.ts';

/** Bytes that grow at their end, for the parts of a block that have no fixed width. */
export class ByteList {
  #bytes = Buffer.allocUnsafe(4096);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  appendText(text: ByteString): void {
    this.#reserve(text.length);
    this.#bytes.latin1Write(text, this.#length);
    this.#length += text.length;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  /** What was appended; valid until the next change. */
  contents(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + more));
    larger.set(this.contents());
    this.#bytes = larger;
  }
}

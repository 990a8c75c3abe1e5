import { DirectStreamReader, type StreamKey } from '../crypto/stream-reader.ts';
import type { RandomAccess } from '../manifest/read/random-access.ts';
import { ofObject } from './keys/server-keys.ts';

/** The content of an encrypted object of which the stored bytes can be read anywhere; owns them. `name` is for messages. */
export class SealedAccess implements RandomAccess {
  readonly size: number;
  readonly descriptor?: number;
  readonly sealed: { readonly size: number; readonly key: StreamKey };
  readonly fill?: (offset: number, length: number) => void;
  readonly #stored: RandomAccess;
  readonly #reader: DirectStreamReader;
  readonly #name: string;

  /** Closes `stored` when it is not whole: `repository_damaged`. */
  constructor(stored: RandomAccess, key: StreamKey, name: string) {
    this.#stored = stored;
    this.#name = name;
    if (stored.descriptor !== undefined) this.descriptor = stored.descriptor;
    if (stored.fill !== undefined) this.fill = stored.fill.bind(stored);
    this.sealed = { size: stored.size, key };
    try {
      this.#reader = new DirectStreamReader(stored.size, key, (offset, length) => stored.read(offset, length));
    } catch (error) {
      stored.close();
      throw ofObject(name, error);
    }
    this.size = this.#reader.plainLength;
  }

  read(offset: number, length: number): Buffer {
    try {
      return this.#reader.read(offset, length);
    } catch (error) {
      throw ofObject(this.#name, error);
    }
  }

  close(): void {
    this.#stored.close();
  }
}

import { closeSync, fstatSync, readSync } from 'node:fs';
import type { RandomAccess } from '../../manifest/read/random-access.ts';
import { exactRange, missingObject } from './object-failures.ts';

/** An open file as bytes that can be read anywhere; owns the descriptor. `name` is for messages. */
export class FileAccess implements RandomAccess {
  readonly size: number;
  readonly descriptor: number;
  readonly #name: string;

  constructor(descriptor: number, name: string) {
    this.descriptor = descriptor;
    this.#name = name;
    const status = fstatSync(descriptor);
    if (!status.isFile()) {
      closeSync(descriptor);
      throw missingObject(name);
    }
    this.size = status.size;
  }

  read(offset: number, length: number): Buffer {
    exactRange(this.#name, this.size, offset, length);
    const bytes = Buffer.allocUnsafe(length);
    for (let filled = 0; filled < length; ) {
      const count = readSync(this.descriptor, bytes, filled, length - filled, offset + filled);
      // The file was cut after it was opened.
      if (count === 0) exactRange(this.#name, offset + filled, offset, length);
      filled += count;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

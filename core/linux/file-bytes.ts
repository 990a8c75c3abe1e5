import { closeSync, fstatSync, readSync } from 'node:fs';
import { Failure } from '../failure.ts';
import { exactRange, type RandomAccess } from '../manifest/read/random-access.ts';

/** An open file as bytes that can be read anywhere; `close` closes the descriptor. `name` is for messages. */
export class FileBytes implements RandomAccess {
  readonly size: number;
  readonly descriptor: number;
  readonly #name: string;

  /**
   * Without `size` the file is asked for it: then the descriptor is closed, and `repository_damaged` thrown, when it is of something else.
   */
  constructor(descriptor: number, name: string, size = sizeOfFile(descriptor, name)) {
    this.descriptor = descriptor;
    this.size = size;
    this.#name = name;
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

function sizeOfFile(descriptor: number, name: string): number {
  const status = fstatSync(descriptor);
  if (status.isFile()) return status.size;
  closeSync(descriptor);
  throw new Failure('repository_damaged', `something else stands in the place of ${name}`, { affected: [name] });
}

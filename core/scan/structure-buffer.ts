import { tarHeaderLengthBound, writeTarHeader } from '../archive/tar-header.ts';
import type { Entry } from '../manifest/entry.ts';

/**
 * Tar members that have to be extracted after all contents: directories, whose times and access lists would otherwise be
 * changed by what is put into them, and symbolic links, in path order.
 */
export class StructureBuffer {
  #bytes = Buffer.allocUnsafeSlow(256 * 1024);
  #used = 0;

  add(entry: Entry): void {
    const needed = this.#used + tarHeaderLengthBound(entry);
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(needed * 2);
      this.#bytes.copy(grown, 0, 0, this.#used);
      this.#bytes = grown;
    }
    this.#used = writeTarHeader(this.#bytes, this.#used, entry);
  }

  /** What was added since the last call, as whole tar blocks. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
    return taken;
  }
}

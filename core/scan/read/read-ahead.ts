import { beginReading, letGo } from '../../linux/files.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { type Batch, OpenAs } from '../pack/batch.ts';
import { openFileAt } from './opened-entry.ts';

/** So many entries ahead of the one that is read: enough to keep a disk busy, few enough to stay in memory until then. */
const WINDOW = 64;

/**
 * Has the kernel read the files of a batch before their turn comes: with cold caches it is the wait for each single file that takes
 * the time, not the disk. Costs a few microseconds a file when there is nothing to wait for.
 */
export class ReadAhead {
  readonly #batch: Batch;
  #next = 0;

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  /** To be called before the entry `index` is read. */
  advanceTo(index: number): void {
    const end = Math.min(index + WINDOW, this.#batch.names.length);
    for (; this.#next < end; this.#next++) {
      if (this.#batch.openAs[this.#next] === OpenAs.file) this.#begin(this.#next);
    }
  }

  #begin(index: number): void {
    const { directories, directoryOf, names } = this.#batch;
    try {
      const descriptor = openFileAt(directories[directoryOf[index] as number] as number, names[index] as ByteString);
      beginReading(descriptor);
      letGo(descriptor);
    } catch {
      // Whatever is wrong with it is told when it is read.
    }
  }
}

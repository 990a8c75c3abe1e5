import { syncFileSystemLater } from '../linux/files.ts';
import type { TargetRoot } from './target.ts';

/** After so much the disk is told to begin: enough that it is worth a journal commit, little enough to be done at the end. */
const BYTES = 64 * 1024 * 1024;
const ENTRIES = 10_000;

/**
 * Has what a restore writes go to the disk while it goes on writing, so that the end has little to wait for. What it does is no
 * promise: only the sync at the end is.
 */
export class SyncAhead {
  readonly #roots: readonly TargetRoot[];
  #bytes = 0;
  #entries = 0;
  #underWay: Promise<unknown> | undefined;

  constructor(roots: readonly TargetRoot[]) {
    this.#roots = roots;
  }

  /** To be told of everything that was written. */
  count(entries: number, bytes: number): void {
    this.#entries += entries;
    this.#bytes += bytes;
    if (this.#underWay !== undefined || (this.#bytes < BYTES && this.#entries < ENTRIES)) return;
    this.#bytes = 0;
    this.#entries = 0;
    this.#underWay = Promise.all(this.#roots.map(({ descriptor }) => syncFileSystemLater(descriptor))).then(() => {
      this.#underWay = undefined;
    });
  }

  /** Ends what is under way, which uses the roots' descriptors. */
  async end(): Promise<void> {
    await this.#underWay;
  }
}

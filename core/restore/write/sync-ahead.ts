import { closeDescriptor, drainFileSystem, openDirectoryAt } from '../../linux/files.ts';
import type { TargetRoot } from '../target/target.ts';

/** After so much the disk is told to begin: enough that it is worth a journal commit, little enough to be done at the end. */
const BYTES = 64 * 1024 * 1024;
const ENTRIES = 10_000;

/**
 * Has what a restore writes go to the disk while it goes on writing, so that the end has little to wait for. What it does is no
 * promise: only the sync at the end is, which hears of errors because this has descriptors of its own.
 */
export class SyncAhead {
  readonly #roots: readonly TargetRoot[];
  readonly #descriptors: number[] = [];
  #bytes = 0;
  #entries = 0;
  #underWay: Promise<void> | undefined;

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
    // Where the disk cannot be told to begin, it will be told at the end.
    this.#underWay = this.#drain().catch(() => {});
  }

  async #drain(): Promise<void> {
    if (this.#descriptors.length === 0) for (const { descriptor } of this.#roots) this.#descriptors.push(openDirectoryAt(descriptor, '.'));
    await Promise.all(this.#descriptors.map(drainFileSystem));
    this.#underWay = undefined;
  }

  /** Waits for what is under way and lets go of the descriptors. */
  async end(): Promise<void> {
    await this.#underWay;
    for (const descriptor of this.#descriptors.splice(0)) closeDescriptor(descriptor);
  }
}

import type { StatBuffer } from '../../linux/stat.ts';
import type { ByteString } from '../../manifest/entry.ts';
import type { HeldDirectory } from '../compare/held-directory.ts';
import { BATCH_BYTES, BATCH_DIRECTORIES, BATCH_ENTRIES, BATCH_PATH_BYTES, LARGE_FILE } from '../limits.ts';
import { type Batch, OpenAs } from './batch.ts';

/** A rough length of a tar header, so that many empty files fill a batch, too. */
const HEADER_ESTIMATE = 1024;

/** Gathers entries for one batch and holds the directories that they lie in. */
export class BatchBuilder {
  readonly #held: HeldDirectory[] = [];
  readonly #directoryOf: number[] = [];
  readonly #names: ByteString[] = [];
  readonly #paths: ByteString[] = [];
  readonly #openAs: number[] = [];
  #bytes = 0;
  #pathBytes = 0;

  get length(): number {
    return this.#names.length;
  }

  /** How many directories it holds. */
  get directories(): number {
    return this.#held.length;
  }

  /** The sizes of the files in it. */
  get fileBytes(): number {
    return this.#bytes - HEADER_ESTIMATE * this.length;
  }

  /** Whether a further entry of `size` bytes belongs into the next batch; a large file has one of its own. */
  isFull(size: number): boolean {
    if (this.length === 0) return false;
    if (this.length >= BATCH_ENTRIES || this.#held.length >= BATCH_DIRECTORIES) return true;
    if (this.#pathBytes >= BATCH_PATH_BYTES) return true;
    return size >= LARGE_FILE || this.#bytes + size > BATCH_BYTES;
  }

  /** Adds an entry and returns its index. */
  add(directory: HeldDirectory, name: ByteString, path: ByteString, stat: StatBuffer): number {
    if (this.#held.at(-1) !== directory) this.#held.push(directory.hold());
    this.#directoryOf.push(this.#held.length - 1);
    this.#bytes += HEADER_ESTIMATE + (stat.isFile ? stat.size : 0);
    this.#openAs.push(stat.isFile ? OpenAs.file : stat.isDirectory ? OpenAs.directory : OpenAs.handle);
    this.#pathBytes += path.length;
    this.#paths.push(path);
    return this.#names.push(name) - 1;
  }

  pathOf(index: number): ByteString {
    return this.#paths[index] as ByteString;
  }

  finish(): Batch {
    return {
      directories: this.#held.map((directory) => directory.descriptor),
      directoryOf: Uint32Array.from(this.#directoryOf),
      names: this.#names,
      paths: this.#paths,
      openAs: Uint8Array.from(this.#openAs),
    };
  }

  /** The entries from `first` on, as a batch of their own. */
  rest(first: number): Batch {
    const whole = this.finish();
    return {
      ...whole,
      directoryOf: whole.directoryOf.slice(first),
      names: whole.names.slice(first),
      paths: whole.paths.slice(first),
      openAs: whole.openAs.slice(first),
    };
  }

  release(): void {
    for (const directory of this.#held) directory.release();
    this.#held.length = 0;
  }
}

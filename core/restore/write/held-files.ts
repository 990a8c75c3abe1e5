import type { ByteString } from '../../manifest/entry.ts';
import { parentPath } from '../../manifest/paths.ts';
import type { SafeFile } from './safe-file.ts';

/** So many files of a directory wait for the disk together: one by one each would wait for all that the disk does for it. */
const MOST = 16;

interface Held {
  readonly file: SafeFile;
  /** Called when it has its place. */
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Files that are complete and are to replace others, which are gone only when these are on the disk. Their directory has to stay open: `release` is to
 * be called before another one is.
 */
export class HeldFiles {
  #held: Held[] = [];
  #directory: ByteString | undefined;

  /** To be called with each path before its place is asked for. */
  enter(path: ByteString): void {
    const directory = parentPath(path);
    if (directory === this.#directory) return;
    this.release();
    this.#directory = directory;
  }

  hold(held: Held): void {
    this.#held.push(held);
    if (this.#held.length >= MOST) this.release();
  }

  /** Waits for all, and gives them their places. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    // What the system takes from the first one on is waited for with it.
    const each = (all: readonly Held[], action: (held: Held) => void): Held[] =>
      all.filter((one) => {
        try {
          action(one);
          return true;
        } catch (error) {
          one.failed(error);
          return false;
        }
      });
    if (held.length > 1) each(held, ({ file }) => file.beginSync());
    const synced = each(held, ({ file }) => file.sync());
    each(synced, ({ file, done }) => {
      file.replace();
      done();
    });
  }
}

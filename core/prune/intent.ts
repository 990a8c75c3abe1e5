import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';

const FILE = 'prune.json';

/**
 * Which objects a prune is deleting, kept in the state of the repository while it does. The next prune removes them at once
 * if this one is killed. Without it, or when it cannot be read, they go once they are old enough.
 */
export class PruneIntent {
  readonly #file: string;

  /** `stateFolder` is that of the repository. */
  constructor(stateFolder: string) {
    this.#file = join(stateFolder, FILE);
  }

  /** The objects that an earlier prune did not get to, and perhaps some that it did. */
  read(): string[] {
    try {
      const { objects } = JSON.parse(readFileSync(this.#file, 'utf8')) as { objects?: unknown };
      return Array.isArray(objects) ? objects.filter((object) => typeof object === 'string') : [];
    } catch {
      return [];
    }
  }

  /** What makes room must not need any: without the note a killed deletion is finished once its objects are old enough. */
  write(objects: Iterable<string>): void {
    try {
      replaceFile(this.#file, Buffer.from(`${JSON.stringify({ objects: [...objects] }, null, 2)}\n`));
    } catch {}
  }

  /** A note that stays names what is not there any more. */
  clear(): void {
    try {
      rmSync(this.#file, { force: true });
    } catch {}
  }
}

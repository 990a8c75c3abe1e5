import { appendFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'changes';
/** From so many on the count begins anew, which is a change itself. */
const MOST = 1024 * 1024;

/**
 * How often the processes of this machine changed something in a repository, as the length of a file: each adds a byte, so that none of them overlooks
 * another's.
 */
export class ChangeCount {
  readonly #file: string;
  #own = 0;

  constructor(stateFolder: string) {
    this.#file = join(stateFolder, FILE);
  }

  /** Without what this process changed. Undefined where nothing can be counted. */
  get others(): number | undefined {
    try {
      return (statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) - this.#own;
    } catch {
      return undefined;
    }
  }

  /** To be called before a change and after it: a process that is killed in between has told of it. Without state nobody else trusts what it knew. */
  add(): void {
    try {
      appendFileSync(this.#file, '+', { mode: 0o600 });
      this.#own++;
      if (statSync(this.#file).size > MOST) truncateSync(this.#file);
    } catch {
      // Then others find out when what they know is old.
    }
  }
}

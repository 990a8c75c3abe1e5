import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

interface Stamp {
  readonly plan: unknown;
  /** How many days have changed the tree since it was made. */
  readonly day: number;
}

/** A generated tree that later runs of the bench find again. It lives on: each day that a run lets pass stays. */
export class KeptTree {
  readonly accountsRoot: string;
  readonly #stampFile: string;
  readonly #plan: unknown;
  #day: number;

  /** Takes the tree in `folder` when it was made by an equal plan, else makes it with `make`, which gets the accounts root. */
  constructor(folder: string, plan: unknown, make: (accountsRoot: string) => void) {
    this.accountsRoot = join(folder, 'accounts');
    this.#stampFile = join(folder, 'stamp.json');
    // As it will come back from the file.
    this.#plan = JSON.parse(JSON.stringify(plan));
    const stamp = this.#readStamp();
    if (stamp === undefined) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      make(this.accountsRoot);
    }
    this.#day = stamp?.day ?? 0;
    this.#writeStamp();
  }

  get day(): number {
    return this.#day;
  }

  /** Lets a day pass; a day that was interrupted is not taken for an untouched tree. Returns what `change` returns. */
  nextDay<Result>(change: (accountsRoot: string, day: number) => Result): Result {
    this.#day++;
    this.#writeStamp();
    return change(this.accountsRoot, this.#day);
  }

  #readStamp(): Stamp | undefined {
    if (!existsSync(this.#stampFile)) return undefined;
    const stamp = JSON.parse(readFileSync(this.#stampFile, 'utf8')) as Stamp;
    return isDeepStrictEqual(stamp.plan, this.#plan) ? stamp : undefined;
  }

  #writeStamp(): void {
    writeFileSync(this.#stampFile, `${JSON.stringify({ plan: this.#plan, day: this.#day })}\n`);
  }
}

import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { timeOfId } from '../../repository/ids.ts';

/** What a run that died had in hand. */
export interface DeadRun {
  readonly id: string;
  /** Units that were begun and not ended. */
  readonly units: readonly string[];
}

const FILE = 'run-in-hand';
const RUN = /^run (\d{8}T\d{9}Z-[0-9a-f]{8})$/;

/**
 * Which units a run of the server has in hand, in a file of the state folder: should one of them end the whole process (the memory, a
 * defect in native code), the next run knows, and does the others first. To be used under the lock of the server's runs.
 */
export class UnitsInHand {
  readonly #file: string;

  /** Begins the notes of the run `id`. */
  constructor(stateDirectory: string, id: string) {
    this.#file = join(stateDirectory, FILE);
    this.#try(() => writeFileSync(this.#file, `run ${id}\n`, { mode: 0o600 }));
  }

  /**
   * What the last run left behind when it did not come to its end; undefined when it did. Names that none of the `units` has are left
   * out: a line can be cut, where the disk was full, or damaged.
   */
  static ofDeadRun(stateDirectory: string, units: Iterable<string>): DeadRun | undefined {
    let text: string;
    try {
      text = readFileSync(join(stateDirectory, FILE), 'utf8');
    } catch {
      // Without notes, or with unreadable ones, nothing is known: the run goes on in the usual order.
      return undefined;
    }
    const [first = '', ...lines] = text.split('\n');
    const known = new Set(units);
    const begun = new Set<string>();
    for (const line of lines) {
      const [what, name = ''] = line.split(' ');
      if (what === 'begin' && known.has(name)) begun.add(name);
      else if (what === 'end') begun.delete(name);
    }
    const id = RUN.exec(first)?.[1];
    const isDated = id !== undefined && !Number.isNaN(timeOfId(id).getTime());
    return !isDated || begun.size === 0 ? undefined : { id, units: [...begun] };
  }

  begin(unit: string): void {
    this.#try(() => appendFileSync(this.#file, `begin ${unit}\n`));
  }

  end(unit: string): void {
    this.#try(() => appendFileSync(this.#file, `end ${unit}\n`));
  }

  /** The run has come to its end, whatever that was. */
  close(): void {
    this.#try(() => rmSync(this.#file, { force: true }));
  }

  /** A state folder that takes no notes must not keep anybody from a backup. */
  #try(write: () => void): void {
    try {
      write();
    } catch {
      // The next run then keeps the usual order.
    }
  }
}

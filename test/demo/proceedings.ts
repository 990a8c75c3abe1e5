import { join } from 'node:path';
import { type CompareOptions, type Comparison, compareDescriptions } from '../fidelity/compare-trees.ts';
import { describeTree, saveDescription, savedDescription } from '../fidelity/description.ts';
import { describeDifferences } from './comparison-table.ts';
import type { DemoServer } from './demo-server.ts';
import { say, showStep } from './screen.ts';

const SHOWN_DIFFERENCES = 20;
/** To a shell. */
const NEEDS_QUOTES = /[^\w./:-]/;

/** What is done on the demo's server, shown step by step, and what it came to. */
export class Proceedings {
  readonly server: DemoServer;
  readonly #references: string;
  #differences = 0;

  constructor(server: DemoServer) {
    this.server = server;
    this.#references = join(server.folder, 'reference-');
  }

  /** Differences found, and results that were less than complete. */
  get differences(): number {
    return this.#differences;
  }

  /** Asks the panel; a result that is less than complete counts as a difference. */
  async cpcmd<Result>(...words: string[]): Promise<Result> {
    const typed = words.map((word) => (NEEDS_QUOTES.test(word) ? `'${word}'` : word)).join(' ');
    const result = await showStep(`cpcmd ${typed}`, () => this.server.cpcmd(...words));
    if ('status' in result && result.status !== 'ok') this.#differences++;
    return result as Result;
  }

  /** Writes down everything about the tree at `place` as it is now, to compare with later. */
  remember(name: string, place: string): Promise<void> {
    return saveDescription(place, this.#references + name);
  }

  /** Compares the tree at `place` with what was remembered under `name`. */
  compare(name: string, place: string, options?: CompareOptions): Promise<Comparison> {
    return compareDescriptions(savedDescription(this.#references + name), describeTree(place), options);
  }

  /** Says and counts whether something is as it should be. */
  expect(what: string, holds: boolean): void {
    if (!holds) this.#differences++;
    say([`${what}: ${holds ? 'yes' : 'NO'}`]);
  }

  /** Says and counts what a comparison came to. */
  judge(what: string, comparison: Comparison): void {
    const { length } = comparison.differences;
    this.#differences += length;
    const verdict = length === 0 ? 'identical' : `${length} DIFFERENCES`;
    say([`${what}: ${comparison.entries} entries, ${verdict}`, ...describeDifferences(comparison, SHOWN_DIFFERENCES)]);
  }
}

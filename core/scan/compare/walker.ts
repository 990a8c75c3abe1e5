import type { ExcludeMatcher } from '../../exclude/exclude-matcher.ts';
import type { ByteString } from '../../manifest/entry.ts';
import type { MergedTree } from '../../manifest/merge/merged-tree.ts';
import { inlinePages } from '../walk/inline-pages.ts';
import type { RowPage } from '../walk/row-page.ts';
import type { ReaderTask } from '../walk/tree-reader.ts';
import { TreeComparison, type WalkListener } from './tree-comparison.ts';

export interface WalkOptions extends ReaderTask {
  /** The state to compare with; without it everything counts as new. */
  readonly previous?: MergedTree;
  readonly exclude: ExcludeMatcher;
  /** Names beside the roots that the previous state has from elsewhere, and that count neither as there nor as gone. */
  readonly elsewhere?: ReadonlySet<ByteString>;
}

/** Walks the roots in path order beside the previous state and reports the differences, all on one thread. */
export class Walker {
  readonly #pages: Generator<RowPage>;
  readonly #comparison: TreeComparison;

  constructor(options: WalkOptions, listener: WalkListener) {
    this.#pages = inlinePages(options, options.exclude);
    this.#comparison = new TreeComparison(options.roots, options.previous, listener, options.elsewhere);
  }

  /** Handles a page of names; false when the walk is over. */
  advance(): boolean {
    const next = this.#pages.next();
    if (next.done === true) this.#comparison.finish();
    else this.#comparison.take(next.value);
    return next.done !== true;
  }

  /** Lets go of every descriptor when a walk is given up. */
  close(): void {
    this.#pages.return(undefined);
    this.#comparison.close();
  }
}

import type { ExcludeMatcher } from '../../exclude/exclude-matcher.ts';
import { PAGE_ROWS, RowPage } from './row-page.ts';
import { type ReaderTask, TreeReader } from './tree-reader.ts';

/** The pages of a whole walk, read on this thread as they are asked for; each is valid until the next one. */
export function* inlinePages(task: ReaderTask, exclude: ExcludeMatcher): Generator<RowPage> {
  const reader = new TreeReader(task, exclude);
  const page = new RowPage(new ArrayBuffer(RowPage.byteLength(PAGE_ROWS)), 0, PAGE_ROWS);
  try {
    reader.begin({ from: undefined, to: undefined });
    for (let hasMore = true; hasMore; ) {
      page.clear();
      hasMore = reader.fill(page);
      yield page;
    }
  } finally {
    reader.close();
  }
}

import type { MethodName } from '../schemas/messages.ts';

/** The answers that come in pages, and how many rows a page has at most: a person who waits for all of them waits less so. */
export const ROWS_OF_PAGES: Readonly<Partial<Record<MethodName, number>>> = {
  ls: 10_000,
  find: 10_000,
  history: 10_000,
  diff: 10_000,
  jobs: 1000,
};

/**
 * The request for the page that follows a result; undefined when there is none, or no more rows were wanted. What any other answer calls
 * `next` is no page, and a page that names itself as the next one is the last.
 */
export function followingPage(method: MethodName, wanted: object, asked: object, result: unknown): object | undefined {
  const limit = ROWS_OF_PAGES[method];
  const next = (result as { next?: unknown } | null)?.next;
  if (limit === undefined || typeof next !== 'string' || 'limit' in wanted || (asked as { after?: unknown }).after === next)
    return undefined;
  return { ...wanted, limit, after: next };
}

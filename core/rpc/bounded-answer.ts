/** An answer that fits, and how many rows of each list, by its name, it lost for that. */
export interface BoundedAnswer {
  readonly value: unknown;
  readonly exclude: ReadonlyMap<string, number>;
}

/** The most rows of a list in an error or a notification. */
const SHORT_LIST = 1000;

/** Lists that come oldest first: of these the last rows are worth more than the first. */
const NEWEST_LAST: ReadonlySet<string> = new Set(['snapshots']);

const byteLength = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? 'null');

/**
 * The same answer in at most so many bytes of JSON, where it can be: lists lose rows, the inner ones first, and the long ones
 * before the short ones. Texts and numbers stay, so that the counts in an answer still say how much there was.
 */
export function boundedAnswer(answer: unknown, limit: number): BoundedAnswer {
  const exclude = new Map<string, number>();
  if (byteLength(answer) <= limit) return { value: answer, exclude };
  return { value: shortened(answer, limit, 'rows', exclude), exclude };
}

/** Brackets and commas. */
const frameOf = (members: number): number => 2 + Math.max(0, members - 1);

/** What is left of a value when all its lists are empty, in bytes. */
function leastLength(value: unknown): number {
  if (Array.isArray(value)) return 2;
  if (typeof value !== 'object' || value === null) return byteLength(value);
  const entries = Object.entries(value);
  return entries.reduce((sum, [key, member]) => sum + byteLength(key) + 1 + leastLength(member), frameOf(entries.length));
}

function shortened(value: unknown, budget: number, name: string, exclude: Map<string, number>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return shortenedList(value, budget, name, exclude);
  const entries = Object.entries(value);
  const frame = entries.reduce((sum, [key]) => sum + byteLength(key) + 1, frameOf(entries.length));
  const budgets = shares(
    entries.map(([, member]) => member),
    budget - frame,
  );
  return Object.fromEntries(entries.map(([key, member], index) => [key, shortened(member, budgets[index] as number, key, exclude)]));
}

function shortenedList(list: readonly unknown[], budget: number, name: string, exclude: Map<string, number>): unknown[] {
  const fromEnd = NEWEST_LAST.has(name);
  const ordered = fromEnd ? list.toReversed() : list;
  let used = 0;
  let count = 0;
  for (const element of ordered) {
    used += leastLength(element);
    if (used + frameOf(count + 1) > budget) break;
    count++;
  }
  if (count < list.length) exclude.set(name, (exclude.get(name) ?? 0) + list.length - count);
  const kept = ordered.slice(0, count);
  const budgets = shares(kept, budget - frameOf(count));
  const result = kept.map((element, index) => shortened(element, budgets[index] as number, name, exclude));
  return fromEnd ? result.reverse() : result;
}

/** Divides a budget so that each has what it needs at least, and the rest goes first to those that want little. */
function shares(values: readonly unknown[], budget: number): number[] {
  const least = values.map(leastLength);
  const wanted = values.map((value, index) => ({ index, more: byteLength(value) - (least[index] as number) }));
  let rest = Math.max(0, budget - least.reduce((sum, bytes) => sum + bytes, 0));
  const result = [...least];
  wanted.sort((a, b) => a.more - b.more);
  for (const [place, { index, more }] of wanted.entries()) {
    const share = Math.min(more, Math.floor(rest / (wanted.length - place)));
    result[index] = (least[index] as number) + share;
    rest -= share;
  }
  return result;
}

/** The same value with long texts cut, which an ellipsis shows. */
export function shortTexts<T>(value: T, limit: number): T {
  if (typeof value === 'string') return (value.length > limit ? `${value.slice(0, limit)}…` : value) as T;
  if (Array.isArray(value)) return value.slice(0, SHORT_LIST).map((each) => shortTexts(each, limit)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shortTexts(each, limit)])) as T;
}

import type { ChainIndex } from './chain-index.ts';
import type { RetentionPolicy } from './retention-policy.ts';
import { type ChainSnapshot, newest } from './snapshot.ts';

type Keep = (id: string, rule: string) => void;

/** A snapshot that holds less than this share of what an earlier one holds is no substitute for that, even if nothing failed. */
const SHARE_OF_A_SUBSTITUTE = 0.1;
/** The same for one in which something could not be read. */
const SHARE_OF_AN_INCOMPLETE_SUBSTITUTE = 0.5;

/** Whether any rule of the policy keeps anything; a number of 0 is none, as if it were left out. */
export function hasRule({ guardShare: _, levels, ...rules }: RetentionPolicy): boolean {
  return [...Object.values(levels ?? {}), ...Object.values(rules)].some((rule) => rule !== undefined && rule !== 0);
}

/** Whether somebody wrote down that no rule keeps anything, and that no share is too large to go without asking. */
export function meansTheNewestOnly({ guardShare, levels: _, ...rules }: RetentionPolicy): boolean {
  return guardShare >= 1 && Object.values(rules).includes(0);
}

const fulls = (snapshots: readonly ChainSnapshot[]) => snapshots.filter((snapshot) => snapshot.level === 'full');
const complete = (snapshots: readonly ChainSnapshot[]) => snapshots.filter((snapshot) => snapshot.complete !== false);

/**
 * Keeps the last state and the last full, so that no setting and no clock takes away all there is; and where those are not
 * complete, also the last ones that are: they alone hold what later runs could not see.
 */
export function keepNewest(past: readonly ChainSnapshot[], good: readonly ChainSnapshot[], keep: Keep): void {
  const keepLast = (snapshots: readonly ChainSnapshot[], rule: string): ChainSnapshot | undefined => {
    const last = newest(snapshots);
    if (last !== undefined) keep(last.id, rule);
    return last;
  };
  const last = keepLast(good, 'newest good snapshot');
  if (last?.complete === false) keepLast(complete(good), 'newest complete snapshot');
  if (keepLast(complete(fulls(good)), 'newest good full') !== undefined) return;
  const incomplete = keepLast(fulls(good), 'newest full, as no complete one exists');
  if (incomplete === undefined) keepLast(fulls(past), 'newest full, as no good one exists');
}

/** Whether a unit lost most of what it held between an earlier snapshot and a later one. */
function isHollow(later: ChainSnapshot, earlier: ChainSnapshot): boolean {
  if (later.held === undefined || earlier.held === undefined) return false;
  const share = later.complete === false ? SHARE_OF_AN_INCOMPLETE_SUBSTITUTE : SHARE_OF_A_SUBSTITUTE;
  return later.held < earlier.held * share;
}

/**
 * Keeps the last snapshot that holds what the newest good ones have lost, because nearly everything vanished or could not be
 * read since: a mount that failed, a disk that dies and a site that was emptied look alike. `good` is sorted by age.
 */
export function keepWhatWasLost(good: readonly ChainSnapshot[], keep: Keep): void {
  const [state, full] = [newest(good), newest(complete(fulls(good))) ?? newest(fulls(good))];
  if (state === undefined || full === undefined) return;
  const fuller = good.findLast((snapshot) => isHollow(state, snapshot) && isHollow(full, snapshot));
  if (fuller !== undefined) keep(fuller.id, 'holds what later ones have lost');
}

/** Keeps what the snapshots kept so far, by their ids, cannot be restored without. `snapshots` is sorted by age. */
export function keepNeeded(
  snapshots: readonly ChainSnapshot[],
  chains: ChainIndex<ChainSnapshot>,
  isKept: (id: string) => boolean,
  keep: Keep,
): void {
  const position = new Map(snapshots.map(({ id }, index) => [id, index]));
  const below = snapshots.map(({ id }) => position.get(chains.below(id)?.id ?? ''));
  // How many lie on each directly and were not counted yet; and of all that lie on it and are kept, their number and the oldest.
  const waiting = new Uint32Array(snapshots.length);
  for (const at of below) if (at !== undefined) waiting[at] = (waiting[at] as number) + 1;
  const needing = new Uint32Array(snapshots.length);
  const first = new Int32Array(snapshots.length).fill(snapshots.length);
  const ready = [...snapshots.keys()].filter((index) => waiting[index] === 0);
  for (let index = ready.pop(); index !== undefined; index = ready.pop()) {
    const at = below[index];
    if (at === undefined) continue;
    const itself = isKept((snapshots[index] as ChainSnapshot).id);
    needing[at] = (needing[at] as number) + (needing[index] as number) + Number(itself);
    first[at] = Math.min(first[at] as number, first[index] as number, itself ? index : snapshots.length);
    waiting[at] = (waiting[at] as number) - 1;
    if (waiting[at] === 0) ready.push(at);
  }
  for (const [index, { id }] of snapshots.entries()) {
    const count = needing[index] as number;
    if (count === 0) continue;
    const { id: by } = snapshots[first[index] as number] as ChainSnapshot;
    keep(id, count === 1 ? `needed by ${by}` : `needed by ${by} and ${count - 1} more`);
  }
}

/** Below this number a large share is nothing unusual: two of three old snapshots of a young unit. */
const FEWEST_GUARDED_DELETIONS = 5;

/** After so many decisions about the past, larger steps are taken back. */
const CLOSE_LOOKS = 32;

const DAY = 86_400_000;

/** What the guard has to know of a moment: how many snapshots there were, and how many of those that go now would have gone then. */
export interface PastDecision {
  readonly snapshots: number;
  readonly deletions: number;
}

/** Whether so many are more than may go without asking. */
export function isTooMany({ deletions, snapshots }: PastDecision, guardShare: number): boolean {
  return deletions >= FEWEST_GUARDED_DELETIONS && deletions > guardShare * snapshots;
}

/**
 * Since how many snapshots there were (at least) the deletion has been too large a share of them; undefined when it never was. What
 * was refused once is still there, so that what was decided then can be decided again: snapshots made since do not make the
 * share small. `decideAt` decides as it would have been when there were only the first `count` snapshots; it is asked a few times
 * only, because a deletion that has begun to be due stays so: going back, there are fewer of both.
 */
export function refusedSince(now: PastDecision, guardShare: number, decideAt: (count: number) => PastDecision): number | undefined {
  let { snapshots, deletions } = now;
  for (let looks = 0; deletions >= FEWEST_GUARDED_DELETIONS && guardShare < 1; looks++) {
    if (isTooMany({ snapshots, deletions }, guardShare)) return begin(snapshots, guardShare, decideAt);
    // With that many deletions or fewer, the share can only have been too large among fewer snapshots than this.
    const fewer = Math.min(snapshots, Math.ceil(deletions / guardShare)) - 1;
    snapshots = looks < CLOSE_LOOKS ? fewer : Math.min(fewer, snapshots >> 1);
    ({ deletions } = decideAt(snapshots));
  }
  return undefined;
}

/** The fewest snapshots, going back from `refused` in steps that grow, among which it was too large a share, too. */
function begin(refused: number, guardShare: number, decideAt: (count: number) => PastDecision): number {
  let known = refused;
  for (let step = 1; step < known; step *= 2) {
    if (!isTooMany(decideAt(known - step), guardShare)) break;
    known -= step;
  }
  return known;
}

/** A pause of less than this is nothing to wonder about. */
const SHORT_PAUSE = 6 * DAY;
const PAUSES_COMPARED = 10;
const UNUSUAL = 3;

/**
 * Since when the clock, which says `now`, has nothing to show for the time that it says has passed; undefined when it has. All in
 * milliseconds since 1970. `seen` are the times at which something was done here, in any order. Ages cannot be told by a clock
 * that has jumped: what was done during the last day may have been done by that clock; what was done before that, and how often
 * it usually is, tells whether the pause is believable. The day after a real pause it is.
 */
export function unseenSince(seen: readonly number[], now: number): number | undefined {
  const days = [...new Set(seen.filter((time) => time < now - DAY).map((time) => Math.floor(time / DAY)))].sort((a, b) => a - b);
  const last = seen.reduce((latest, time) => (time < now - DAY ? Math.max(latest, time) : latest), Number.NEGATIVE_INFINITY);
  const recent = days.slice(-PAUSES_COMPARED - 1);
  const pauses = recent.slice(1).map((day, index) => day - (recent[index] as number));
  const usual = pauses.sort((a, b) => a - b)[Math.floor(pauses.length / 2)] ?? 0;
  return now - last > Math.max(SHORT_PAUSE, UNUSUAL * usual * DAY) && days.length > 0 ? last : undefined;
}

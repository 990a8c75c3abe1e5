import { expiry, keepByAge } from './age-rules.ts';
import { keepByCalendar } from './calendar-rules.ts';
import { ChainIndex } from './chain-index.ts';
import { refusedSince } from './deletion-guard.ts';
import { hasRule, keepNeeded, keepNewest, keepWhatWasLost, meansTheNewestOnly } from './retention-guards.ts';
import type { Hold, RetentionPolicy } from './retention-policy.ts';
import { type ChainSnapshot, compareAge, takenAt } from './snapshot.ts';

export interface RetentionVerdict {
  readonly id: string;
  readonly keep: boolean;
  /** What keeps it, or why it goes, in words; at least one. */
  readonly rules: readonly string[];
}

export interface RetentionDecision {
  /** One for each snapshot, oldest first. */
  readonly verdicts: readonly RetentionVerdict[];
  /** How many of them go. */
  readonly deletions: number;
  /**
   * More would go than the policy allows without asking: when that was refused first, or would have been, RFC 3339 UTC. It does
   * not end by itself.
   */
  readonly refusedSince?: string;
}

/**
 * Which snapshots of one unit are kept and which go. A snapshot is kept when any rule of the policy or a hold keeps it,
 * when one that is kept needs it, or when a guard protects it: the newest good and complete snapshot and full, the last one before
 * most was lost (unless `confirmed`), and all that are dated after `now`. Without any rule in the policy all are kept. Days are
 * those of `timeZone`. The order of `snapshots` does not matter; holds of other units' snapshots are no matter here. Takes time in
 * proportion to the number of snapshots. Throws `usage` for a policy that cannot be understood.
 */
export function decideRetention(
  snapshots: readonly ChainSnapshot[],
  policy: RetentionPolicy,
  now: Temporal.Instant,
  timeZone: string,
  holds: readonly Hold[] = [],
  confirmed = false,
): RetentionDecision {
  const sorted = [...snapshots].sort(compareAge);
  const rules = rulesThatKeep(sorted, policy, now, timeZone, holds, confirmed);
  const verdicts = sorted.map((snapshot) => {
    const kept = rules.get(snapshot.id);
    return { id: snapshot.id, keep: kept !== undefined, rules: kept ?? [expiry(snapshot, policy)] };
  });
  const doomed = new Set(verdicts.filter((verdict) => !verdict.keep).map(({ id }) => id));
  const past = sorted.filter((snapshot) => takenAt(snapshot) <= now.epochMilliseconds);
  const decideAt = (count: number) => {
    const then = past.slice(0, count);
    const kept = rulesThatKeep(then, policy, momentOf(count, past, now), timeZone, holds, confirmed);
    return { snapshots: count, deletions: then.filter(({ id }) => doomed.has(id) && !kept.has(id)).length };
  };
  const since = refusedSince({ snapshots: sorted.length, deletions: doomed.size }, policy.guardShare, decideAt);
  const refused = since === undefined ? {} : { refusedSince: momentOf(since, past, now).toString() };
  return { verdicts, deletions: doomed.size, ...refused };
}

/** When there were the first `count` snapshots and no more. */
function momentOf(count: number, past: readonly ChainSnapshot[], now: Temporal.Instant): Temporal.Instant {
  const last = past[count - 1];
  return last === undefined || count >= past.length ? now : Temporal.Instant.fromEpochMilliseconds(takenAt(last));
}

/** By the id of each snapshot that is kept, the rules that keep it. `sorted` is oldest first. */
function rulesThatKeep(
  sorted: readonly ChainSnapshot[],
  policy: RetentionPolicy,
  now: Temporal.Instant,
  timeZone: string,
  holds: readonly Hold[],
  confirmed: boolean,
): Map<string, string[]> {
  const chains = new ChainIndex(sorted);
  const past = sorted.filter((snapshot) => takenAt(snapshot) <= now.epochMilliseconds);
  const rules = new Map<string, string[]>();
  const keep = (id: string, rule: string) => {
    const known = rules.get(id);
    if (known === undefined) rules.set(id, [rule]);
    else if (!known.includes(rule)) known.push(rule);
  };
  keepByAge(sorted, policy, holds, now, timeZone, keep);
  const good = past.filter((snapshot) => chains.isComplete(snapshot.id));
  keepByCalendar(good, policy, now, timeZone, keep);
  if (!hasRule(policy) && !meansTheNewestOnly(policy)) for (const { id } of sorted) keep(id, 'no rule is set');
  keepNewest(past, good, keep);
  if (!confirmed) keepWhatWasLost(good, keep);
  const kept = new Set(rules.keys());
  keepNeeded(sorted, chains, (id) => kept.has(id), keep);
  return rules;
}

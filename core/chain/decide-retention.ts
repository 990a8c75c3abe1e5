import { expiry, keepByAge } from './age-rules.ts';
import { keepByCalendar } from './calendar-rules.ts';
import { carriedUntil } from './carried.ts';
import { ChainIndex } from './chain-index.ts';
import { isTooMany, refusedSince } from './deletion-guard.ts';
import { LocalDays } from './local-days.ts';
import { hasRule, keepNeeded, keepNewest, keepWhatWasLost, meansTheNewestOnly } from './retention-guards.ts';
import type { Hold, RetentionPolicy } from './retention-policy.ts';
import type { RetentionTerms } from './retention-terms.ts';
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
  const days = new LocalDays(timeZone);
  const terms = { policy, now, days, holds, confirmed };
  const rules = rulesThatKeep(sorted, terms);
  const verdicts = sorted.map((snapshot) => {
    const kept = rules.get(snapshot.id);
    return { id: snapshot.id, keep: kept !== undefined, rules: kept ?? [expiry(snapshot, policy)] };
  });
  const doomed = new Set(verdicts.filter((verdict) => !verdict.keep).map(({ id }) => id));
  const past = sorted.filter((snapshot) => takenAt(snapshot) <= now.epochMilliseconds);
  const weigh = (going: ReadonlySet<string>, snapshots: number, moment: Temporal.Instant) => {
    if (!isTooMany({ snapshots, deletions: going.size }, policy.guardShare)) return { snapshots, deletions: going.size };
    const carried = carriedUntil(past, moment, (then, at, keep) => keepByRules(then, { ...terms, now: at }, keep));
    return { snapshots, deletions: [...going].filter((id) => !carried.has(id)).length };
  };
  const decideAt = (count: number) => {
    const [then, moment] = [past.slice(0, count), pointInTimeOf(count, past, now)];
    const kept = rulesThatKeep(then, { ...terms, now: moment });
    return weigh(new Set(then.filter(({ id }) => doomed.has(id) && !kept.has(id)).map(({ id }) => id)), count, moment);
  };
  const since = refusedSince(weigh(doomed, sorted.length, now), policy.guardShare, decideAt);
  const refused = since === undefined ? {} : { refusedSince: pointInTimeOf(since, past, now).toString() };
  return { verdicts, deletions: doomed.size, ...refused };
}

/** When there were the first `count` snapshots and no more. */
function pointInTimeOf(count: number, past: readonly ChainSnapshot[], now: Temporal.Instant): Temporal.Instant {
  const last = past[count - 1];
  return last === undefined || count >= past.length ? now : Temporal.Instant.fromEpochMilliseconds(takenAt(last));
}

/**
 * Tells `keep` what the rules of the policy and holds keep, without guards; `good` are those that can be put together and are not of the
 * future.
 */
function keepByRules(
  sorted: readonly ChainSnapshot[],
  terms: RetentionTerms,
  keep: (id: string, rule: string) => void,
  good: readonly ChainSnapshot[] = sorted,
): void {
  keepByAge(sorted, terms, keep);
  keepByCalendar(good, terms, keep);
}

/** By the id of each snapshot that is kept, the rules that keep it. `sorted` is oldest first. */
function rulesThatKeep(sorted: readonly ChainSnapshot[], terms: RetentionTerms & { readonly confirmed: boolean }): Map<string, string[]> {
  const { policy, now, confirmed } = terms;
  const chains = new ChainIndex(sorted);
  const past = sorted.filter((snapshot) => takenAt(snapshot) <= now.epochMilliseconds);
  const rules = new Map<string, string[]>();
  const keep = (id: string, rule: string) => {
    const known = rules.get(id);
    if (known === undefined) rules.set(id, [rule]);
    else if (!known.includes(rule)) known.push(rule);
  };
  const good = past.filter((snapshot) => chains.isComplete(snapshot.id));
  keepByRules(sorted, terms, keep, good);
  if (!hasRule(policy) && !meansTheNewestOnly(policy)) for (const { id } of sorted) keep(id, 'no rule is set');
  keepNewest(past, good, keep);
  if (!confirmed) keepWhatWasLost(good, keep);
  const kept = new Set(rules.keys());
  keepNeeded(sorted, chains, (id) => kept.has(id), keep);
  return rules;
}

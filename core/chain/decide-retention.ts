import { expiry, keepByAge } from './age-rules.ts';
import { keepByCalendar } from './calendar-rules.ts';
import { ChainIndex } from './chain-index.ts';
import type { Hold, RetentionPolicy } from './retention-policy.ts';
import { type ChainSnapshot, compareAge, newest, takenAt } from './snapshot.ts';

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
  /** More would go than the policy allows without asking. */
  readonly needsConfirmation: boolean;
}

// Below this number a large share is nothing unusual: two of three old snapshots of a young unit.
const FEWEST_GUARDED_DELETIONS = 5;

function hasRule(policy: RetentionPolicy): boolean {
  const { guardShare: _, levels, ...rules } = policy;
  return [...Object.values(levels ?? {}), ...Object.values(rules)].some((rule) => rule !== undefined);
}

type Keep = (id: string, rule: string) => void;

/** Keeps the last state and the last full, so that no setting and no clock takes away all there is. */
function keepNewest(past: readonly ChainSnapshot[], good: readonly ChainSnapshot[], keep: Keep): void {
  const last = newest(good);
  if (last !== undefined) keep(last.id, 'newest good snapshot');
  const fulls = (snapshots: readonly ChainSnapshot[]) => snapshots.filter((snapshot) => snapshot.level === 'full');
  const full = newest(fulls(good));
  if (full !== undefined) keep(full.id, 'newest good full');
  const damaged = full === undefined ? newest(fulls(past)) : undefined;
  if (damaged !== undefined) keep(damaged.id, 'newest full, as no good one exists');
}

/** Keeps what the snapshots kept so far cannot be restored without. */
function keepNeeded(
  snapshots: readonly ChainSnapshot[],
  chains: ChainIndex<ChainSnapshot>,
  rules: ReadonlyMap<string, readonly string[]>,
  keep: Keep,
): void {
  const dependents = new Map<string, string[]>();
  for (const { id } of snapshots) {
    if (!rules.has(id)) continue;
    for (const member of chains.reachable(id)) {
      if (member.id !== id) dependents.set(member.id, [...(dependents.get(member.id) ?? []), id]);
    }
  }
  for (const [id, by] of dependents) {
    keep(id, by.length === 1 ? `needed by ${by[0]}` : `needed by ${by[0]} and ${by.length - 1} more`);
  }
}

/**
 * Which snapshots of one unit are kept and which go. A snapshot is kept when any rule of the policy or a hold keeps it,
 * when one that is kept needs it, or when a guard protects it: the newest good snapshot, the newest good full, and all
 * that are dated after `now`. Without any rule in the policy all are kept. Days are those of `timeZone`. The order of
 * `snapshots` does not matter; holds of other units' snapshots are no matter here. Throws `usage` for a policy that
 * cannot be understood.
 */
export function decideRetention(
  snapshots: readonly ChainSnapshot[],
  policy: RetentionPolicy,
  now: Temporal.Instant,
  timeZone: string,
  holds: readonly Hold[] = [],
): RetentionDecision {
  const sorted = [...snapshots].sort(compareAge);
  const chains = new ChainIndex(sorted);
  const past = sorted.filter((snapshot) => takenAt(snapshot) <= now.epochMilliseconds);
  const rules = new Map<string, string[]>();
  const keep: Keep = (id, rule) => {
    const known = rules.get(id) ?? [];
    if (!known.includes(rule)) rules.set(id, [...known, rule]);
  };
  keepByAge(sorted, policy, holds, now, timeZone, keep);
  const good = past.filter((snapshot) => chains.isComplete(snapshot.id));
  keepByCalendar(good, policy, now, timeZone, keep);
  if (!hasRule(policy)) for (const { id } of sorted) keep(id, 'no retention is set');
  keepNewest(past, good, keep);
  keepNeeded(sorted, chains, rules, keep);

  const verdicts = sorted.map((snapshot) => {
    const kept = rules.get(snapshot.id);
    return { id: snapshot.id, keep: kept !== undefined, rules: kept ?? [expiry(snapshot, policy)] };
  });
  const deletions = verdicts.filter((verdict) => !verdict.keep).length;
  const needsConfirmation = deletions >= FEWEST_GUARDED_DELETIONS && deletions > policy.guardShare * sorted.length;
  return { verdicts, deletions, needsConfirmation };
}

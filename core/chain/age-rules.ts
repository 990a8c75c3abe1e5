import { millisecondsBefore, parseDuration } from './duration.ts';
import type { RetentionPolicy } from './retention-policy.ts';
import type { RetentionTerms } from './retention-terms.ts';
import { type ChainSnapshot, type Level, takenAt } from './snapshot.ts';

/** The last time, not after `now`, at which the snapshot stood for the state of its unit; in milliseconds since 1970. */
export function stoodLast(snapshot: ChainSnapshot, now: number): number {
  const until = snapshot.unchangedUntil === undefined ? Number.NEGATIVE_INFINITY : Date.parse(snapshot.unchangedUntil);
  return Math.max(takenAt(snapshot), until <= now ? until : Number.NEGATIVE_INFINITY);
}

/** Why a snapshot goes when no rule keeps it, in words. */
export function expiry(snapshot: ChainSnapshot, policy: RetentionPolicy): string {
  const limit = policy.levels?.[snapshot.level];
  return limit === undefined ? 'no rule keeps it' : `${snapshot.level} older than ${limit}`;
}

/**
 * Tells `keep` which snapshots are kept because of their own age or a hold, whatever other snapshots there are. One dated
 * after `now` is kept: its age is not known. A hold counts until it expires.
 */
export function keepByAge(
  snapshots: readonly ChainSnapshot[],
  { policy, holds, now, days }: RetentionTerms,
  keep: (id: string, rule: string) => void,
): void {
  const begins = (duration: string | undefined) =>
    duration === undefined ? Number.POSITIVE_INFINITY : millisecondsBefore(now, parseDuration(duration), days.timeZone);
  const within = begins(policy.keepWithin);
  const levels: Record<Level, number> = {
    full: begins(policy.levels?.full),
    differential: begins(policy.levels?.differential),
    incremental: begins(policy.levels?.incremental),
  };
  const present = now.epochMilliseconds;
  for (const snapshot of snapshots) {
    if (takenAt(snapshot) > present) {
      keep(snapshot.id, 'dated in the future');
      continue;
    }
    const stood = stoodLast(snapshot, present);
    if (stood >= levels[snapshot.level]) keep(snapshot.id, `${snapshot.level} younger than ${policy.levels?.[snapshot.level]}`);
    if (stood >= within) keep(snapshot.id, `younger than ${policy.keepWithin}`);
  }
  for (const hold of holds) {
    if (hold.expires === undefined || Date.parse(hold.expires) > present) keep(hold.id, `held: ${hold.reason}`);
  }
}

import { stoodLast } from './age-rules.ts';
import { ChainIndex } from './chain-index.ts';
import { parseDuration, timeAfter } from './duration.ts';
import { hasRule } from './retention-guards.ts';
import type { Hold, RetentionPolicy } from './retention-policy.ts';
import type { ChainSnapshot } from './snapshot.ts';

/** By what is said until when a snapshot is wanted. */
export interface WantedTerms {
  readonly policy: RetentionPolicy;
  readonly now: Temporal.Instant;
  readonly timeZone: string;
  readonly holds: readonly Hold[];
}

/**
 * Until when each of the snapshots is kept at least, by its id, in milliseconds since 1970: as its age, a hold or the lack of any rule says of it or
 * of another one that cannot be restored without it. Infinity: no end is known. 0: it is kept now, by a rule that does not say until when.
 */
export function wantedUntil(kept: readonly ChainSnapshot[], { policy, now, timeZone, holds }: WantedTerms): Map<string, number> {
  const end = (from: number, duration: string | undefined): number =>
    duration === undefined ? 0 : timeAfter(from, parseDuration(duration), timeZone);
  const wanted = new Map<string, number>();
  for (const snapshot of kept) {
    const stood = stoodLast(snapshot, now.epochMilliseconds);
    const byAge = Math.max(end(stood, policy.levels?.[snapshot.level]), end(stood, policy.keepWithin));
    wanted.set(snapshot.id, hasRule(policy) ? byAge : Number.POSITIVE_INFINITY);
  }
  for (const { id, expires } of holds) {
    const before = wanted.get(id);
    if (before !== undefined) wanted.set(id, Math.max(before, expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires)));
  }
  const chains = new ChainIndex(kept);
  for (const { id } of kept) {
    const until = wanted.get(id) as number;
    // Where something is wanted as long already, so is all below it.
    for (let below = chains.below(id); below !== undefined && (wanted.get(below.id) as number) < until; below = chains.below(below.id)) {
      wanted.set(below.id, until);
    }
  }
  return wanted;
}

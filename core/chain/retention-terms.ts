import type { LocalDays } from './local-days.ts';
import type { Hold, RetentionPolicy } from './retention-policy.ts';

/** By what snapshots are kept at one time. */
export interface RetentionTerms {
  readonly policy: RetentionPolicy;
  readonly now: Temporal.Instant;
  /** The days of the time zone in which the policy counts. */
  readonly days: LocalDays;
  readonly holds: readonly Hold[];
}

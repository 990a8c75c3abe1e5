import { decideRetention, type RetentionDecision } from '../chain/decide-retention.ts';
import type { Hold, RetentionPolicy } from '../chain/retention-policy.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { RunIndex } from '../repository/run-index.ts';
import { unreadable } from '../repository/unreferenced.ts';
import { chainSnapshots, type RecordedSnapshot } from '../timeline/chain-snapshots.ts';
import { lastUnchanged } from '../timeline/unchanged-runs.ts';

/** What retention decides by, the same for all units of a prune. */
export interface RetentionRules {
  readonly policy: RetentionPolicy;
  readonly now: Temporal.Instant;
  readonly timeZone: string;
  readonly holds: readonly Hold[];
  readonly runs: RunIndex;
  /** Somebody said yes to what goes beyond the guards. */
  readonly confirmed: boolean;
}

/** What retention says of the snapshots of one unit. */
export interface UnitRetention {
  /** The id of the unit. */
  readonly unit: string;
  readonly snapshots: readonly RecordedSnapshot[];
  readonly decision: RetentionDecision;
  /** Newest first, so that a deletion that is stopped leaves no snapshot without what it needs. */
  readonly doomed: readonly SnapshotRecord[];
  readonly kept: readonly SnapshotRecord[];
}

/** Decides for one unit. A record that cannot be used stops that: nobody knows what it needs. */
export async function decideUnit(unit: string, repository: Repository, rules: RetentionRules): Promise<UnitRetention> {
  const { records, unusable } = await repository.readSnapshots(unit);
  if (unusable.length > 0) throw unreadable(unusable);
  const snapshots = chainSnapshots(records, repository, lastUnchanged(rules.runs));
  const decision = decideRetention(snapshots, rules.policy, rules.now, rules.timeZone, rules.holds, rules.confirmed);
  const keep = new Set(decision.verdicts.filter((verdict) => verdict.keep).map(({ id }) => id));
  return {
    unit,
    snapshots,
    decision,
    doomed: records.filter(({ id }) => !keep.has(id)).reverse(),
    kept: records.filter(({ id }) => keep.has(id)),
  };
}

/** The manifests and packs that only the given records name, with their lengths in bytes. */
export function exclusiveObjects(doomed: readonly SnapshotRecord[], kept: readonly SnapshotRecord[]): Map<string, number> {
  const needed = new Set(kept.flatMap(({ packs }) => packs.map(({ path }) => path)));
  const objects = new Map<string, number>();
  for (const { manifest, packs } of doomed) {
    for (const { path, length } of [manifest, ...packs]) if (!needed.has(path)) objects.set(path, length);
  }
  return objects;
}

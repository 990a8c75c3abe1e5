import type { ChainSnapshot } from '../chain/snapshot.ts';
import { isComplete, type SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { LastUnchanged } from './unchanged-runs.ts';

/** A snapshot record as chains, schedules and retention see it; the record stays at hand. */
export interface RecordedSnapshot extends ChainSnapshot {
  readonly record: SnapshotRecord;
}

/** The records of one unit with the digests by which they link to each other, and what run records say of them. */
export function chainSnapshots(
  records: readonly SnapshotRecord[],
  repository: Repository,
  unchanged: LastUnchanged = new Map(),
): RecordedSnapshot[] {
  return records.map((record) => {
    const { id, level, synthetic, time, parent, base, counts, warningCount } = record;
    const sha256 = repository.recordDigest(record);
    const until = unchanged.get(sha256);
    const stood = until !== undefined && Date.parse(until) > Date.parse(time) ? { unchangedUntil: until } : {};
    // Each warning is about one entry at least; how many are missing below a folder that could not be listed, nobody knows.
    const held = { complete: isComplete(record), held: Math.max(0, counts.entries - warningCount) };
    return { id, sha256, level, synthetic, time, parent, base, record, ...held, ...stood };
  });
}

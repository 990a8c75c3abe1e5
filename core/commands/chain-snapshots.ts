import type { ChainSnapshot } from '../chain/snapshot.ts';
import type { SnapshotRecord } from '../repository/record.ts';
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
    const { id, level, synthetic, time, parent, base } = record;
    const sha256 = repository.recordDigest(record);
    const until = unchanged.get(sha256);
    const stood = until !== undefined && Date.parse(until) > Date.parse(time) ? { unchangedUntil: until } : {};
    return { id, sha256, level, synthetic, time, parent, base, record, ...stood };
  });
}

import type { ChainSnapshot } from '../chain/snapshot.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';

/** A snapshot record as chains, schedules and retention see it; the record stays at hand. */
export interface RecordedSnapshot extends ChainSnapshot {
  readonly record: SnapshotRecord;
}

/** The records of one unit with the digests by which they link to each other. */
export function chainSnapshots(records: readonly SnapshotRecord[], repository: Repository): RecordedSnapshot[] {
  return records.map((record) => {
    const { id, level, synthetic, time, parent, base } = record;
    return { id, sha256: repository.recordDigest(record), level, synthetic, time, parent, base, record };
  });
}

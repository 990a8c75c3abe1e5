import type { SnapshotLink } from '../../chain/snapshot.ts';
import type { UnitIdentity } from '../../repository/identity.ts';
import type { RecordedRawDatabases, SnapshotRecord } from '../../repository/record.ts';
import type { UnitPlan } from '../previous/level.ts';
import type { WarningList } from '../rows/warning-list.ts';

/** A unit that was backed up. */
export interface BackedUpUnit {
  readonly unit: UnitIdentity;
  readonly plan: Pick<UnitPlan, 'level' | 'synthetic' | 'reason'>;
  /** The restore point: the new snapshot, or the last one when nothing has changed since. */
  readonly record: SnapshotRecord;
  readonly link: SnapshotLink;
  readonly isNew: boolean;
  /** What this run noticed, also where nothing had to be stored. */
  readonly warnings: WarningList;
  /** Live files of database servers that were left out. */
  readonly rawDatabases: readonly RecordedRawDatabases[];
  /** A snapshot that was the newest is gone. */
  readonly isHistoryMissing?: boolean;
}

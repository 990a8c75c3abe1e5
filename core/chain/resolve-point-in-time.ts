import { Failure } from '../failure.ts';
import type { PointInTime } from './point-in-time.ts';
import { compareAge, type Dated, newest, takenAt } from './snapshot.ts';

/**
 * The snapshot of a unit that a moment means: the one that was named, or the last one taken at or before the time. `latest`
 * passes over snapshots dated in the future unless there are no others (a rescue system's clock may be wrong). Throws
 * `snapshot_unknown`.
 */
export function resolvePointInTime<T extends Dated>(moment: PointInTime, snapshots: readonly T[]): T {
  if (moment.kind === 'snapshot') {
    const named = snapshots.find((snapshot) => snapshot.id === moment.id);
    if (named !== undefined) return named;
    throw new Failure('snapshot_unknown', `there is no snapshot ${moment.id}`, { affected: [moment.id] });
  }
  const limit = moment.instant.epochMilliseconds;
  const found =
    newest(snapshots.filter((snapshot) => takenAt(snapshot) <= limit)) ?? (moment.kind === 'latest' ? newest(snapshots) : undefined);
  if (found !== undefined) return found;
  const [oldest] = [...snapshots].sort(compareAge);
  if (oldest === undefined) throw new Failure('snapshot_unknown', 'there is no snapshot yet');
  throw new Failure('snapshot_unknown', `there is no snapshot at or before ${moment.text}`, {
    affected: [moment.text],
    advice: `The oldest one is ${oldest.id}, taken ${oldest.time}.`,
  });
}

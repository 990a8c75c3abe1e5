import { Failure } from '../failure.ts';
import type { Standing } from '../repository/history/deletion-record.ts';
import { deletionOf, readDeletions, writeDeletion } from '../repository/history/deletions.ts';
import { recordIdOf, snapshotPath, snapshotsFolder } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import type { RunIndex } from '../repository/run-index.ts';
import type { Copied } from './copied.ts';
import type { Copier } from './copier.ts';

/**
 * Says in a copy which snapshots it has: the records of runs, and what the source says, name others, which would be missed there. What was there and is
 * gone goes on to be missed, and is a problem each time: the source does not have it any more either.
 */
export async function sayWhatStands(units: readonly string[], copier: Copier, copied: Copied, { greatest }: RunIndex): Promise<void> {
  // No run is in the log, so nothing can be missed: the first of a server was stopped, or it writes none yet.
  if (greatest === 0) return;
  const { source, target } = copier;
  const report = (error: unknown) => copied.problem(error);
  const [before, ofSource] = [await readDeletions(target, report), await readDeletions(source, report)];
  const ofUnit = new Map(before.standing.map((each) => [each.unit, each]));
  const standing: Standing[] = [];
  // A unit that is gone from the source altogether is missed here as before.
  for (const unit of new Set([...units, ...ofUnit.keys()])) {
    const there = snapshotsOf(unit, copier);
    const missed = ofUnit.get(unit)?.snapshots.filter((id) => !there.has(id)) ?? [];
    if (missed.length > 0) copied.problem(gone(unit, missed, target));
    standing.push({ unit, sequence: greatest, snapshots: [...there, ...missed].sort() });
  }
  const record = deletionOf(target, {
    runs: [...before.runs, ...ofSource.runs],
    snapshots: unique([...before.snapshots, ...ofSource.snapshots]),
    standing,
    accepted: before.accepted,
  });
  if (before.ids.length > 0 && JSON.stringify(before.standing) === JSON.stringify(standing)) return;
  await writeDeletion(target, record, before.ids);
}

function gone(unit: string, snapshots: readonly string[], target: Repository): Failure {
  const names = snapshots.map((id) => target.nameOf(snapshotPath(unit, id)));
  const { description } = target.backend;
  const message = `${names.length} snapshots of ${unit} were in the copy ${description} and are gone, and the repository does not have them any more: ${names[0]}`;
  return new Failure('history_missing', message, {
    affected: names,
    advice: 'What is lost there is missed no more after `apiscp-backup prune --from COPY --accept-missing`.',
  });
}

function snapshotsOf(unit: string, { inTarget }: Copier): Set<string> {
  const folder = `${snapshotsFolder(unit)}/`;
  return new Set([...inTarget].flatMap((path) => (path.startsWith(folder) ? (recordIdOf(path) ?? []) : [])));
}

function unique<T extends { readonly id: string }>(all: readonly T[]): T[] {
  return [...new Map(all.map((each) => [each.id, each])).values()];
}

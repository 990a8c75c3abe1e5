import { deletionOf, readDeletions, writeDeletion } from '../repository/history/deletions.ts';
import { recordIdOf, snapshotsFolder } from '../repository/layout.ts';
import type { RunIndex } from '../repository/run-index.ts';
import type { Copied } from './copied.ts';
import type { Copier } from './copier.ts';

/**
 * Says in a copy which snapshots it has: the records of runs, and what the source says, name others, which would be missed there. What was there and is
 * gone goes on to be missed.
 */
export async function sayWhatStands(units: readonly string[], copier: Copier, copied: Copied, { greatest }: RunIndex): Promise<void> {
  // No run is in the log, so nothing can be missed: the first of a server was stopped, or it writes none yet.
  if (greatest === 0) return;
  const { source, target } = copier;
  const report = (error: unknown) => copied.problem(error);
  const [before, ofSource] = [await readDeletions(target, report), await readDeletions(source, report)];
  const standing = units.map((unit) => {
    const there = snapshotsOf(unit, copier);
    const missed = before.standing.find((each) => each.unit === unit)?.snapshots.filter((id) => !there.includes(id)) ?? [];
    return { unit, sequence: greatest, snapshots: [...there, ...missed].sort() };
  });
  const record = deletionOf(target, {
    runs: [...before.runs, ...ofSource.runs],
    snapshots: unique([...before.snapshots, ...ofSource.snapshots]),
    standing,
    accepted: before.accepted,
  });
  if (before.ids.length > 0 && JSON.stringify(before.standing) === JSON.stringify(standing)) return;
  await writeDeletion(target, record, before.ids);
}

function snapshotsOf(unit: string, { inTarget }: Copier): string[] {
  const folder = `${snapshotsFolder(unit)}/`;
  return [...inTarget].flatMap((path) => (path.startsWith(folder) ? (recordIdOf(path) ?? []) : [])).sort();
}

function unique<T extends { readonly id: string }>(all: readonly T[]): T[] {
  return [...new Map(all.map((each) => [each.id, each])).values()];
}

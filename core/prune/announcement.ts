import { asFailure } from '../failure.ts';
import { readDeletions, recordDeletion } from '../repository/history/deletions.ts';
import { keepSeenSnapshot, readSeenSnapshot } from '../repository/history/seen.ts';
import type { Repository } from '../repository/repository.ts';
import type { RunIndex } from '../repository/run-index.ts';
import type { UnitRetention } from './unit-retention.ts';

/**
 * Says in the repository what is going to be deleted of that which is missed when it is gone: records of runs (ids), and snapshots that were the
 * newest of their unit. Gives whether that could be said; on a full disk it cannot, and nothing but records of runs has to wait for it.
 */
export async function announceDeletion(
  units: readonly UnitRetention[],
  expired: readonly string[],
  runs: RunIndex,
  repository: Repository,
): Promise<boolean> {
  const sequences = expired.flatMap((id) => runs.log.get(id)?.sequence ?? []);
  const snapshots = units.flatMap(({ unit, doomed }) => {
    const newest = [runs.named.get(unit)?.id, readSeenSnapshot(repository.stateFolder, unit)];
    return doomed.filter(({ id }) => newest.includes(id)).map(({ id }) => ({ unit, id }));
  });
  if (sequences.length === 0 && snapshots.length === 0) return true;
  forgetSeen(units, repository);
  try {
    const before = await readDeletions(repository, (error) => repository.report(error));
    const stillNamed = before.snapshots.filter(({ unit, id }) => runs.named.get(unit)?.id === id);
    await recordDeletion(
      repository,
      { runs: [...before.runs, ...upTo(sequences, runs)], snapshots: [...stillNamed, ...snapshots] },
      before.ids,
    );
    return true;
  } catch (error) {
    const { code, message } = asFailure(error);
    const text = `it cannot be said in the repository what is deleted, so others will miss it: ${message}`;
    repository.notify({ level: 'warning', code, message: text, affected: snapshots.map(({ id }) => id) });
    return false;
  }
}

/**
 * The numbers up to the greatest of `sequences` of which no record stays: what was missing before, which was told, is not missed for ever.
 */
function upTo(sequences: readonly number[], { log }: RunIndex): { readonly first: number; readonly last: number }[] {
  const going = new Set(sequences);
  const end = Math.max(0, ...sequences) + 1;
  const staying = [...log.values()].map(({ sequence }) => sequence).filter((sequence) => sequence < end && !going.has(sequence));
  const borders = [0, ...staying.sort((a, b) => a - b), end];
  return borders.slice(1).flatMap((border, at) => {
    const first = (borders[at] as number) + 1;
    return first < border ? [{ first, last: border - 1 }] : [];
  });
}

/** What this machine itself deletes it does not miss. */
function forgetSeen(units: readonly UnitRetention[], { stateFolder }: Repository): void {
  for (const { unit, doomed, kept } of units) {
    const seen = readSeenSnapshot(stateFolder, unit);
    if (!doomed.some(({ id }) => id === seen)) continue;
    try {
      keepSeenSnapshot(stateFolder, unit, kept.at(-1)?.id);
    } catch {
      // Then the next run says once that it is missing.
    }
  }
}

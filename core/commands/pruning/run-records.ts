import { millisecondsBefore, parseDuration } from '../../chain/duration.ts';
import { runPath } from '../../repository/layout.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RetentionRules } from './unit-retention.ts';

/** How long the record of a run is kept at least; longer where the retention of snapshots has a longer age. */
const SHORTEST_AGE = '2 months';

/**
 * The ids of run records that are older than anything retention asks for. Never the newest of all, nor one that alone tells
 * until when a snapshot stood for the state of its unit.
 */
export async function expiredRuns(repository: Repository, { policy, now, timeZone, unchanged }: RetentionRules): Promise<string[]> {
  const ages = [SHORTEST_AGE, ...Object.values(policy.levels ?? {}), policy.keepWithin ?? SHORTEST_AGE];
  const limit = Math.min(...ages.map((age) => millisecondsBefore(now, parseDuration(age), timeZone)));
  const expired: string[] = [];
  let newest = '';
  for await (const { id, time, units } of repository.eachRun()) {
    if (id > newest) newest = id;
    const isWitness = units.some((unit) => unit.snapshot !== null && unchanged.get(unit.snapshot.sha256) === unit.time);
    if (Date.parse(time) < limit && !isWitness) expired.push(id);
  }
  return expired.filter((id) => id !== newest);
}

/** Removes run records. */
export async function removeRuns(ids: readonly string[], repository: Repository): Promise<void> {
  for (const id of ids) await repository.removeObject(runPath(id));
}

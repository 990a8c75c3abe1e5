import { millisecondsBefore, parseDuration } from '../chain/duration.ts';
import { timeOfId } from '../repository/ids.ts';
import { recordIdOf, runPath, snapshotsFolder } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import type { RunIndex } from '../repository/run-index.ts';
import type { RetentionRules, UnitRetention } from './unit-retention.ts';

/** How long the record of a run is kept at least; longer where the retention of snapshots has a longer age. */
const SHORTEST_AGE = '2 months';

/** Since when records of runs are kept at least, in milliseconds since 1970. */
export function oldestOfInterest({ policy, now, timeZone }: RetentionRules): number {
  const ages = [SHORTEST_AGE, ...Object.values(policy.levels ?? {}), policy.keepWithin ?? SHORTEST_AGE];
  return Math.min(...ages.map((age) => millisecondsBefore(now, parseDuration(age), timeZone)));
}

/**
 * The ids of run records that are older than anything retention asks for. Never the newest, nor one that alone tells until when a
 * snapshot stood for the state of its unit, as long as that snapshot stays. `units` are those that retention decided about.
 */
export async function expiredRuns(repository: Repository, rules: RetentionRules, units: readonly UnitRetention[]): Promise<string[]> {
  const { now, runs } = rules;
  const limit = oldestOfInterest(rules);
  const isPast = (id: string) => timeOfId(id).getTime() <= now.epochMilliseconds;
  const newest = [runs.ids.findLast(isPast), runs.ids.at(-1)];
  const old = runs.ids.filter((id) => timeOfId(id).getTime() < limit && !newest.includes(id));
  if (old.length === 0) return [];
  const staying = await stayingDigests(repository, units);
  const needed = new Set([...runs.witnesses].filter(([sha256]) => staying(sha256)).map(([, { run }]) => run));
  return withoutNewestWord(
    old.filter((id) => !needed.has(id)),
    runs,
  );
}

/**
 * Without those that tell a unit's newest snapshot while an earlier record stays: that may name one which was deleted since, and was not announced because
 * it was not the newest.
 */
function withoutNewestWord(expired: readonly string[], { ids, log, named }: RunIndex): string[] {
  const going = new Set(expired);
  const first = Math.min(...ids.flatMap((id) => (going.has(id) ? [] : (log.get(id)?.sequence ?? []))));
  const telling = new Set([...named.values()].flatMap(({ run, sequence }) => (sequence > first ? run : [])));
  return expired.filter((id) => !telling.has(id));
}

/** Whether a record of this digest stays. Of units that nobody decided about, each that run records know may. */
async function stayingDigests(repository: Repository, units: readonly UnitRetention[]): Promise<(sha256: string) => boolean> {
  const decided = new Map(units.map((unit) => [unit.unit, unit]));
  const digests = new Set(units.flatMap(({ kept }) => kept.map((record) => repository.recordDigest(record))));
  let others = false;
  for (const unit of await repository.units.ids()) {
    if (decided.has(unit)) continue;
    for await (const { name } of repository.listObjects(`${snapshotsFolder(unit)}/`)) others ||= recordIdOf(name) !== undefined;
  }
  const going = new Set(units.flatMap(({ doomed }) => doomed.map((record) => repository.recordDigest(record))));
  return (sha256) => digests.has(sha256) || (others && !going.has(sha256));
}

/** Removes run records. */
export async function removeRuns(ids: readonly string[], repository: Repository): Promise<void> {
  for (const id of ids) await repository.removeObject(runPath(id));
}

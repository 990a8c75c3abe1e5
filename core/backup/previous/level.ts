import { ChainIndex, chainMembers } from '../../chain/chain-index.ts';
import { chooseLevel, type LevelChoice, type LevelRequest } from '../../chain/choose-level.ts';
import type { SchedulePolicy } from '../../chain/schedule-policy.ts';
import { newest, takenAt } from '../../chain/snapshot.ts';
import { asFailure, Failure, type FailureCode } from '../../failure.ts';
import type { ManifestCache } from '../../repository/manifest-cache.ts';
import type { SnapshotRecord } from '../../repository/record.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RecordedSnapshot } from '../../timeline/chain-snapshots.ts';
import { localTimeZone } from '../../timeline/time-zone.ts';
import { PreviousState } from './previous-state.ts';

/** What a backup of a unit will do. */
export interface UnitPlan extends LevelChoice {
  /** What it compares with and builds on; undefined for a full that reads everything. */
  readonly previous: PreviousState | undefined;
}

/** By what a level is chosen. */
interface PlanningContext {
  readonly schedule: SchedulePolicy;
  /** The unit's snapshots. */
  readonly history: readonly RecordedSnapshot[];
  readonly now: Date;
  readonly repository: Repository;
  readonly cache: ManifestCache;
}

/**
 * Decides the level and opens what it needs. A chain whose manifests cannot be read any more, or whose packs are not all there,
 * is given up for a full: a backup never builds on what may be wrong.
 */
export async function planUnit(request: LevelRequest, { schedule, history, now, repository, cache }: PlanningContext): Promise<UnitPlan> {
  const instant = Temporal.Instant.fromEpochMilliseconds(now.getTime());
  const choice = chooseLevel(schedule, history, instant, localTimeZone(repository.notify), request);
  if (choice.level === 'full' && !choice.synthetic) return { ...choice, previous: undefined };
  const latest = newest(history.filter((snapshot) => takenAt(snapshot) <= now.getTime())) as RecordedSnapshot;
  const chain = chainMembers(new ChainIndex(history).select(latest.id)).map(({ record }) => record);
  try {
    await checkObjects(chain, repository);
    const last = await repository.revealed(chain.at(-1) as SnapshotRecord);
    return { ...choice, previous: await PreviousState.open([...chain.slice(0, -1), last], cache) };
  } catch (error) {
    return plainFull(error, repository);
  }
}

/** The reason stands in the record in clear: where the repository is encrypted, the words of a damage, which may have paths, are told here alone. */
function whyNot(error: unknown, repository: Repository): string {
  const { code, message, affected } = asFailure(error);
  if (code === 'identity_missing' || code === 'identity_wrong')
    return 'the state directory does not have all of it, and this server has no key to read it from the repository';
  if (repository.keys.current === undefined) return message;
  repository.notify({ level: 'warning', code, message: `the last backup cannot be built on: ${message}`, affected });
  return code;
}

function plainFull(error: unknown, repository: Repository): UnitPlan {
  const reason = `No backup can build on the last one: ${whyNot(error, repository)}.`;
  return { level: 'full', synthetic: false, reason, previous: undefined };
}

const DAMAGE: ReadonlySet<FailureCode> = new Set(['repository_damaged', 'digest_mismatch']);

/** The full that takes the place of a plan when it fails of an object that it builds on; undefined when that is not why it failed. */
export function fullInstead({ previous }: UnitPlan, error: unknown, repository: Repository): UnitPlan | undefined {
  const failure = asFailure(error);
  if (previous === undefined || !DAMAGE.has(failure.code)) return undefined;
  const objects = new Set(previous.chain.flatMap(({ manifest, packs }) => [manifest.path, ...packs.map(({ path }) => path)]));
  return failure.affected.some((object) => objects.has(object)) ? plainFull(failure, repository) : undefined;
}

/** Whether every manifest and pack of the chain is there in its full length; what is in them, `verify` compares. */
async function checkObjects(chain: readonly SnapshotRecord[], repository: Repository): Promise<void> {
  const objects = new Map(chain.flatMap(({ manifest, packs }) => [manifest, ...packs]).map(({ path, length }) => [path, length]));
  for (const [path, length] of objects) {
    if ((await repository.objectSize(path)) === length) continue;
    throw new Failure('repository_damaged', `${path} is missing or cut`, { affected: [path] });
  }
}

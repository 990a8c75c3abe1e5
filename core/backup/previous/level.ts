import { ChainIndex, chainMembers } from '../../chain/chain-index.ts';
import { chooseLevel, type LevelChoice, type LevelRequest } from '../../chain/choose-level.ts';
import type { SchedulePolicy } from '../../chain/schedule-policy.ts';
import { newest, takenAt } from '../../chain/snapshot.ts';
import { asFailure, Failure } from '../../failure.ts';
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

/**
 * Decides the level and opens what it needs. A chain whose manifests cannot be read any more, or whose packs are not all there,
 * is given up for a full: a backup never builds on what may be wrong.
 */
export async function planUnit(
  request: LevelRequest,
  schedule: SchedulePolicy,
  history: readonly RecordedSnapshot[],
  now: Date,
  repository: Repository,
  cache: ManifestCache,
): Promise<UnitPlan> {
  const instant = Temporal.Instant.fromEpochMilliseconds(now.getTime());
  const choice = chooseLevel(schedule, history, instant, localTimeZone(repository.notify), request);
  if (choice.level === 'full' && !choice.synthetic) return { ...choice, previous: undefined };
  const latest = newest(history.filter((snapshot) => takenAt(snapshot) <= now.getTime())) as RecordedSnapshot;
  const chain = chainMembers(new ChainIndex(history).select(latest.id)).map(({ record }) => record);
  try {
    await checkPacks(chain, repository);
    return { ...choice, previous: await PreviousState.open(chain, cache) };
  } catch (error) {
    const { message } = asFailure(error);
    return { level: 'full', synthetic: false, reason: `No backup can build on the last one: ${message}.`, previous: undefined };
  }
}

/** Whether every pack of the chain is there in its full length; what is in them, `verify` compares. */
async function checkPacks(chain: readonly SnapshotRecord[], repository: Repository): Promise<void> {
  const packs = new Map(chain.flatMap((record) => record.packs).map((pack) => [pack.path, pack.length]));
  for (const [path, length] of packs) {
    if ((await repository.objectSize(path)) === length) continue;
    throw new Failure('repository_damaged', `the pack ${path} is missing or cut`, { affected: [path] });
  }
}

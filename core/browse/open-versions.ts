import type { Failure } from '../failure.ts';
import type { LostStretch, ManifestReader } from '../manifest/read/manifest-reader.ts';
import { snapshotPath } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { OpenLayers } from '../timeline/open-layers.ts';
import type { UnitTimeline } from '../timeline/point-in-time.ts';
import { UnitVersions } from './unit-versions.ts';

/** The snapshots of a unit that can be put together, with their manifests, to be closed. */
export interface OpenVersions {
  readonly versions: UnitVersions;
  /** In the order of `versions.snapshots`. */
  readonly readers: readonly ManifestReader[];
  readonly close: () => void;
}

/**
 * Opens the manifests of all snapshots up to `newest`, an id. One that is damaged, or encrypted for others than who asks, is left out with what builds on
 * it, and `versions.broken` says why. What is wrong inside of one goes to `onLost` when it is read. Throws why when none can be read.
 */
export async function openVersions(
  timeline: UnitTimeline,
  newest: string | undefined,
  repository: Repository,
  onLost: (lost: LostStretch) => void,
): Promise<OpenVersions> {
  const possible = UnitVersions.of(timeline.snapshots, newest);
  const records = possible.snapshots.map(({ record }) => record);
  const { byId, left, close } = await OpenLayers.openUsable(records, repository, onLost);
  try {
    const versions = await withoutUnread(possible, timeline, left, repository);
    return { versions, readers: versions.snapshots.map(({ id }) => byId.get(id) as ManifestReader), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** What is left of `possible` without those that could not be read, for the reasons given by their ids. Throws the first of these when nothing is. */
export async function withoutUnread(
  possible: UnitVersions,
  timeline: UnitTimeline,
  unread: ReadonlyMap<string, Failure>,
  repository: Repository,
): Promise<UnitVersions> {
  const [first] = unread.values();
  if (first === undefined) return possible;
  await requireKept(possible, unread, repository);
  const versions = UnitVersions.of(timeline.snapshots, possible.snapshots.at(-1)?.id, unread);
  if (versions.snapshots.length === 0) throw first;
  return versions;
}

/** What a prune deleted since its record was read is no damage: throws why it could not be had, and who asks looks again. */
async function requireKept({ snapshots }: UnitVersions, unread: ReadonlyMap<string, Failure>, repository: Repository): Promise<void> {
  for (const { id, record } of snapshots) {
    const failure = unread.get(id);
    if (failure?.code !== 'repository_damaged') continue;
    if ((await repository.objectSize(snapshotPath(record.unit, id))) === undefined) throw failure;
  }
}

/** Tells that an answer lacks something. */
export function tellLeftOut({ code, message, affected }: Failure, { notify }: Repository): void {
  notify({ level: 'warning', code, message, affected });
}

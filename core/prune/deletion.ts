import type { Failure } from '../failure.ts';
import { recoveryFolder, recoveryPath, snapshotPath } from '../repository/layout.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { namedObjects, unreferencedObjects } from '../repository/unreferenced.ts';
import { PruneIntent } from './intent.ts';
import { exclusiveObjects, type UnitRetention } from './unit-retention.ts';

/** What went besides the records. */
export interface Removed {
  readonly objects: number;
  /** What they took. */
  readonly bytes: number;
}

export interface Deletion extends Removed {
  /** Why nothing went of a unit, by its id: a record that nobody can read came to be since it was decided about. */
  readonly closed: ReadonlyMap<string, Failure>;
}

const pathOf = ({ unit, id }: SnapshotRecord): string => snapshotPath(unit, id);

/** What `deleteSnapshots` would remove, by the lengths that the records say, and what recovery data of that there is. */
export async function foreseeDeletion(decided: readonly UnitRetention[], repository: Repository): Promise<Removed> {
  let objects = 0;
  let bytes = 0;
  for (const { unit, doomed, kept } of decided) {
    if (doomed.length === 0) continue;
    const going = exclusiveObjects(doomed, kept);
    const recovery = new Set([...going.keys(), ...doomed.map(pathOf)].map(recoveryPath));
    const lengths = [...going.values()];
    for await (const { name, size } of repository.listObjects(`${recoveryFolder(unit)}/`)) if (recovery.has(name)) lengths.push(size);
    objects += lengths.length;
    bytes += lengths.reduce((sum, length) => sum + length, 0);
  }
  return { objects, bytes };
}

/**
 * Deletes snapshots in the only order that a crash cannot harm: records, manifests, packs that no record names any more. With
 * them goes what killed runs and prunes left behind. Killed at any point, or stopped by `step` throwing, the next call finishes it. The
 * caller keeps backups of the units away: what is being written is named by no record yet. Nothing goes of a unit of which a record cannot be used.
 */
export async function deleteSnapshots(
  decided: readonly UnitRetention[],
  repository: Repository,
  now: number,
  step: () => Promise<void>,
): Promise<Deletion> {
  const read = new Map(decided.flatMap(({ doomed, kept }) => [...doomed, ...kept].map((record) => [pathOf(record), record] as const)));
  const doomed = new Set(decided.flatMap((unit) => unit.doomed.map(pathOf)));
  const { named, closed } = await namedObjects(repository, { read, doomed });
  const units = decided.filter(({ unit }) => !closed.has(unit));
  const records = units.flatMap((unit) => unit.doomed.map(pathOf));
  const ids = units.map(({ unit }) => unit);
  const intent = new PruneIntent(repository.stateFolder);
  const toBeDeleted = new Set(intent.read());
  for (const { doomed, kept } of units) for (const object of exclusiveObjects(doomed, kept).keys()) toBeDeleted.add(object);
  if (toBeDeleted.size > 0) intent.write(toBeDeleted);
  for (const record of records) {
    await step();
    await repository.removeObject(record);
  }
  // Recovery data of a record that a killed prune had deleted goes when it is old.
  const going = new Set([...toBeDeleted, ...[...toBeDeleted, ...records].map(recoveryPath)]);
  let objects = 0;
  let bytes = 0;
  for await (const { name, size } of unreferencedObjects(repository, ids, named, now, going)) {
    await step();
    await repository.removeObject(name);
    objects++;
    bytes += size;
  }
  intent.clear();
  return { objects, bytes, closed };
}

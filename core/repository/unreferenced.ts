import { Failure } from '../failure.ts';
import type { ObjectInfo } from './backends/backend.ts';
import { recoveryPath, snapshotPath, unitFolder, unitPath } from './layout.ts';
import type { SnapshotRecord } from './record.ts';
import type { Repository } from './repository.ts';
import { SAFETY_AGE } from './safety-age.ts';

/** What is known of records before the objects that they name are looked for. */
interface KnownRecords {
  /** The records that were read before, by their paths. */
  readonly read: ReadonlyMap<string, SnapshotRecord>;
  /** The paths of those that are going to be deleted. */
  readonly doomed: ReadonlySet<string>;
}

const NOTHING_KNOWN: KnownRecords = { read: new Map(), doomed: new Set() };

/**
 * The paths of all objects of the server's units that a record that stays needs. All records are listed, so one that was committed
 * meanwhile counts, too; only those that were not read before are read. Throws `repository_damaged` when any record cannot be used, for
 * nobody knows what it names.
 */
export async function namedObjects(repository: Repository, known = NOTHING_KNOWN): Promise<ReadonlySet<string>> {
  const named = new Set<string>();
  for (const unit of await repository.units.ids()) {
    named.add(unitPath(unit));
    const { records, unusable } = await repository.readSnapshots(unit, known.read);
    const [first] = unusable;
    if (first !== undefined) {
      throw new Failure('repository_damaged', `nobody knows which objects ${first.path} needs: ${first.failure.message}`, {
        affected: unusable.map(({ path }) => path),
        advice: 'Restore the record from a copy, or remove it to give up that snapshot.',
        cause: first.failure,
      });
    }
    for (const record of records) {
      const path = snapshotPath(unit, record.id);
      if (known.doomed.has(path)) continue;
      for (const object of [path, record.manifest.path, ...record.packs.map((pack) => pack.path)])
        named.add(object).add(recoveryPath(object));
    }
  }
  return named;
}

/**
 * The objects of the given units that a killed run or prune left behind, manifests before packs: not `named`, and either
 * older than `SAFETY_AGE` at `now` (milliseconds since 1970) or `toBeDeleted`, so that no run can be about to name it.
 */
export async function* unreferencedObjects(
  repository: Repository,
  units: readonly string[],
  named: ReadonlySet<string>,
  now: number,
  toBeDeleted: ReadonlySet<string> = new Set(),
): AsyncIterable<ObjectInfo> {
  for (const unit of units) {
    const found: ObjectInfo[] = [];
    for await (const object of repository.listObjects(`${unitFolder(unit)}/`)) {
      const isOld = object.modified < now - SAFETY_AGE;
      if (!named.has(object.name) && (isOld || toBeDeleted.has(object.name))) found.push(object);
    }
    yield* found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

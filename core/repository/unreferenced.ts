import { asFailure, Failure } from '../failure.ts';
import type { ObjectInfo } from './backends/backend.ts';
import { recoveryPath, snapshotPath, unitFolder, unitPath } from './layout.ts';
import type { SnapshotRecord } from './record.ts';
import type { Repository, UnusableRecord } from './repository.ts';
import { SAFETY_AGE } from './safety-age.ts';

/** What is known of records before the objects that they name are looked for. */
interface KnownRecords {
  /** The records that were read before, by their paths. */
  readonly read: ReadonlyMap<string, SnapshotRecord>;
  /** The paths of those that are going to be deleted. */
  readonly doomed: ReadonlySet<string>;
}

const NOTHING_KNOWN: KnownRecords = { read: new Map(), doomed: new Set() };

/** What the records of a server's units say. */
export interface NamedObjects {
  /** The paths of all objects that a record which stays needs. */
  readonly named: ReadonlySet<string>;
  /** Why nothing of a unit may be deleted, by its id: nobody knows what a record of it needs. */
  readonly closed: ReadonlyMap<string, Failure>;
}

/**
 * What the records of all units of the server need. All are listed, so one that was committed meanwhile counts, too; only those that were not read before are
 * read. One that cannot be used closes its unit, as a record needs objects of its own unit alone. Where another one needs some of another unit, as no
 * program does so far, one that cannot be used could, too: then it closes all. Throws what keeps the units from being listed.
 */
export async function namedObjects(repository: Repository, known = NOTHING_KNOWN): Promise<NamedObjects> {
  const named = new Set<string>();
  const closed = new Map<string, Failure>();
  let isShared = false;
  const units = await repository.units.ids();
  for (const unit of units) {
    named.add(unitPath(unit));
    const records = await recordsOf(unit, repository, known, (failure) => closed.set(unit, failure));
    for (const record of records) {
      const path = snapshotPath(unit, record.id);
      isShared ||= record.packs.some((pack) => !pack.path.startsWith(`${unitFolder(unit)}/`));
      if (known.doomed.has(path)) continue;
      for (const object of [path, record.manifest.path, ...record.packs.map((pack) => pack.path)])
        named.add(object).add(recoveryPath(object));
    }
  }
  const [first] = closed.values();
  if (isShared && first !== undefined) for (const unit of units) if (!closed.has(unit)) closed.set(unit, first);
  return { named, closed };
}

async function recordsOf(
  unit: string,
  repository: Repository,
  known: KnownRecords,
  close: (failure: Failure) => void,
): Promise<readonly SnapshotRecord[]> {
  try {
    const { records, unusable } = await repository.readSnapshots(unit, known.read);
    if (unusable.length > 0) close(unreadable(unusable));
    return records;
  } catch (error) {
    close(asFailure(error));
    return [];
  }
}

/** Why nothing of a unit may be deleted that has records which cannot be used. */
export function unreadable(records: readonly UnusableRecord[]): Failure {
  const [{ path, failure }] = records as [UnusableRecord];
  return new Failure(failure.code, `nobody knows which objects ${path} needs: ${failure.message}`, {
    affected: records.map((record) => record.path),
    advice:
      '`apiscp-backup repair` heals it where there is recovery data. Else put the record back from a copy, or remove it to give up that snapshot.',
    retry: failure.retry,
    cause: failure,
  });
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

import { Failure } from '../failure.ts';
import type { ObjectInfo } from './backends/backend.ts';
import { snapshotPath, unitFolder, unitPath } from './layout.ts';
import type { Repository } from './repository.ts';
import { SAFETY_AGE } from './safety-age.ts';

/**
 * The objects of the server's units that a killed run or prune left behind: named by no record and older than `SAFETY_AGE`
 * at `now` (milliseconds since 1970). Throws when any record cannot be used, for nobody knows what it names.
 */
export async function* unreferencedObjects(repository: Repository, now: number): AsyncIterable<ObjectInfo> {
  const units = await repository.unitIds();
  const named = new Set<string>();
  for (const unit of units) {
    named.add(unitPath(unit));
    const { records, unusable } = await repository.readSnapshots(unit);
    const [first] = unusable;
    if (first !== undefined) {
      throw new Failure('repository_damaged', `nobody knows which objects ${first.path} needs: ${first.failure.message}`, {
        affected: unusable.map(({ path }) => path),
        cause: first.failure,
      });
    }
    for (const record of records) {
      named.add(snapshotPath(unit, record.id)).add(record.manifest.path);
      for (const pack of record.packs) named.add(pack.path);
    }
  }
  for (const unit of units) {
    for await (const object of repository.listObjects(`${unitFolder(unit)}/`)) {
      if (!named.has(object.name) && object.modified < now - SAFETY_AGE) yield object;
    }
  }
}

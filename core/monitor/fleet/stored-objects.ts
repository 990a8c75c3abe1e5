import { missingSnapshots, snapshotMissing } from '../../repository/history/missing.ts';
import { snapshotPath } from '../../repository/layout.ts';
import type { Repository } from '../../repository/repository.ts';
import type { NamedUnits } from './named-units.ts';

/**
 * Lists all objects of a server: what they take, in bytes. The newest snapshots that its runs name and that are not there, though it did not delete them,
 * are reported.
 */
export async function listStored(repository: Repository, units: NamedUnits): Promise<number> {
  const wanted = new Map<string, { readonly unit: string; readonly id: string }>();
  for (const { good } of units.all) {
    if (good?.snapshot == null || good.unit === null) continue;
    wanted.set(repository.nameOf(snapshotPath(good.unit, good.snapshot.id)), { unit: good.unit, id: good.snapshot.id });
  }
  let bytes = 0;
  for await (const { name, size } of repository.backend.list(repository.nameOf(''))) {
    bytes += size;
    wanted.delete(name);
  }
  for (const { unit, id } of wanted.values()) {
    const named = new Map([[unit, { id, run: '', sequence: 0 }]]);
    for (const missing of await missingSnapshots(unit, { records: [], unusable: [] }, repository, { named })) {
      repository.report(snapshotMissing(unit, missing));
    }
  }
  return bytes;
}

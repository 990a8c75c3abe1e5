import { asFailure, Failure } from '../failure.ts';
import { recoveryFolder, recoveryPath, snapshotPath } from '../repository/layout.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import { isWholeRecovery, readRecoveryAt } from '../repository/recovery/heal.ts';
import type { Repository } from '../repository/repository.ts';
import type { DamageList } from './damage-list.ts';

/**
 * Looks at the recovery data of a unit: that its heads can be used, that it is of the objects that `records` name, and, with `isThorough`, at all of it.
 * No snapshot suffers from what is wrong here.
 */
export async function checkRecovery(
  repository: Repository,
  unit: string,
  damages: DamageList,
  { records, isThorough }: { readonly records: readonly SnapshotRecord[]; readonly isThorough: boolean },
): Promise<void> {
  const digests = digestsOf(records, repository);
  for await (const { name: place } of repository.listObjects(`${recoveryFolder(unit)}/`)) {
    const name = repository.nameOf(place);
    try {
      const recovery = await readRecoveryAt(repository, place);
      // A prune may have removed it since it was listed.
      if (recovery === undefined) continue;
      const digest = digests.get(place);
      if (digest !== undefined && digest !== recovery.head.sha256)
        throw new Failure('repository_damaged', `${name} is of another object; \`repair\` makes it anew`, { affected: [name] });
      if (recovery.isSound && (!isThorough || (await isWholeRecovery(repository, place, recovery.head)))) continue;
      throw new Failure('repository_damaged', `${name} is damaged; \`repair\` makes it anew`, { affected: [name] });
    } catch (error) {
      const { code } = asFailure(error);
      if (code === 'cancelled' || code === 'internal') throw error;
      damages.add(name, error, []);
    }
  }
}

/** By the place of recovery data: the digest of the object that it has to be of. */
function digestsOf(records: readonly SnapshotRecord[], repository: Repository): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const record of records) {
    digests.set(recoveryPath(snapshotPath(record.unit, record.id)), repository.recordDigest(record));
    for (const { path, sha256 } of [record.manifest, ...record.packs]) digests.set(recoveryPath(path), sha256);
  }
  return digests;
}

import { asFailure, Failure } from '../failure.ts';
import { lastComponent } from '../manifest/paths.ts';
import { recoveryFolder, recoveryPath, snapshotPath } from '../repository/layout.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import { canBeProtected } from '../repository/recovery/geometry.ts';
import { isWholeRecovery, readRecoveryAt } from '../repository/recovery/heal.ts';
import type { Repository } from '../repository/repository.ts';
import type { DamageList } from './damage-list.ts';

/**
 * Looks at the recovery data of a unit: that what was stored is there, that its heads can be used, that it is of the objects that `records` name, and, with `isThorough`, at all of it.
 * No snapshot suffers from what is wrong here.
 */
export async function checkRecovery(
  repository: Repository,
  unit: string,
  damages: DamageList,
  { records, isThorough }: { readonly records: readonly SnapshotRecord[]; readonly isThorough: boolean },
): Promise<void> {
  const digests = digestsOf(records, repository);
  const listed = new Set<string>();
  for await (const { name: place } of repository.listObjects(`${recoveryFolder(unit)}/`)) {
    listed.add(place);
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
  await checkMissing(repository, records, listed, damages);
}

/**
 * Names what is gone. That there was recovery data is said by the bytes that a record counted; by the settings, that it is missed: without them somebody may
 * have removed it.
 */
async function checkMissing(
  repository: Repository,
  records: readonly SnapshotRecord[],
  listed: ReadonlySet<string>,
  damages: DamageList,
): Promise<void> {
  if (repository.recovery === undefined) return;
  for (const record of records) {
    const own = record.packs.filter(({ path }) => lastComponent(path).startsWith(record.id));
    const objects = [record.manifest, ...own];
    if (record.bytes.stored <= objects.reduce((sum, { length }) => sum + length, 0)) continue;
    for (const { path, length } of [{ path: snapshotPath(record.unit, record.id), length: 0 }, ...objects]) {
      if (!canBeProtected(length, repository.recovery)) continue;
      const place = recoveryPath(path);
      // Of an object that is being deleted it may be gone already, or that of one that was just stored may have come since.
      if (listed.has(place) || (await repository.objectSize(path)) === undefined || (await repository.objectSize(place)) !== undefined)
        continue;
      const name = repository.nameOf(place);
      damages.add(name, new Failure('repository_damaged', `${name} is missing; \`repair\` makes it anew`, { affected: [name] }), []);
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

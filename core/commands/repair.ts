import { findSubject } from '../browse/find-subject.ts';
import type { Context } from '../context/context.ts';
import { asFailure } from '../failure.ts';
import { type Lock, takeLock, waitForLock } from '../locks/locks.ts';
import { unitBackupLock } from '../locks/unit-locks.ts';
import { toldWaiting } from '../locks/waiting.ts';
import { readDeletions } from '../repository/history/deletions.ts';
import { unitNameOf } from '../repository/ids.ts';
import { noteDamaged } from '../repository/known-damage.ts';
import { REPOSITORY_FILE, unitFolder, unitPath } from '../repository/layout.ts';
import { mendObjects } from '../repository/mend-objects.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { mendRepositoryFile } from '../repository/repository-file.ts';
import { RunIndex } from '../repository/run-index.ts';
import type { RepairRequest, RepairResult } from '../schemas/repair.ts';
import { DamageList } from '../verify/damage-list.ts';
import { KeyReferences } from '../verify/key-references.ts';
import { type History, type Repaired, UnitRepair } from '../verify/repair.ts';
import { checkServer } from '../verify/server-check.ts';
import { VerificationWatch } from '../verify/watch.ts';
import { takeRetentionLock } from './hold.ts';

/**
 * Heals what is damaged of the backups of a unit, or of all, as far as there is recovery data or a copy of it, and says what cannot be healed. Needs no key. Nobody
 * writes or deletes there meanwhile. Throws `locked`, `unit_unknown`.
 */
export async function repair(request: RepairRequest, context: Context): Promise<RepairResult> {
  const { settings, reporter } = context;
  const isTrial = request.dryRun === true;
  const repository = await openRepository(settings, isTrial ? 'read' : 'free', (notice) => reporter.log(notice), { isRepair: true });
  const { unit } = request;
  if (unit === undefined) repository.expectAll();
  const ids = unit === undefined ? (await repository.units.ids()).sort() : [(await findSubject({ unit }, context)).unit.unit];
  const found: Repaired = { healed: [], lost: [], protected: [] };
  const watch = new VerificationWatch(context);
  watch.unitCount = ids.length;
  const locks: Lock[] = [];
  try {
    if (!isTrial) {
      const { stateDirectory } = settings;
      locks.push(await waitForLock(stateDirectory, 'backup', 'a repair', toldWaiting(context)));
      locks.push(takeRetentionLock(stateDirectory, 'a repair'));
      for (const name of new Set(ids.map(unitNameOf))) locks.push(takeLock(stateDirectory, unitBackupLock(name), 'a repair'));
    }
    await repairIdentity(repository, isTrial, found);
    const history = await repairServer(repository, isTrial, found);
    for (const id of ids) {
      watch.unit = unitNameOf(id);
      watch.unitNumber++;
      try {
        if (!(await repository.units.isEmpty(id))) await repairUnit(id, repository, history, watch, isTrial, found);
      } catch (error) {
        const { code, message } = asFailure(error);
        // What ends the repair of one unit ends that of no other.
        if (code !== 'repository_damaged' && code !== 'io_error') throw error;
        found.lost.push({ object: repository.nameOf(unitFolder(id)), code, message, snapshots: [] });
      }
    }
  } finally {
    for (const lock of locks) lock.release();
  }
  return {
    status: found.lost.length === 0 ? 'ok' : 'damaged',
    dryRun: isTrial,
    units: [...new Set(ids.map(unitNameOf))],
    objects: watch.objects,
    bytesRead: watch.bytesRead,
    ...found,
  };
}

async function repairIdentity({ place }: Repository, isTrial: boolean, found: Repaired): Promise<void> {
  if (place.problem === undefined) return;
  const { failure, from } = place.problem;
  if (isTrial || (await mendRepositoryFile(place))) found.healed.push({ object: REPOSITORY_FILE, from });
  else found.lost.push({ object: REPOSITORY_FILE, code: failure.code, message: failure.message, snapshots: [] });
}

/** What the server's folder has besides its units: by the copies in the state directory. The rest that is damaged is said to be. Returns what there should be. */
async function repairServer(repository: Repository, isTrial: boolean, found: Repaired): Promise<History> {
  const mended = repository.isOwn ? await mendObjects(repository, 'all', isTrial) : [];
  found.healed.push(...mended.map((object) => ({ object, from: 'state-directory' as const })));
  const damages = new DamageList();
  const keys = new KeyReferences();
  // What of these cannot be read is among the damages.
  const history = { runs: await RunIndex.read(repository, Date.now()), deletions: await readDeletions(repository, () => {}) };
  await checkServer(repository, history, keys, damages);
  for (const id of await repository.units.ids()) {
    if (await repository.units.isEmpty(id)) continue;
    await repository.units.read(id).catch((error) => damages.add(repository.nameOf(unitPath(id)), error, []));
  }
  for (const { object, code, message, snapshots } of await damages.ofSnapshots(async () => true)) {
    const isHealed = found.healed.some((each) => each.object === object) || found.lost.some((each) => each.object === object);
    if (!isHealed) found.lost.push({ object, code, message, snapshots: [...snapshots] });
  }
  return history;
}

/** What is healed the next backup may build on again. */
async function repairUnit(
  id: string,
  repository: Repository,
  history: History,
  watch: VerificationWatch,
  isTrial: boolean,
  found: Repaired,
): Promise<void> {
  const before = found.lost.length;
  await new UnitRepair(repository, history, watch, isTrial, found).repair(id);
  if (isTrial || !repository.isOwn) return;
  const snapshots = found.lost.slice(before).flatMap((lost) => lost.snapshots);
  noteDamaged(repository.stateFolder, id, snapshots, 'instead');
}

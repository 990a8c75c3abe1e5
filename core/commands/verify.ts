import { doubtsResult } from '../browse/doubts.ts';
import { findSubject } from '../browse/find-subject.ts';
import { identitySource } from '../browse/find-unit.ts';
import type { Context } from '../context/context.ts';
import { asFailure, Failure } from '../failure.ts';
import { unitDocument } from '../repository/documents.ts';
import { type FoundDeletions, readDeletions } from '../repository/history/deletions.ts';
import { isTimedId, unitNameOf } from '../repository/ids.ts';
import { noteDamaged } from '../repository/known-damage.ts';
import { serverFolder, snapshotPath, unitPath } from '../repository/layout.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { RunIndex } from '../repository/run-index.ts';
import type { Damage, VerifyRequest, VerifyResult } from '../schemas/verify.ts';
import { DamageList } from '../verify/damage-list.ts';
import { KeyReferences } from '../verify/key-references.ts';
import { checkRecovery } from '../verify/recovery-check.ts';
import { requireSomeKey } from '../verify/require-key.ts';
import { checkSealed } from '../verify/sealed-check.ts';
import { checkServer } from '../verify/server-check.ts';
import { type CheckScope, type KnownHistory, UnitCheck } from '../verify/unit-check.ts';
import { noteVerified } from '../verify/verified-units.ts';
import { VerificationWatch } from '../verify/watch.ts';

/**
 * Reads everything that the snapshots of a unit and of those that are joined to it, or of all incarnations of all units, need: each record,
 * manifest and pack once, down to the content of every file. Damage does not stop it and is in the result; `cancelled` when it was stopped.
 */
export async function verify(request: VerifyRequest, context: Context): Promise<VerifyResult> {
  const { repository, ids } = await unitsToVerify(request, context);
  const scope = scopeOf(request);
  const runs = await RunIndex.read(repository, context.now().getTime());
  // What of these cannot be read is among the damages.
  const history = { runs, deletions: await readDeletions(repository, () => {}) };
  // Whose backups others lost is no owner’s business.
  if (request.policy !== 'owner') tellAccepted(history.deletions, repository);
  const keys = new KeyReferences();
  if (scope === 'all' || repository.keys.isGiven) await requireSomeKey(repository, ids);
  const damages: Damage[] = request.policy === 'owner' ? [] : await damagesOfServer(repository, history, keys);
  if (request.unit !== undefined && request.policy !== 'owner') damages.push(...unreadNotes(repository, damages));
  const watch = new VerificationWatch(context);
  const names = new Set<string>();
  const unread: Failure[] = [];
  watch.unitCount = ids.length;
  for (const id of ids) {
    watch.unit = unitNameOf(id);
    watch.unitNumber++;
    // A run was killed before it said which account this is, and stored nothing.
    if (await repository.units.isEmpty(id)) continue;
    names.add(watch.unit);
    const { found, failures, strange } = await checkUnit(id, repository, watch, { scope, history, keys });
    damages.push(...found);
    unread.push(...failures, ...strange);
    const check = {
      time: context.now().toISOString(),
      isDamaged: found.length > 0,
      isWhole: scope === 'all' && failures.length === 0,
    };
    if (repository.isOwn && request.quick !== true) noteVerified(repository.stateFolder, id, check);
  }
  const named = new Set(damages.map(({ object }) => object));
  damages.push(...(await missingKeys(repository, keys)).filter(({ object }) => !named.has(object)));
  const { snapshots, objects, entries, bytesRead } = watch;
  // Names of files are not told to an owner, who may not be meant to know of all: how many there are is enough.
  const list = request.policy === 'owner' ? damages.map((damage) => ({ ...damage, files: [] })) : damages;
  const { status, ...doubts } = doubtsResult(unread);
  const counts = { units: [...names], snapshots, objects, entries, bytesRead };
  return { status: list.length === 0 ? status : 'damaged', ...counts, damages: list, ...doubts };
}

function scopeOf({ quick, sample }: VerifyRequest): CheckScope {
  if (quick === true && sample !== undefined) throw new Failure('usage', 'a check is either quick or of a sample');
  if (quick === true) return 'quick';
  return sample === undefined ? 'all' : { percent: sample };
}

/** What is gone, and whoever reads this need not look for any more. */
function tellAccepted({ accepted }: FoundDeletions, { notify, server }: Repository): void {
  for (const { time, runs, snapshots } of accepted) {
    const message = `${snapshots.length} snapshots and ${runs.length} records of runs are missing, which was accepted at ${time}: ${[...snapshots.map(({ id }) => id), ...runs].slice(0, 10).join(', ')}`;
    notify({ level: 'info', code: 'history_accepted', message, affected: [server] });
  }
}

/** What is wrong with what is said of the server itself. */
async function damagesOfServer(repository: Repository, history: KnownHistory, keys: KeyReferences): Promise<Damage[]> {
  const damages = new DamageList();
  await checkServer(repository, history, keys, damages);
  return damages.ofSnapshots(async () => true);
}

/** Notes that could not be read when it was asked what belongs to a unit, besides what is known. */
function unreadNotes(repository: Repository, known: readonly Damage[]): Damage[] {
  const objects = new Set(known.map(({ object }) => object));
  const unread = repository.units.unreadNotes.map(({ code, message, affected }) => ({ code, message, object: affected[0] ?? message }));
  return unread.filter(({ object }) => !objects.has(object)).map((note) => ({ ...note, snapshots: [], files: [], fileCount: 0 }));
}

async function missingKeys(repository: Repository, keys: KeyReferences): Promise<Damage[]> {
  const damages = new DamageList();
  await keys.check(repository, damages);
  return damages.ofSnapshots(async () => true);
}

/** What is wrong with a unit, why contents were not read, and what has a name that nobody here knows. What ends its check is among the first, and does not end that of the others. */
async function checkUnit(
  unit: string,
  repository: Repository,
  watch: VerificationWatch,
  { scope, history, keys }: { readonly scope: CheckScope; readonly history: KnownHistory; readonly keys: KeyReferences },
): Promise<{ readonly found: readonly Damage[]; readonly failures: readonly Failure[]; readonly strange: readonly Failure[] }> {
  const damages = new DamageList();
  const check = new UnitCheck(repository, damages, watch, scope);
  const place = `${serverFolder(repository.server)}/${unitPath(unit)}`;
  try {
    const identity = await repository.units.read(unit);
    keys.add(identity);
    await checkSealed(unitDocument, place, identity, repository);
  } catch (error) {
    damages.add(place, error, []);
  }
  try {
    const records = await check.check(unit, history, keys);
    await checkRecovery(repository, unit, damages, { records, isThorough: scope === 'all' });
  } catch (error) {
    if (asFailure(error).code === 'cancelled') throw error;
    damages.add(place, error, []);
  }
  // A prune may have worked beside: what it deleted is gone, and not damaged.
  const found = await damages.ofSnapshots(
    async (snapshot) => !isTimedId(snapshot) || (await repository.objectSize(snapshotPath(unit, snapshot))) !== undefined,
  );
  const snapshots = found.flatMap((damage) => damage.snapshots).filter(isTimedId);
  if (repository.isOwn)
    noteDamaged(repository.stateFolder, unit, snapshots, scope === 'all' && check.unread.length === 0 ? 'instead' : 'besides');
  return { found, failures: check.unread, strange: check.strange };
}

/** The ids of the units to check, and the folder that they are in. */
async function unitsToVerify(request: VerifyRequest, context: Context): Promise<{ repository: Repository; ids: string[] }> {
  const { unit, server } = request;
  if (unit !== undefined) {
    const found = await findSubject({ ...request, unit }, context);
    return { repository: found.repository, ids: [...found.repository.units.joinedTo(found.unit), found.unit.unit] };
  }
  const repository = await openRepository(context.settings, 'read', (notice) => context.reporter.log(notice), {
    server,
    identity: await identitySource(request, context),
  });
  repository.expectAll();
  return { repository, ids: (await repository.units.ids()).sort() };
}

import { doubtsResult } from '../browse/doubts.ts';
import { findSubject } from '../browse/find-subject.ts';
import { limitsOf } from '../config/limits.ts';
import type { Context } from '../context/context.ts';
import { DATABASES, VIRTUAL_FOLDERS } from '../databases/virtual-paths.ts';
import { asFailure, Failure } from '../failure.ts';
import { keepMemorySmall } from '../linux/allocator.ts';
import { lockForRestore } from '../locks/unit-locks.ts';
import type { ByteString } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';
import { fromTreePath, fromWirePath, toWirePath } from '../manifest/wire-path.ts';
import type { AccountUsers } from '../panel/account-users.ts';
import { pathBytes } from '../panel/unit.ts';
import { findLivingUnit, requireLivingUnit } from '../panel/units.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { isUnitId } from '../repository/ids.ts';
import { noteDamaged } from '../repository/known-damage.ts';
import { type SnapshotRecord, treesOf } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { Outcome } from '../restore/outcome.ts';
import { isOwnersPath } from '../restore/owner/owner-gate.ts';
import type { OwnerMap } from '../restore/owner/owner-map.ts';
import { openView } from '../restore/plan/manifest-files.ts';
import { restoreTree } from '../restore/restore.ts';
import type { RestoreRequest, RestoreResult } from '../schemas/restore.ts';
import type { RestoreDatabaseRequest } from '../schemas/restore-database.ts';
import { ChainManifests } from '../targets/chain-manifests.ts';
import { chainPacks } from '../targets/chain-packs.ts';
import { administratorOf, mapOwners } from '../targets/map-owners.ts';
import { refuseDeletionAround } from '../targets/own-places.ts';
import { ownersPaths, rightsOf, usersOfAccount } from '../targets/owner-restore.ts';
import { openOwnerTarget } from '../targets/owner-target.ts';
import { openFolderTarget, openOriginalTarget, type RestoreTarget } from '../targets/restore-target.ts';
import { ALL_EXCLUDED, excludeOfUnit, excludeThen, usableRules } from '../timeline/exclude-rules.ts';
import { certain, doubtsOfRestored, type RestorePoint, UnitTimeline } from '../timeline/point-in-time.ts';
import { isCurrent, isOfAnother } from '../timeline/resolve-unit.ts';

/**
 * Gives a unit, or some of its paths, back as it was at one snapshot, on request with its databases. What could not be restored is
 * in the result, whose status is then `partial`.
 */
export async function restore(request: RestoreRequest, context: Context): Promise<RestoreResult> {
  if (request.withDatabases !== true) return await restoreFiles(request, context);
  if (request.to !== undefined || (request.paths ?? []).length > 0) {
    throw new Failure('usage', 'databases are restored with a whole account in its place', {
      advice: 'For some of them there is `apiscp-backup restore-database`.',
    });
  }
  const files = await restoreFiles(request, context);
  const { unit, server, earlier, identity, passphraseFile, policy, dryRun } = request;
  const given = { unit, server, earlier, identity, passphraseFile, policy, dryRun };
  const same = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as typeof given & { unit: string };
  // Its drivers take a tenth of a second to load, which a restore of files does without.
  const { restoreDatabase } = await import('./restore-database.ts');
  try {
    const asked = { ...same, at: files.snapshot, all: true } as RestoreDatabaseRequest;
    const { status, databases, settled, notes } = await restoreDatabase(asked, context);
    const settling = settled.map(({ database, kept }) => {
      const where = kept === null ? '' : `; the tables of that restore are kept as ${kept}`;
      return `${database} was put back first as it was before a restore that had died${where}`;
    });
    const said = [...settling, ...notes];
    const databaseNotes = said.length === 0 ? {} : { databaseNotes: said };
    return { ...files, status: files.status === status ? status : 'partial', databases, ...databaseNotes };
  } catch (error) {
    const { code, message, affected } = asFailure(error);
    if (code === 'cancelled' || code === 'internal') throw error;
    // The files are back: whoever asked hears of both.
    context.reporter.log({ level: 'error', code, message: `no database was restored: ${message}`, affected });
    return { ...files, status: 'partial', databases: [], databaseError: { code, message } };
  }
}

async function restoreFiles(request: RestoreRequest, context: Context): Promise<RestoreResult> {
  checkOnto(request);
  if (process.geteuid?.() !== 0) throw new Failure('not_root', 'a restore sets owners and needs root');
  const { repository, unit, users } = await findSubject(request, context);
  const isPresent = (each: UnitIdentity): boolean => each.name === unit.name && isCurrent(each, repository, context);
  const hasOwnBackups = (await repository.units.all(unit.name)).some(isPresent);
  const task = async (): Promise<Task> => {
    const point = certain(await (await UnitTimeline.read(unit, repository)).resolve(request.at, context.now()));
    return { request, unit, users, point, hasOwnBackups };
  };
  if (request.dryRun === true) return restoreFrom(await task(), repository, context);
  // Before snapshots are looked for: none of them goes from now on.
  const locks = await lockForRestore(unit.name, request, repository, context);
  keepMemorySmall();
  try {
    return await restoreFrom(await task(), repository, context);
  } finally {
    for (const lock of locks) lock.release();
  }
}

/** Throws `usage` and `owner_not_allowed` for what does not go together. */
function checkOnto({ onto, to, delete: deletion, recreate, withDatabases, policy, mapUsers = [], mapGroups = [] }: RestoreRequest): void {
  if (policy === 'owner' && (onto !== undefined || mapUsers.length + mapGroups.length > 0)) {
    throw new Failure('owner_not_allowed', 'whose files are whose is no owner’s to say');
  }
  if (onto === undefined) return;
  const others = Object.entries({ to, delete: deletion, recreate, withDatabases }).filter(
    ([, value]) => value !== undefined && value !== false,
  );
  if (others.length > 0) {
    const names = others.map(([name]) => name).join(', ');
    throw new Failure('usage', `a restore onto another account takes none of these: ${names}`, {
      affected: [onto],
      advice: 'What the account has besides stays. For its databases there is `apiscp-backup restore-database … --onto`.',
    });
  }
}

/** What a request turned out to mean. */
interface Task {
  readonly request: RestoreRequest;
  readonly unit: UnitIdentity;
  /** Of an owner's request. */
  readonly users: AccountUsers | undefined;
  readonly point: RestorePoint;
  /** Whether the living account of the name has backups of its own. */
  readonly hasOwnBackups: boolean;
}

async function openTarget({ request, unit, users, hasOwnBackups }: Task, repository: Repository, context: Context): Promise<RestoreTarget> {
  const { settings } = context;
  const make = request.dryRun !== true;
  if (request.to !== undefined) {
    const folder = fromWirePath(request.to);
    return users === undefined
      ? openFolderTarget(folder, settings, make, context.reporter)
      : openOwnerTarget(folder, unit.name, users, context, make);
  }
  if (request.onto !== undefined) {
    requireLivingUnit(settings, request.onto);
    return openOriginalTarget(request.onto, settings, make);
  }
  const isEarlier = repository.isOwn && !isCurrent(unit, repository, context) && (isUnitId(request.unit) || hasOwnBackups);
  if (isEarlier || (await isOfAnother(unit, repository, context))) {
    throw new Failure('usage', `${request.unit} is not the ${unit.name} that lives now, so it cannot be restored in place`, {
      affected: [request.unit],
      advice: 'Restore it to a folder. If it is the same customer’s, run `apiscp-backup join` first.',
    });
  }
  if (unit.name !== 'system' && request.recreate !== true && findLivingUnit(settings, unit.name) === undefined) {
    throw new Failure(
      'unit_unknown',
      `there is no account ${unit.name} on this server, and a restore in place would make its folder anew`,
      {
        affected: [unit.name],
        advice: 'Restore it to a folder with --to, or add --recreate.',
      },
    );
  }
  return openOriginalTarget(unit.name, settings, make);
}

/** What of the snapshot has no place where a request restores to; undefined: everything has one. */
function passedOver({ to, onto }: RestoreRequest): ((path: ByteString) => boolean) | undefined {
  if (to !== undefined) return undefined;
  // What the panel keeps of an account says how that one is set up, and with which ids.
  return onto === undefined ? (path) => VIRTUAL_FOLDERS.has(topOf(path)) : (path) => !isOwnersPath(path);
}

function topOf(path: ByteString): ByteString {
  const slash = path.indexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
}

/** Who gets what belonged to whom in the snapshot; undefined: its ids are those of this server. */
async function ownersFor(
  { request, unit, point }: Task,
  opened: ChainManifests,
  repository: Repository,
  { settings }: Context,
): Promise<OwnerMap | undefined> {
  const { onto, to, mapUsers = [], mapGroups = [] } = request;
  if (onto === undefined && mapUsers.length === 0 && mapGroups.length === 0) return undefined;
  const snapshot = { view: openView(opened.all, { trees: treesOf(point.chain) }), packs: chainPacks(point.chain, repository) };
  const inAccount = to === undefined && unit.name !== 'system';
  return mapOwners({ onto, inAccount, mapUsers, mapGroups, administrator: await administratorOf(unit, repository) }, snapshot, settings);
}

/** The folders below which a restore deletes what the snapshot does not have. */
function deletedIn({ request, unit, point }: Task, target: RestoreTarget, { settings }: Context): ByteString[] {
  if (request.to !== undefined) return [target.description];
  const folder = unit.name === 'system' ? settings.systemRoot : `${settings.accountsRoot}/${unit.name}`;
  const roots = (point.chain.at(-1) as SnapshotRecord).roots;
  return roots.map(({ name }) => `${pathBytes(folder).replace(/\/$/, '')}/${name}`);
}

async function restoreFrom(task: Task, repository: Repository, context: Context): Promise<RestoreResult> {
  const { request, unit, users, point } = task;
  const { chain } = point;
  const opened = new ChainManifests();
  let target: RestoreTarget | undefined;
  try {
    await repository.keys.requireReadable(chain.flatMap(({ manifest, packs }) => [manifest, ...packs]));
    await opened.open(chain, repository);
    const paths = chosenPaths(request);
    target = await openTarget(task, repository, context);
    const then = excludeThen(chain.at(-1) as SnapshotRecord);
    if (request.delete === true) refuseDeletionAround(deletedIn(task, target, context), context.settings);
    const outcome = await restoreTree({
      manifests: opened.all,
      trees: treesOf(chain),
      onSpare: opened.onSpare,
      packs: chainPacks(chain, repository),
      roots: target.roots,
      layers: target.layers,
      paths: users === undefined && request.onto === undefined ? paths : ownersPaths(paths),
      isPassedOver: passedOver(request),
      owners: await ownersFor(task, opened, repository, context),
      owner: users === undefined ? undefined : rightsOf(users, request.to !== undefined),
      accountUsers: users === undefined ? usersOfAccount(request.onto ?? unit.name, context.settings) : undefined,
      overwrite: request.overwrite ?? 'always',
      deletion: request.delete === true,
      exclude: usableRules(
        excludeOfUnit(request.onto ?? unit.name, context.settings),
        ALL_EXCLUDED,
        'nothing is deleted, because it is not known what backups exclude',
        context,
      ),
      excludeThen:
        then === undefined
          ? undefined
          : usableRules(then, ALL_EXCLUDED, 'nothing is deleted, because it is not known what was excluded then', {
              reporter: context.reporter,
            }),
      dryRun: request.dryRun === true,
      ignoreSpace: request.spaceCheck === false,
      room: request.room,
      workers: limitsOf(context.settings).workers,
      signal: context.signal,
      progress: (done) => context.reporter.progress({ phase: 'restore', unit: unit.name, ...done }),
    });
    noteDamage(task, outcome, repository);
    return resultOf(task, repository, target.description, outcome, context);
  } finally {
    target?.close();
    opened.close();
  }
}

const DAMAGE: ReadonlySet<string> = new Set(['repository_damaged', 'digest_mismatch']);

/** What a restore finds to be damaged the next backup must not build on: it stores it anew. */
function noteDamage({ unit, point: { chain } }: Task, { problems }: Outcome, { isOwn, stateFolder }: Repository): void {
  if (!isOwn || !problems.first.some(({ code }) => DAMAGE.has(code))) return;
  const ids = chain.filter((record) => record.unit === unit.unit).map(({ id }) => id);
  noteDamaged(stateFolder, unit.unit, ids, 'besides');
}

/**
 * Throws `usage` for a slash alone, which is what is left of `"$folder/"` when the variable is not set, and for databases, whose dumps have no
 * place in an account.
 */
function chosenPaths({ paths: given = [], to }: RestoreRequest): ByteString[] {
  const paths = given.map(fromTreePath);
  const dumps = to === undefined ? paths.filter((path) => isWithin(path, DATABASES)) : [];
  if (dumps.length > 0) {
    throw new Failure('usage', 'dumps of databases have no place in an account', {
      affected: dumps.map((path) => toWirePath(path).path),
      advice: 'Restore them to a folder with --to; `apiscp-backup restore-database` brings a database back into its server.',
    });
  }
  if (!paths.includes('')) return paths;
  throw new Failure('usage', 'a single slash is not a path in a backup', {
    affected: ['/'],
    advice: 'For everything, omit the paths; a path looks like shadow/var/www.',
  });
}

function resultOf(
  { request, unit, point }: Task,
  repository: Repository,
  target: ByteString,
  outcome: Outcome,
  context: Context,
): RestoreResult {
  const { moment, chain } = point;
  const { id, time } = chain.at(-1) as SnapshotRecord;
  const doubts = doubtsResult(doubtsOfRestored(point));
  const { problems, overwrites, deletions, packs, ...counts } = outcome;
  const plan = {
    snapshots: chain.map((record) => record.id),
    packs: [...packs],
    overwriteCount: overwrites.count,
    overwrite: overwrites.first.map(toWirePath),
    delete: deletions.first.map(toWirePath),
  };
  return {
    ...counts,
    status: outcome.status === 'ok' ? doubts.status : outcome.status,
    unit: unit.name,
    unitId: unit.unit,
    current: isCurrent(unit, repository, context),
    moment,
    snapshot: id,
    time,
    target: toWirePath(target).path,
    dryRun: request.dryRun === true,
    ...(request.dryRun === true ? { plan } : {}),
    warnings: [...doubts.warnings, ...problems.first.map(({ code, message, path }) => ({ code, message, ...toWirePath(path) }))],
    warningCount: doubts.warningCount + problems.count,
  };
}

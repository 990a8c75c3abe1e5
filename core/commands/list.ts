import { findSubject } from '../browse/find-subject.ts';
import { type FoundUnit, identitySource } from '../browse/find-unit.ts';
import type { Context } from '../context/context.ts';
import { asFailure, Failure } from '../failure.ts';
import { findLivingUnit } from '../panel/units.ts';
import { missingSnapshots, missingUnits, runMissing, snapshotMissing } from '../repository/history/missing.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { isUnitId, unitNameOf } from '../repository/ids.ts';
import { describeServer, readServers } from '../repository/known-servers.ts';
import { runPath, snapshotPath, unitFolder, unitPath } from '../repository/layout.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { RunIndex } from '../repository/run-index.ts';
import type { ListRequest, ListResult, SnapshotSummary } from '../schemas/list.ts';
import { isCurrent } from '../timeline/resolve-unit.ts';
import { findObstacles } from '../verify/obstacles.ts';

/** The restore points of one unit, or of all units of a server, oldest first. */
export async function list(request: ListRequest, context: Context): Promise<ListResult> {
  const snapshots: SnapshotSummary[] = [];
  const unusable = new Map<string, ListResult['unusable'][number]>();
  const logs = new Map<Repository, Promise<RunIndex>>();
  const key = new KeyTrial();
  const { units, all, refusal } = await unitsToList(request, context);
  if (request.domain !== undefined && units.length === 0) throw noSuchDomain(request.domain);
  const tellMissing = (repository: Repository, unit: string, missing: string): void => {
    const failure = snapshotMissing(unit, missing);
    repository.report(failure);
    const object = repository.nameOf(snapshotPath(unit, missing));
    unusable.set(object, { object, unitId: unit, code: failure.code, message: failure.message });
  };
  if (all !== undefined) {
    const runs = RunIndex.read(all, context.now().getTime());
    logs.set(all, runs);
    const newest = await all.runs.missing();
    if (newest !== undefined) {
      const { code, message } = runMissing(newest.id);
      const object = all.nameOf(runPath(newest.id));
      unusable.set(object, { object, unitId: null, code, message });
    }
    const named = request.incarnation ?? request.unit;
    const isMeant = (id: string) => named === undefined || id === named || unitNameOf(id) === named;
    for (const { unit, snapshot } of await missingUnits(all, await runs, { isMeant })) tellMissing(all, unit, snapshot);
    for (const [unit, { code, message }] of all.units.leftOut) {
      const object = all.nameOf(unitPath(unit));
      if (isMeant(unit)) unusable.set(object, { object, unitId: unit, code, message });
    }
    if (units.length === 0 && unusable.size === 0 && refusal !== undefined) throw refusal;
  }
  if (request.policy !== 'owner') {
    for (const repository of new Set([...units.map((each) => each.repository), ...(all === undefined ? [] : [all])])) {
      for (const { code, message, affected } of repository.units.unreadNotes)
        unusable.set(affected[0] ?? message, { object: affected[0] ?? '', unitId: null, code, message });
    }
  }
  for (const { repository, unit } of units) {
    const current = isCurrent(unit, repository, context);
    for (const id of [...repository.units.joinedTo(unit), unit.unit]) {
      const read = await repository.readSnapshots(id).catch((error) => {
        const { code, message } = asFailure(error);
        // One unit that cannot be listed keeps nobody from the others.
        if (code !== 'repository_damaged') throw error;
        repository.report(error);
        const object = repository.nameOf(unitFolder(id));
        unusable.set(object, { object, unitId: id, code, message });
        return undefined;
      });
      if (read === undefined) continue;
      const { records, unusable: damaged } = read;
      await key.tryOn(records, repository);
      const runs = logs.get(repository) ?? RunIndex.read(repository, context.now().getTime());
      logs.set(repository, runs);
      const gone = await missingSnapshots(id, { records, unusable: damaged }, repository, await runs);
      for (const missing of gone) tellMissing(repository, id, missing);
      for (const { path, failure } of damaged) {
        repository.report(failure);
        unusable.set(path, { object: repository.nameOf(path), unitId: id, code: failure.code, message: failure.message });
      }
      const obstacles = await findObstacles(id, records, repository);
      const domainAt = await domainsThen(
        id === unit.unit ? unit : (await repository.units.known()).find((each) => each.unit === id),
        repository,
      );
      for (const record of records)
        snapshots.push(summarize(record, { current, domain: domainAt(record), obstacle: obstacles.get(record.id) }));
    }
  }
  key.requireUse();
  for (const runs of logs.values()) (await runs).save();
  return {
    status: unusable.size === 0 ? 'ok' : 'damaged',
    snapshots: onceEach(snapshots).sort((a, b) => (a.id < b.id ? -1 : 1)),
    unusable: [...unusable.values()],
  };
}

/** Whether a key that somebody gave opens anything of what is listed: without it no domains are shown, which must not look as if there were none. */
class KeyTrial {
  #obstacle: Failure | undefined;
  #isOfUse = false;

  async tryOn(records: readonly SnapshotRecord[], { keys }: Repository): Promise<void> {
    if (!keys.isGiven) return;
    for (const { manifest } of records) {
      if (this.#isOfUse) return;
      const obstacle = await keys.obstacle([manifest]);
      if (obstacle === undefined) this.#isOfUse = true;
      this.#obstacle ??= obstacle;
    }
  }

  /** Throws `identity_wrong` when it opens nothing. */
  requireUse(): void {
    if (!this.#isOfUse && this.#obstacle !== undefined) throw this.#obstacle;
  }
}

/** What was joined is listed with the one that has it, and is that one's. */
function onceEach(snapshots: readonly SnapshotSummary[]): SnapshotSummary[] {
  const chosen = new Map<string, SnapshotSummary>();
  for (const snapshot of snapshots) if (snapshot.current || !chosen.has(snapshot.id)) chosen.set(snapshot.id, snapshot);
  return [...chosen.values()];
}

/** What is to be listed; `all` where what is gone of the server, or of all accounts of a name, is told as well. */
interface UnitsToList {
  readonly units: readonly FoundUnit[];
  readonly all?: Repository;
  /** Why there is nothing to list, unless something is gone. */
  readonly refusal?: Failure;
}

async function unitsToList(request: ListRequest, context: Context): Promise<UnitsToList> {
  const { unit, incarnation, domain, server, earlier, policy } = request;
  const named = incarnation ?? unit;
  if (policy === 'owner' && (named === undefined || domain !== undefined || earlier === true)) {
    throw new Failure('usage', 'an owner’s request has to name the account');
  }
  if (named !== undefined && domain !== undefined) throw new Failure('usage', 'a unit and a domain are two things');
  if (named !== undefined && earlier !== true) return unitNamed(named, request, context);
  const repository = await openRepository(context.settings, 'read', (notice) => context.reporter.log(notice), {
    server,
    identity: await identitySource(request, context),
  });
  if (unit === undefined) repository.expectAll();
  if (domain !== undefined)
    return { units: (await unitsWithDomain(domain, repository, context)).map((each) => ({ repository, unit: each })) };
  if (server === undefined) await notifyOthers(repository);
  const units = await repository.units.all(unit);
  return { units: units.map((each) => ({ repository, unit: each })), all: repository };
}

/** The unit of this name; none when it lives on the server and was not backed up yet. Whose backups were taken away is no owner's to know. */
async function unitNamed(unit: string, request: ListRequest, context: Context): Promise<UnitsToList> {
  const { server, policy, identity, passphraseFile } = request;
  const others = (repository: Repository) => (policy === 'owner' ? {} : { all: repository });
  try {
    const found = await findSubject({ unit, server, policy, identity, passphraseFile }, context);
    if (!isReplaced(found, unit, context)) return { units: [found], ...others(found.repository) };
    const message = `${unit} was made anew and has no backups yet; those of earlier accounts are listed with --earlier`;
    context.reporter.log({ level: 'warning', code: 'unit_earlier', message, affected: [unit] });
    return { units: [], ...others(found.repository) };
  } catch (error) {
    const refusal = asFailure(error);
    if (refusal.code !== 'unit_unknown') throw error;
    const isLiving = server === undefined && findLivingUnit(context.settings, unit) !== undefined;
    if (policy === 'owner' && isLiving) return { units: [] };
    if (policy === 'owner') throw error;
    const all = await openRepository(context.settings, 'read', () => {}, { server });
    return isLiving ? { units: [], all } : { units: [], all, refusal };
  }
}

/** Whether a name was found to mean what an earlier account left, which is not the living one's. */
function isReplaced({ repository, unit }: FoundUnit, name: string, context: Context): boolean {
  const isLiving = repository.isOwn && !isUnitId(name) && findLivingUnit(context.settings, name) !== undefined;
  return isLiving && !isCurrent(unit, repository, context);
}

/** Whoever looks for what a lost server had must not take this server's list for everything. */
async function notifyOthers({ place, server, isOwn, notify }: Repository): Promise<void> {
  if (!isOwn) return;
  const others = (await readServers({ ...place, notify: () => {} })).filter((other) => other.identity.server !== server);
  if (others.length === 0) return;
  const message = `there are also backups of other servers; name one with --server: ${others.map(describeServer).join(', ')}`;
  notify({ level: 'info', code: 'server_others', message });
}

/** The domain that the account of a unit had when a snapshot was taken; null where nobody can tell. */
async function domainsThen(unit: UnitIdentity | undefined, repository: Repository): Promise<(record: SnapshotRecord) => string | null> {
  const held = unit === undefined ? [] : await repository.units.domainsOf(unit).catch(() => []);
  return ({ finished }) => (held.findLast(({ since }) => since <= finished) ?? held[0])?.domain ?? null;
}

function noSuchDomain(domain: string): Failure {
  return new Failure('unit_unknown', `no account with backups has or had the domain ${domain}, as far as this server can read`, {
    affected: [domain],
    advice: 'See `apiscp-backup list`: it names the domains that are known, those of encrypted backups with --identity FILE.',
  });
}

/** The units whose account has or had a domain, as far as it can be read here. */
async function unitsWithDomain(domain: string, repository: Repository, context: Context): Promise<UnitIdentity[]> {
  const wanted = domain.toLowerCase();
  const found: UnitIdentity[] = [];
  for (const unit of await repository.units.known()) {
    const held = await repository.units.domainsOf(unit).catch(() => []);
    const living = isCurrent(unit, repository, context) ? findLivingUnit(context.settings, unit.name)?.domain : undefined;
    if ([living, ...held.map((each) => each.domain)].some((each) => each?.toLowerCase() === wanted)) found.push(unit);
  }
  return found;
}

interface OfSnapshot {
  readonly current: boolean;
  readonly domain: string | null;
  readonly obstacle: string | undefined;
}

function summarize(record: SnapshotRecord, { current, domain, obstacle }: OfSnapshot): SnapshotSummary {
  return {
    id: record.id,
    unit: record.name,
    unitId: record.unit,
    current,
    domain,
    level: record.level,
    synthetic: record.synthetic,
    reason: record.reason,
    time: record.time,
    finished: record.finished,
    entries: record.counts.entries,
    changed: record.counts.changed,
    deleted: record.counts.deleted,
    bytesTotal: record.bytes.total,
    bytesStored: record.bytes.stored,
    warningCount: record.warningCount,
    restorable: obstacle === undefined,
    obstacle: obstacle ?? null,
  };
}

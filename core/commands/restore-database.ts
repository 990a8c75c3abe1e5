import { dirname } from 'node:path';
import { findSubject } from '../browse/find-subject.ts';
import { entryAt } from '../browse/tree-scope.ts';
import { untrusted } from '../config/trusted-place.ts';
import type { Context } from '../context/context.ts';
import { Databases } from '../databases/databases.ts';
import type { Engine } from '../databases/engine.ts';
import { partsInWords } from '../databases/left-out.ts';
import type { RebuiltUsers } from '../databases/load/users.ts';
import { usersPath } from '../databases/virtual-paths.ts';
import { asFailure, Failure } from '../failure.ts';
import { lockForRestore } from '../locks/unit-locks.ts';
import type { ByteString } from '../manifest/entry.ts';
import { fromWirePath } from '../manifest/wire-path.ts';
import { requireLivingUnit } from '../panel/units.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import type { RecordedDatabase, SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import { readStoredContent } from '../restore/content/stored-content.ts';
import type { RestoreDatabaseRequest, RestoreDatabaseResult, RestoredDatabase } from '../schemas/restore-database.ts';
import { chainPacks } from '../targets/chain-packs.ts';
import { ServerRestores } from '../targets/database-restore.ts';
import { nameOnto } from '../targets/databases-onto.ts';
import { writeWholeFile } from '../targets/whole-file.ts';
import { OpenLayers } from '../timeline/open-layers.ts';
import { certain, doubtsOfRestored, type RestorePoint, UnitTimeline } from '../timeline/point-in-time.ts';
import { isCurrent } from '../timeline/resolve-unit.ts';

/** No list of users is longer, in bytes. */
const LARGEST_FILE = 256 * 1024 * 1024;

type Recorded = RecordedDatabase & { readonly size: number };

/** What a request turned out to mean. */
interface Task {
  readonly request: RestoreDatabaseRequest;
  readonly unit: UnitIdentity;
  /** Whose the restored databases are: the unit's own, or those of the account that gets them. */
  readonly receiver: string;
  readonly point: RestorePoint;
  readonly chosen: readonly Recorded[];
}

/** Brings databases of a unit back. What could not be brought back is in the result, database by database. */
export async function restoreDatabase(request: RestoreDatabaseRequest, context: Context): Promise<RestoreDatabaseResult> {
  if (process.geteuid?.() !== 0) throw new Failure('not_root', 'a restore of databases needs root');
  checkRequest(request);
  const { repository, unit } = await findSubject(request, context);
  const task = async (): Promise<Task> => {
    const point = certain(await (await UnitTimeline.read(unit, repository)).resolve(request.at, context.now()));
    return { request, unit, receiver: request.onto ?? unit.name, point, chosen: choose(request, point.chain.at(-1)!) };
  };
  if (request.dryRun === true) return await perform(await task(), repository, context);
  // Before snapshots are looked for: none of them goes from now on. Files may be restored meanwhile.
  const locks = await lockForRestore(unit.name, { to: 'databases' }, repository, context);
  try {
    return await perform(await task(), repository, context);
  } finally {
    for (const lock of locks) lock.release();
  }
}

function checkRequest({ unit, databases = [], all, as, to, onto, policy, users }: RestoreDatabaseRequest): void {
  const usage = (message: string) => new Failure('usage', message, { advice: 'As in: apiscp-backup restore-database site12 mysql/NAME' });
  if (all === true && databases.length > 0) throw usage('give names of databases, or --all, not both');
  if (all !== true && databases.length === 0) throw usage('no database is named');
  if ((as !== undefined || to !== undefined) && (all === true || databases.length !== 1)) throw usage('--as and --to are for one database');
  if (onto !== undefined && policy === 'owner')
    throw new Failure('owner_not_allowed', 'an owner brings databases back into the own account only');
  if (onto !== undefined && (to !== undefined || users === true))
    throw usage('--onto excludes --to and --users: the account has users of its own');
  if (as !== undefined && to !== undefined) throw usage('--as and --to exclude each other');
  if (users === true && policy === 'owner') throw new Failure('owner_not_allowed', 'only the administrator brings users of databases back');
  if (users === true && to !== undefined) throw usage('--users and --to exclude each other');
  if (users === true && /^system(?:-|$)/.test(unit)) throw usersOfServer();
  if (to !== undefined && policy === 'owner')
    throw new Failure('owner_not_allowed', 'an owner cannot have a dump written to a file of the server');
}

/** They have the administrator's own powers: what a backup says of those is executed by nobody but a person who has read it. */
function usersOfServer(): Failure {
  return new Failure('usage', 'the users of the whole server are not brought back by a command', {
    affected: ['system'],
    advice:
      'Those of an account come back with it: `restore-database site12 --all --users`. For others take the list out, with ' +
      '`apiscp-backup restore system databases/mysql-users.sql --to /root/users` (or postgresql-users.sql), read it, and execute what is missing.',
  });
}

function choose({ databases = [], all }: RestoreDatabaseRequest, record: SnapshotRecord): Recorded[] {
  const there = (record.databases ?? []).filter((each): each is Recorded => each.result === 'ok' && each.size !== null);
  if (all === true) return there;
  return [...new Set(databases)].map((wanted) => {
    const found = there.find(({ engine, name }) => `${engine}/${name}` === wanted);
    if (found !== undefined) return found;
    const failed = (record.databases ?? []).find(({ engine, name }) => `${engine}/${name}` === wanted);
    const reason = failed === undefined ? '' : `: its dump failed then (${failed.error?.message ?? ''})`;
    throw new Failure('database_unknown', `the snapshot ${record.id} does not have the database ${wanted}${reason}`, {
      affected: [wanted],
      advice: `It has ${
        there
          .map(({ engine, name }) => `${engine}/${name}`)
          .slice(0, 20)
          .join(', ') || 'none'
      }.`,
    });
  });
}

/** One of all that the unit had then, of which the snapshot has no dump of that time. */
function withoutDump({ engine, name, at, error }: RecordedDatabase): RestoredDatabase {
  const message = `its dump failed then: ${error?.message ?? ''}`;
  return {
    ...{ engine, name, target: name, at, replaced: null, tables: 0, rows: 0, bytes: 0, leftOut: [], notes: [], result: 'failed' },
    error: { code: 'database_unknown', message, advice: 'Restore it alone from a backup before, with --at.' },
  };
}

async function perform(task: Task, repository: Repository, context: Context): Promise<RestoreDatabaseResult> {
  const { request, unit, point, chosen } = task;
  const { chain, moment } = point;
  if (request.onto !== undefined) requireLivingUnit(context.settings, request.onto);
  else if (request.to === undefined && !isCurrent(unit, repository, context)) {
    throw new Failure('usage', `${request.unit} is not the ${unit.name} that lives now: its databases cannot be restored in place`, {
      affected: [request.unit],
      advice:
        'Write a dump to a file with --to, bring it into another account with --onto; or, when it is the same customer, `apiscp-backup join` them first.',
    });
  }
  await repository.keys.requireReadable(chain.flatMap(({ manifest, packs }) => [manifest, ...packs]));
  const layers = await OpenLayers.open(chain, repository);
  const work = new Work(task, repository, layers, context);
  try {
    const databases: RestoredDatabase[] = [];
    if (request.users === true && request.dryRun !== true) await work.restoreUsers();
    for (const each of chosen) databases.push(await work.restoreOne(each));
    if (request.all === true) {
      const recorded = chain.at(-1)!.databases ?? [];
      databases.push(...recorded.filter(({ result }) => result !== 'ok').map(withoutDump));
      if (recorded.length === 0) work.notes.push('the snapshot has no databases');
    }
    await work.giveRights();
    const failed = databases.filter(({ result }) => result === 'failed').length;
    const doubts = doubtsOfRestored(point).map(({ message }) => message);
    const isWhole = doubts.length === 0 && databases.every(({ result }) => result === 'ok' || result === 'planned');
    return {
      status: isWhole ? 'ok' : failed > 0 && failed === databases.length ? 'failed' : 'partial',
      unit: unit.name,
      unitId: unit.unit,
      current: isCurrent(unit, repository, context),
      moment,
      snapshot: chain.at(-1)!.id,
      dryRun: request.dryRun === true,
      settled: work.settled,
      users: work.users,
      notes: [...doubts, ...work.notes],
      databases,
    };
  } finally {
    await work.close();
    layers.close();
  }
}

/** The restores of one request: each server is opened once. */
class Work {
  readonly settled: { readonly database: string; readonly kept: string | null }[] = [];
  readonly users: string[] = [];
  readonly notes: string[] = [];
  readonly #rights: [ServerRestores, RebuiltUsers][] = [];
  readonly #task: Task;
  readonly #repository: Repository;
  readonly #layers: OpenLayers;
  readonly #context: Context;
  readonly #databases: Databases;
  readonly #servers = new Map<Engine, Promise<ServerRestores>>();
  #done = 0;

  constructor(task: Task, repository: Repository, layers: OpenLayers, context: Context) {
    this.#task = task;
    this.#repository = repository;
    this.#layers = layers;
    this.#context = context;
    this.#databases = new Databases(context.settings, context.signal);
  }

  /** Makes the account's users of each server anew that the chosen databases are on. */
  async restoreUsers(): Promise<void> {
    const { unit, chosen } = this.#task;
    for (const engine of new Set(chosen.map((each) => each.engine))) {
      const text = await this.#read(usersPath(engine));
      if (text === undefined) continue;
      const server = await this.#server(engine);
      const owner = await server.ownerFor(unit.name, '', this.#databases);
      const databases = new Set<string>();
      for (const { engine: of, name } of chosen)
        if (of === engine && (await this.#databases.ownerOf(engine, name)) === unit.name) databases.add(name);
      const rebuilt = server.rebuildUsers(text.toString(), { ...owner, databases });
      this.users.push(...rebuilt.users);
      this.notes.push(...rebuilt.notes, ...(await server.applyUsers(rebuilt, 'before')));
      this.#rights.push([server, rebuilt]);
    }
  }

  /** Rights on databases, which have to be there by now. */
  async giveRights(): Promise<void> {
    for (const [server, rebuilt] of this.#rights) this.notes.push(...(await server.applyUsers(rebuilt, 'after')));
  }

  /** Its failure is its own: the others are restored all the same. */
  async restoreOne(database: Recorded): Promise<RestoredDatabase> {
    const { request } = this.#task;
    const { engine, name, at, size, tables, rows } = database;
    const undumped = partsInWords(database.leftOut ?? []);
    const planned = {
      engine,
      name,
      target: request.to === undefined ? (request.as ?? name) : Buffer.from(fromWirePath(request.to), 'latin1').toString(),
      at,
      replaced: null,
      tables: tables ?? 0,
      rows: rows ?? 0,
      bytes: size,
      leftOut: undumped,
      notes: [],
      error: null,
    };
    try {
      if (request.to !== undefined) {
        if (request.dryRun !== true) await this.#writeFile(database, planned.target);
        return { ...planned, result: request.dryRun === true ? 'planned' : undumped.length === 0 ? 'ok' : 'partial' };
      }
      if (request.onto !== undefined && request.as === undefined) {
        planned.target = await nameOnto(request.onto, name, engine, (path) => this.#read(path), this.#databases);
      }
      const { target } = planned;
      await this.#refuseForeign(database, target);
      if (request.dryRun === true) return { ...planned, result: 'planned' };
      const server = await this.#server(engine);
      if (request.as !== undefined && request.as !== name && (await server.has(target))) {
        throw new Failure('database_exists', `there is a database ${target} already`, {
          affected: [target],
          advice: 'Choose another name.',
        });
      }
      const owner = await server.ownerFor(this.#task.receiver, target, this.#databases);
      const outcome = await server.restore(
        {
          description: database,
          dump: () => this.#dump(database),
          target,
          owner,
          signal: this.#context.signal,
          progress: (bytes) => this.#tell(bytes),
          step: () => {},
        },
        this.#context.now(),
      );
      this.#done++;
      const leftOut = [...undumped, ...outcome.leftOut];
      return {
        ...planned,
        ...outcome,
        leftOut,
        notes: [...outcome.notes],
        replaced: outcome.replaced ?? null,
        result: leftOut.length === 0 ? 'ok' : 'partial',
      };
    } catch (error) {
      const { code, message, advice } = asFailure(error);
      if (code === 'cancelled' || code === 'internal' || code === 'locked') throw error;
      return { ...planned, result: 'failed', error: { code, message, advice: advice ?? null } };
    }
  }

  async close(): Promise<void> {
    for (const server of this.#servers.values()) await (await server.catch(() => undefined))?.close();
    await this.#databases.close();
  }

  /** What is live under the name, or would be, has to be the unit's own. */
  async #refuseForeign({ engine, name }: Recorded, target: string): Promise<void> {
    const { receiver, request } = this.#task;
    const owner = await this.#databases.ownerOf(engine, target);
    if (owner === receiver) return;
    // After a change of its prefix an account's database of old is nobody's as long as it is not there. One that is there is somebody's.
    const isGone = owner === 'system' && target === name && !(await this.#databases.has(engine, name));
    if (isGone && request.policy !== 'owner' && request.onto === undefined) return;
    const whose = request.policy === 'owner' || owner === 'system' ? 'is none of the account' : `belongs to ${owner}`;
    throw new Failure('owner_not_allowed', `a database of the name ${target} ${whose}`, {
      affected: [target],
      advice:
        'A name has to begin with the prefix of the account, or a user of the account alone has rights on the database (MySQL) or owns it.',
    });
  }

  async #server(engine: Engine): Promise<ServerRestores> {
    const known = this.#servers.get(engine);
    if (known !== undefined) return await known;
    const opened = ServerRestores.open(engine, this.#task.receiver, this.#context);
    this.#servers.set(engine, opened);
    const server = await opened;
    this.settled.push(...server.settled.map(({ database, kept }) => ({ database, kept: kept ?? null })));
    return server;
  }

  /** A small file of the snapshot; undefined where it has none. */
  async #read(path: ByteString): Promise<Buffer | undefined> {
    const entry = entryAt(this.#layers.readers, path);
    if (entry?.content === undefined || entry.size > LARGEST_FILE) return undefined;
    const pieces: Buffer[] = [];
    for await (const piece of readStoredContent(entry.content, chainPacks(this.#task.point.chain, this.#repository))) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  #dump({ path }: Recorded): AsyncGenerator<Buffer> {
    const entry = entryAt(this.#layers.readers, Buffer.from(path).latin1Slice());
    if (entry?.content === undefined) throw new Failure('content_missing', 'the snapshot does not have the dump', { affected: [path] });
    return readStoredContent(entry.content, chainPacks(this.#task.point.chain, this.#repository));
  }

  #tell(bytes: number): void {
    const total = this.#task.chosen.reduce((sum, { size }) => sum + size, 0);
    this.#context.reporter.progress({
      phase: 'restore',
      unit: this.#task.unit.name,
      entries: this.#done,
      entriesTotal: this.#task.chosen.length,
      bytes,
      bytesTotal: total,
    });
  }

  /** A new file that only root can read. A folder that others can change could lead anywhere. */
  async #writeFile(database: Recorded, file: string): Promise<void> {
    const weak = untrusted(dirname(file));
    if (!file.startsWith('/') || weak !== undefined) {
      throw new Failure(
        'unsafe_path',
        `a dump is written only where root alone can change the way to it: ${weak?.reason ?? 'the path is not absolute'}`,
        {
          affected: [weak?.place ?? file],
        },
      );
    }
    await writeWholeFile(file, this.#told(this.#dump(database)));
  }

  /** The same pieces; says how far it is, and stops when that is wanted. */
  async *#told(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const piece of pieces) {
      yield piece;
      bytes += piece.length;
      this.#tell(bytes);
      if (this.#context.signal.aborted) throw new Failure('cancelled', 'stopped on request');
    }
  }
}

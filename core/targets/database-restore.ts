import { join } from 'node:path';
import { databasesOf } from '../config/databases.ts';
import type { Context } from '../context/context.ts';
import type { Databases } from '../databases/databases.ts';
import type { Engine } from '../databases/engine.ts';
import { KeptDatabases } from '../databases/kept-databases.ts';
import { MysqlRestorer } from '../databases/load/mysql/restore.ts';
import type { SwapPlan } from '../databases/load/mysql/swap.ts';
import type { DatabaseOrder, DatabaseOutcome, DatabaseOwner, Settled } from '../databases/load/order.ts';
import { PostgresqlRestorer } from '../databases/load/postgresql/restore.ts';
import { SwapJournal } from '../databases/load/swap-journal.ts';
import type { RestoreTurn } from '../databases/load/turn.ts';
import type { OwnNames, RebuiltUsers } from '../databases/load/users.ts';
import { mysqlLogin, postgresqlLogins } from '../databases/sessions/logins.ts';
import { Failure } from '../failure.ts';
import { type Lock, takeLock, waitForLock } from '../locks/locks.ts';
import { toldWaiting } from '../locks/waiting.ts';
import { prepareStateDirectory } from '../repository/state-directory.ts';

/** The unit of what is no account's. */
const SYSTEM = 'system';
/** How long a name may be: characters of MySQL, bytes of PostgreSQL; the shorter one for both. */
const LONGEST_NAME = 63;

type Restorer = MysqlRestorer | PostgresqlRestorer;

/** What restores on a server need. */
interface OpenServer {
  readonly engine: Engine;
  readonly unit: string;
  readonly restorer: Restorer;
  readonly lock: Lock;
  readonly settled: readonly Settled[];
  readonly kept: KeptDatabases;
}

/** The restores of one unit's databases on one server, held by one process at a time. */
export class ServerRestores {
  /** Databases whose earlier restore had died, and that were put back. */
  readonly settled: readonly Settled[];
  readonly #engine: Engine;
  readonly #unit: string;
  readonly #kept: KeptDatabases;
  readonly #restorer: Restorer;
  readonly #lock: Lock;

  private constructor({ engine, unit, restorer, lock, settled, kept }: OpenServer) {
    this.#engine = engine;
    this.#unit = unit;
    this.#restorer = restorer;
    this.#lock = lock;
    this.#kept = kept;
    this.settled = settled;
  }

  /** Waits for another restore of the unit on this server; puts back what any left that died. Throws `locked`, `database_unreachable`. */
  static async open(engine: Engine, unit: string, context: Pick<Context, 'settings' | 'signal' | 'reporter'>): Promise<ServerRestores> {
    const { settings } = context;
    prepareStateDirectory(settings.stateDirectory);
    const { stateDirectory } = settings;
    const lock = await waitForLock(stateDirectory, unitLock(engine, unit), 'a restore of databases', toldWaiting(context));
    const turn: RestoreTurn = {
      unit,
      statementLimit: databasesOf(settings).statementLimit,
      isUnderWay: (other) => isHeld(stateDirectory, unitLock(engine, other)),
      alone: async (work) => {
        const alone = await waitForLock(stateDirectory, `${engine}.databases`, 'a restore of databases', toldWaiting(context));
        return await work().finally(() => alone.release());
      },
    };
    try {
      const restorer = await openRestorer(engine, settings, turn);
      try {
        const settled = await restorer.settle();
        const kept = new KeptDatabases(stateDirectory);
        const at = new Date().toISOString();
        for (const { kept: name } of settled) if (name !== undefined) kept.note({ engine, name, unit, at });
        return new ServerRestores({ engine, unit, restorer, lock, settled, kept });
      } catch (error) {
        await restorer.close();
        throw error;
      }
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  has(database: string): Promise<boolean> {
    return this.#restorer.has(database);
  }

  /** Who shall own a database of a unit. */
  async ownerFor(unit: string, database: string, databases: Databases): Promise<DatabaseOwner> {
    if (unit === SYSTEM) {
      const user = this.#restorer instanceof PostgresqlRestorer ? ((await this.#restorer.ownerOf(database)) ?? 'postgres') : 'root';
      return { prefix: undefined, user, isServer: true, ownsUser: () => false, ownsDatabase: () => false, ownsAllWith: () => false };
    }
    const login = databases.loginOf(this.#engine, unit);
    const ownership = await databases.ownership(this.#engine);
    if (login?.admin !== undefined) {
      return {
        prefix: login.prefix,
        user: login.admin,
        isServer: false,
        ownsUser: (name) => ownership.ofUser(name) === unit,
        ownsDatabase: (name) => ownership.ofDatabase(name) === unit,
        ownsAllWith: (beginning) => ownership.ofAllWith(beginning) === unit,
      };
    }
    throw new Failure('database_refused', `the panel does not say who is the main user of ${unit}`, { affected: [unit] });
  }

  /** The users of an account, from what a backup says of them. */
  rebuildUsers(text: string, own: OwnNames): RebuiltUsers {
    return this.#restorer.rebuildUsers(text, own);
  }

  applyUsers(users: RebuiltUsers, when: 'before' | 'after'): Promise<string[]> {
    return this.#restorer.apply(users, when);
  }

  async restore(order: Omit<DatabaseOrder, 'replacedName'>, now: Date): Promise<DatabaseOutcome> {
    const replacedName = await this.#freeName(order.target, now);
    const noted = { engine: this.#engine, name: replacedName, unit: this.#unit, at: now.toISOString() };
    // Before it is there: what dies in between leaves no database that is backed up every night from then on.
    this.#kept.note(noted);
    try {
      const outcome = await this.#restorer.restore({ ...order, replacedName });
      if (outcome.replaced === undefined) this.#kept.forget(noted);
      return outcome;
    } catch (error) {
      this.#kept.forget(noted);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#restorer.close();
    this.#lock.release();
  }

  async #freeName(target: string, now: Date): Promise<string> {
    const moment = now
      .toISOString()
      .replaceAll(/[-:]|\..*/g, '')
      .replace('T', '_');
    for (let number = 1; ; number++) {
      const name = replacedName(target, number === 1 ? moment : `${moment}_${number}`);
      if (!(await this.has(name))) return name;
    }
  }
}

/** `NAME_before_20261126_040000`, with as much of the name as there is room for. */
function replacedName(target: string, moment: string): string {
  const ending = `_before_${moment}`;
  let beginning = '';
  for (const letter of target) {
    if (Buffer.byteLength(beginning + letter + ending) > LONGEST_NAME) break;
    beginning += letter;
  }
  return beginning + ending;
}

function unitLock(engine: Engine, unit: string): string {
  return `${engine}.databases.${unit}`;
}

function isHeld(stateDirectory: string, name: string): boolean {
  try {
    takeLock(stateDirectory, name, 'a look for what was left over').release();
    return false;
  } catch (error) {
    if (error instanceof Failure && error.code === 'locked') return true;
    throw error;
  }
}

async function openRestorer(engine: Engine, settings: Context['settings'], turn: RestoreTurn): Promise<Restorer> {
  let failure: unknown;
  // The first that answers, as the backup has it.
  for (const open of restorersOf(engine, settings, turn)) {
    try {
      return await open();
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

function restorersOf(engine: Engine, settings: Context['settings'], turn: RestoreTurn): (() => Promise<Restorer>)[] {
  const { mysql, postgresql } = databasesOf(settings);
  if (engine === 'mysql') {
    const journal = new SwapJournal<SwapPlan>(join(settings.stateDirectory, 'databases'));
    return mysql.sockets.map((socket) => () => MysqlRestorer.open(mysqlLogin(socket, mysql.credentials), journal, turn));
  }
  const { sockets, port, credentials } = postgresql;
  const logins = sockets.flatMap((socket) => postgresqlLogins({ socket, port, credentials }));
  return logins.map((login) => () => PostgresqlRestorer.open(login, turn));
}

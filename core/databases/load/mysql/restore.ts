import { Failure } from '../../../failure.ts';
import { newShadowName, unitOfOwnName } from '../../own-names.ts';
import { MysqlConnection, type MysqlLogin } from '../../sessions/mysql-connection.ts';
import { requireRecordedCounts } from '../counts.ts';
import type { DatabaseOrder, DatabaseOutcome, DatabaseOwner, Settled } from '../order.ts';
import { LoadRoom } from '../room.ts';
import { StatementLimit } from '../statement-limit.ts';
import type { SwapJournal } from '../swap-journal.ts';
import type { RestoreTurn } from '../turn.ts';
import type { OwnNames, RebuiltUsers } from '../users.ts';
import type { Account } from './code-objects.ts';
import { countWithAccount, foldersOf, linkedFolderOf, makeDatabaseBeside } from './data-folder.ts';
import { type Loaded, loadMysqlDump } from './load.ts';
import { type MadeCode, makeCode } from './make-code.ts';
import { makeOutwardKeys } from './outward-keys.ts';
import { isDatabase, plainWord, quoteName, quotePattern, quoteText, type ServerKind, serverKind } from './quoting.ts';
import { type SwapPlan, settleSwap, swapDatabase } from './swap.ts';
import { allowOtherDefiners, makeTemporaryLogin, removeLeftovers, type TemporaryLogin } from './temporary-login.ts';
import { rebuildMysqlUsers } from './users.ts';

/** Seconds. */
const LOCK_PATIENCE = 5;

/** What one database brings upon itself. */
const OF_ONE_DATABASE = new Set(['database_refused', 'database_left', 'database_busy']);

/**
 * The restores of a unit's databases on a MySQL or MariaDB server.
 */
export class MysqlRestorer {
  readonly #admin: MysqlConnection;
  readonly #login: MysqlLogin;
  readonly #server: ServerKind;
  readonly #journal: SwapJournal<SwapPlan>;
  readonly #turn: RestoreTurn;
  /** Databases that could not be put back as they were, and why. */
  readonly #unsettled = new Map<string, Failure>();

  private constructor(
    admin: MysqlConnection,
    login: MysqlLogin,
    server: ServerKind,
    { journal, turn }: { readonly journal: SwapJournal<SwapPlan>; readonly turn: RestoreTurn },
  ) {
    this.#admin = admin;
    this.#login = login;
    this.#server = server;
    this.#journal = journal;
    this.#turn = turn;
  }

  static async open(login: MysqlLogin, journal: SwapJournal<SwapPlan>, turn: RestoreTurn): Promise<MysqlRestorer> {
    const admin = await MysqlConnection.open(login);
    // An account that holds a lock on a table of its own would have everybody wait for a day.
    // What the server has by default could fill names with spaces, or leave out their quotes.
    await admin.query(`SET lock_wait_timeout = ${LOCK_PATIENCE}, sql_mode = '', sql_quote_show_create = ON`);
    const [row] = await admin.query('SELECT VERSION() AS version');
    return new MysqlRestorer(admin, login, serverKind(row!.version!), { journal, turn });
  }

  /**
   * Puts databases back as they were whose exchange was broken off by a death, and takes away what else such a restore left. Restores that
   * are under way are let alone.
   */
  async settle(): Promise<Settled[]> {
    return await this.#turn.alone(() => this.#settle());
  }

  async #settle(): Promise<Settled[]> {
    const { unit, isUnderWay } = this.#turn;
    const settled: Settled[] = [];
    const shadows = new Set<string>();
    for (const plan of this.#journal.pending()) {
      const whose = unitOfOwnName(plan.shadow);
      if (whose !== unit && isUnderWay(whose)) continue;
      try {
        const kept = await settleSwap(this.#admin, plan);
        this.#journal.end(plan.id);
        if (!plan.isMade) settled.push({ database: plan.live, kept });
      } catch (error) {
        // Such as when somebody has dropped it meanwhile: others have their databases restored all the same.
        if (!(error instanceof Failure) || !OF_ONE_DATABASE.has(error.code)) throw error;
        this.#unsettled.set(plan.live, error);
        shadows.add(plan.shadow);
      }
    }
    await removeLeftovers(this.#admin, this.#turn, shadows);
    return settled;
  }

  /** Whether there is a database of a name. */
  async has(database: string): Promise<boolean> {
    return (await this.#admin.query(`SELECT 1 FROM information_schema.SCHEMATA WHERE ${isDatabase('SCHEMA_NAME', database)}`)).length > 0;
  }

  rebuildUsers(text: string, own: OwnNames): RebuiltUsers {
    return rebuildMysqlUsers(text, own, this.#server);
  }

  /** Makes users, or gives rights; returns what the server refused, in words. */
  async apply({ before, after }: RebuiltUsers, when: 'before' | 'after'): Promise<string[]> {
    const notes: string[] = [];
    await this.#makeNoUsers();
    for (const sql of when === 'before' ? before : after) {
      try {
        await this.#admin.query(sql);
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'database_refused') throw error;
        notes.push(error.message);
      }
    }
    return notes;
  }

  /** Rights of a user who is not there would make one who needs no password, unless the session says otherwise. MySQL 8 makes none. */
  async #makeNoUsers(): Promise<void> {
    const { isMariadb, version } = this.#server;
    if (isMariadb || version < 80_000) await this.#admin.query("SET sql_mode = 'NO_AUTO_CREATE_USER'");
  }

  /** Loads a dump beside what is live, checks it, and puts it in its place. A failure leaves what is live as it was. */
  async restore(order: DatabaseOrder): Promise<DatabaseOutcome> {
    const { characterSet, collation } = order.description;
    const unsettled = this.#unsettled.get(order.target);
    if (unsettled !== undefined) throw unsettled;
    const { unit } = this.#turn;
    const shadow = newShadowName(unit);
    const logins: TemporaryLogin[] = [];
    try {
      await order.step('make shadow');
      const beside = await linkedFolderOf(this.#admin, order.target, order.owner.ownsDatabase);
      await makeDatabaseBeside(
        this.#admin,
        shadow,
        `CHARACTER SET ${plainWord(characterSet)} COLLATE ${plainWord(collation)}`,
        beside,
        'with the server',
      );
      const login = await makeTemporaryLogin(this.#admin, this.#login.socket, this.#server, { database: shadow, unit });
      logins.push(login);
      await order.step('load');
      const { loaded, tables, rows } = await this.#load(order, login, shadow);
      await order.step('swap');
      const definers = await this.#usersOf(order.owner);
      const ownDatabases = await this.#databasesOf(order.owner, order.target);
      let restored: MadeCode = { leftOut: [], over: [] };
      const missingKeys: string[] = [];
      const makeRestored = async (): Promise<void> => {
        missingKeys.length = 0;
        const maker = await makeTemporaryLogin(this.#admin, this.#login.socket, this.#server, { database: order.target, unit });
        logins.push(maker);
        await allowOtherDefiners(this.#admin, maker, this.#server);
        const made = { admin: this.#admin, login: maker, code: loaded.code, database: order.target, definers, ownDatabases };
        restored = await makeCode(made);
        // A copy beside the live one would keep the other database from deleting what it refers to.
        const isOwn = (name: string) => order.target === order.description.name && order.owner.ownsDatabase(name);
        missingKeys.push(...(await makeOutwardKeys(this.#admin, order.target, loaded.outwardKeys, isOwn)));
      };
      const { replaced, lost, stuck, released } = await swapDatabase({
        admin: this.#admin,
        journal: this.#journal,
        live: order.target,
        shadow,
        beside,
        replacedName: order.replacedName,
        characterSet,
        collation,
        makeCode: makeRestored,
        step: order.step,
      });
      const notes = lost.map(({ kind, name }) => `${kind.toLowerCase()} ${name} of what was live could not be kept in ${replaced}`);
      notes.push(...released);
      notes.push(...stuck.map((table) => `the table ${table} of what was live is broken, and could not be put aside: it is still there`));
      if (beside !== undefined) notes.push(...(await countWithAccount(this.#admin, order.target, replaced)));
      if (replaced === undefined) notes.push(...(await this.#giveTo(order.owner, order.target)));
      notes.push(...restored.over.map((name) => `the event ${name} is over`));
      const missing = restored.leftOut.map(({ kind, name, reason }) => `the ${kind.toLowerCase()} ${name}: ${reason}`);
      return { tables, rows, bytes: loaded.bytes, replaced, leftOut: [...missing, ...missingKeys], notes };
    } finally {
      await this.#cleanUp(shadow, logins);
    }
  }

  /** A database that was not there before gets what the panel gives with a new one: all rights of the account's main user. */
  async #giveTo({ user, isServer }: DatabaseOwner, database: string): Promise<string[]> {
    if (isServer) return [];
    const rows = await this.#admin.query(`SELECT Host AS host FROM mysql.user WHERE User = ${quoteText(user)}`);
    const after = rows.map(({ host }) => `GRANT ALL PRIVILEGES ON ${quotePattern(database)}.* TO ${quoteName(user)}@${quoteName(host!)}`);
    return await this.apply({ users: [], before: [], after, notes: [] }, 'after');
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }

  async #load(order: DatabaseOrder, login: TemporaryLogin, shadow: string): Promise<{ loaded: Loaded; tables: number; rows: number }> {
    const { signal, progress, description } = order;
    const connection = await this.#turn.alone(() => openForLongStatements(this.#admin, login, shadow));
    const room = new LoadRoom(await foldersOf(this.#admin, shadow));
    const stop = (): void => void connection.kill(this.#admin);
    const limit = new StatementLimit(this.#turn.statementLimit, stop);
    signal.addEventListener('abort', stop);
    try {
      signal.throwIfAborted();
      // A table of long rows was made when the server was less strict, and rows came in that a CHECK would not take.
      if (this.#server.isMariadb) await connection.query('SET innodb_strict_mode = OFF, check_constraint_checks = OFF');
      const loaded = await loadMysqlDump({
        dump: order.dump(),
        server: this.#server,
        connection,
        limit,
        shadow,
        database: description.name,
        room,
        signal,
        progress,
      });
      // What the dump has not committed itself would be counted here, and gone with this session.
      await connection.query('COMMIT AND NO CHAIN');
      const found = await limit.within(() => countRows(connection, shadow));
      requireRecordedCounts(description, found);
      return { loaded, ...found };
    } catch (error) {
      if (signal.aborted) throw new Failure('cancelled', 'stopped on request');
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      room.close();
      await connection.close();
    }
  }

  /** The account's own users, its main one first. */
  async #usersOf({ user, prefix, ownsUser }: DatabaseOwner): Promise<Account[]> {
    const beginning = prefix === undefined ? '' : ` OR LEFT(User, ${[...prefix].length}) = ${quoteText(prefix)}`;
    const rows = await this.#admin.query(
      `SELECT User AS user, Host AS host FROM mysql.user WHERE User = ${quoteText(user)}${beginning} ORDER BY User = ${quoteText(user)} DESC, Host = 'localhost' DESC`,
    );
    const found = rows.map((row) => ({ user: row.user!, host: row.host! })).filter((each) => each.user === user || ownsUser(each.user));
    return found.length > 0 ? found : [{ user, host: 'localhost' }];
  }

  /** Databases of the account beside one. */
  async #databasesOf({ prefix, ownsDatabase }: DatabaseOwner, but: string): Promise<string[]> {
    if (prefix === undefined) return [];
    const rows = await this.#admin.query('SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA');
    return rows.map(({ name }) => name!).filter((name) => name !== but && name.startsWith(prefix) && ownsDatabase(name));
  }

  /** A server that is gone keeps them; the next call takes them away. */
  async #cleanUp(shadow: string, logins: readonly TemporaryLogin[]): Promise<void> {
    try {
      for (const { quoted } of logins) await this.#admin.query(`DROP USER IF EXISTS ${quoted}`);
      // What an exchange has not undone yet is still needed.
      if (this.#journal.pending().some(({ id }) => id === shadow)) return;
      await this.#admin.query(`DROP DATABASE IF EXISTS ${quoteName(shadow)}`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }
}

/** A row's bytes are twice as many in a dump, and several rows are one statement: more than the server takes from others. */
async function openForLongStatements(admin: MysqlConnection, login: MysqlLogin, database: string): Promise<MysqlConnection> {
  const [row] = await admin.query('SELECT @@GLOBAL.max_allowed_packet AS bytes');
  // A session keeps what held when it began.
  await admin.query(`SET GLOBAL max_allowed_packet = ${1024 ** 3}`);
  try {
    return await MysqlConnection.open(login, database);
  } finally {
    await admin.query(`SET GLOBAL max_allowed_packet = ${Number(row!.bytes)}`);
  }
}

/** Tables that show the rows of others: a dump has their definition alone. */
const WITHOUT_ROWS = "'MRG_MyISAM', 'MRG_MYISAM', 'FEDERATED'";

/** As the login that can read the shadow alone. */
async function countRows(connection: MysqlConnection, database: string): Promise<{ tables: number; rows: number }> {
  const tables = await connection.query(
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS kind FROM information_schema.TABLES WHERE ${isDatabase('TABLE_SCHEMA', database)} AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND ENGINE NOT IN (${WITHOUT_ROWS})`,
  );
  let rows = 0;
  for (const { name, kind } of tables) {
    const all = kind === 'SYSTEM VERSIONED' ? ' FOR SYSTEM_TIME ALL' : '';
    rows += Number((await connection.query(`SELECT COUNT(*) AS n FROM ${quoteName(name!)}${all}`))[0]!.n);
  }
  return { tables: tables.length, rows };
}

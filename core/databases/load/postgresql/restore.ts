import { Failure } from '../../../failure.ts';
import { newShadowName } from '../../own-names.ts';
import { MAINTENANCE } from '../../sessions/logins.ts';
import { isUnknownName, PostgresqlConnection, type PostgresqlLogin, ServerRefusal } from '../../sessions/postgresql-connection.ts';
import { requireRecordedCounts } from '../counts.ts';
import type { DatabaseOrder, DatabaseOutcome, DatabaseOwner, Settled } from '../order.ts';
import { LoadRoom } from '../room.ts';
import { StatementLimit } from '../statement-limit.ts';
import type { RestoreTurn } from '../turn.ts';
import type { OwnNames, RebuiltUsers } from '../users.ts';
import { countRows, withUnfilled } from './count-rows.ts';
import { type Loaded, loadPostgresqlDump } from './load.ts';
import { giveToAccount } from './owners.ts';
import { quoteName } from './quoting.ts';
import { refreshViews } from './refresh.ts';
import { makeEmptyDatabase } from './sorting.ts';
import { copyDatabaseSettings, swapDatabase } from './swap.ts';
import { dropDatabase, makeTemporaryLogin, openAsLogin, removeLeftovers } from './temporary-login.ts';
import { rebuildPostgresqlUsers } from './users.ts';

/** From this version on the schema `public` belongs to whoever owns the database. */
const PUBLIC_IS_OWNERS = 15;

/** What was loaded, how much of it was counted, and what is other than it was. */
interface Found {
  readonly loaded: Loaded;
  readonly tables: number;
  readonly rows: number;
  readonly notes: readonly string[];
}

/**
 * The restores of a unit's databases on a PostgreSQL server.
 */
export class PostgresqlRestorer {
  readonly #admin: PostgresqlConnection;
  readonly #login: PostgresqlLogin;
  readonly #turn: RestoreTurn;

  private constructor(admin: PostgresqlConnection, login: PostgresqlLogin, turn: RestoreTurn) {
    this.#admin = admin;
    this.#login = login;
    this.#turn = turn;
  }

  static async open(login: PostgresqlLogin, turn: RestoreTurn): Promise<PostgresqlRestorer> {
    return new PostgresqlRestorer(await PostgresqlConnection.open(login, MAINTENANCE), login, turn);
  }

  /** Takes away what a restore left that died. The exchange itself is one transaction: there is nothing to put back. */
  async settle(): Promise<Settled[]> {
    await this.#turn.alone(() => removeLeftovers(this.#admin, this.#turn));
    return [];
  }

  /** Whether there is a database of a name. */
  async has(database: string): Promise<boolean> {
    return (
      (await this.#admin.query('SELECT 1 FROM pg_catalog.pg_database WHERE datname::pg_catalog.text OPERATOR(pg_catalog.=) $1', [database]))
        .length > 0
    );
  }

  rebuildUsers(text: string, own: OwnNames): RebuiltUsers {
    return rebuildPostgresqlUsers(text, own);
  }

  /** Makes roles, or gives rights; returns what the server refused, in words. A superuser is nobody's to change. */
  async apply({ users, before, after }: RebuiltUsers, when: 'before' | 'after'): Promise<string[]> {
    const notes: string[] = [];
    const statements = when === 'before' ? [...before] : [...after];
    for (const name of when === 'before' ? users : []) {
      const [role] = await this.#admin.query(
        'SELECT rolsuper::pg_catalog.text AS super FROM pg_catalog.pg_roles WHERE rolname::pg_catalog.text OPERATOR(pg_catalog.=) $1',
        [name],
      );
      if (role?.super === 'true')
        throw new Failure('database_refused', `${name} is a superuser of this server, not of the account`, { affected: [name] });
      if (role === undefined) statements.unshift(`CREATE ROLE ${quoteName(name)}`);
    }
    for (const sql of statements) {
      try {
        await this.#admin.query(sql);
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'database_refused') throw error;
        notes.push(error.message);
      }
    }
    return notes;
  }

  /** Whose a database is; undefined when there is none of that name. */
  async ownerOf(database: string): Promise<string | undefined> {
    const [row] = await this.#admin.query(
      'SELECT pg_catalog.pg_get_userbyid(datdba)::pg_catalog.text AS owner FROM pg_catalog.pg_database WHERE datname::pg_catalog.text OPERATOR(pg_catalog.=) $1',
      [database],
    );
    return row?.owner ?? undefined;
  }

  /** Loads a dump beside what is live, checks it, and puts it in its place. A failure leaves what is live as it was. */
  async restore(order: DatabaseOrder): Promise<DatabaseOutcome> {
    const shadow = newShadowName(this.#turn.unit);
    let login: PostgresqlLogin | undefined;
    try {
      await order.step('make shadow');
      login = await makeTemporaryLogin(this.#admin, this.#login, this.#turn.unit);
      const { inShadow, found } = await this.#fillShadow(order, shadow, login);
      try {
        await order.step('give');
        const roles = await this.#rolesOf(order.owner);
        const notes = await giveToAccount(inShadow, login.user, roles, found.loaded);
        const empty = await this.#refresh(order, shadow, login, inShadow, roles, found.loaded);
        await inShadow.close();
        await order.step('swap');
        const replaced = await this.#swap(order, shadow);
        const { loaded, tables, rows } = found;
        return {
          tables,
          rows,
          bytes: loaded.bytes,
          replaced,
          leftOut: [...loaded.leftOut, ...empty],
          notes: [...found.notes, ...loaded.notes, ...notes],
        };
      } finally {
        await inShadow.close();
      }
    } finally {
      await this.#cleanUp(shadow, login);
    }
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }

  /** Makes a shadow and loads it; a second time when rows could not be checked by a function of the account that relies on its search path. */
  async #fillShadow(
    order: DatabaseOrder,
    shadow: string,
    login: PostgresqlLogin,
  ): Promise<{ readonly inShadow: PostgresqlConnection; readonly found: Found }> {
    for (const looksAlways of [false, true]) {
      const notes = await makeEmptyDatabase(this.#admin, shadow, login.user, order);
      await order.step('load');
      const inShadow = await PostgresqlConnection.open(this.#login, shadow);
      try {
        return { inShadow, found: { ...(await this.#load(order, login, shadow, inShadow, looksAlways)), notes } };
      } catch (error) {
        await inShadow.close();
        if (looksAlways || !isUnknownName(error)) throw error;
        await dropDatabase(this.#admin, shadow);
      }
    }
    throw new Failure('internal', 'the shadow was not filled');
  }

  async #load(
    order: DatabaseOrder,
    login: PostgresqlLogin,
    shadow: string,
    admin: PostgresqlConnection,
    looksAlways: boolean,
  ): Promise<Omit<Found, 'notes'>> {
    const { signal, progress, description } = order;
    const [row] = await admin.query("SELECT pg_catalog.current_setting('server_version_num') AS version");
    if (Number(row!.version) < PUBLIC_IS_OWNERS * 10_000) await admin.query(`ALTER SCHEMA public OWNER TO ${quoteName(login.user)}`);
    const [data] = await admin.query("SELECT pg_catalog.current_setting('data_directory') AS folder");
    const room = new LoadRoom([data!.folder!]);
    return await this.#asLogin(order, login, shadow, async (connection, limit) => {
      const makeExtension = (name: string, schema: string | undefined) => this.#makeExtension(order, admin, name, schema);
      const schemas = [order.owner.user, 'public'];
      const dump = order.dump();
      const lacksRows = description.leftOut?.some(({ kind }) => kind === 'rows') === true;
      const rules = { schemas, looksAlways, lacksRows, makeExtension };
      const loaded = await loadPostgresqlDump({ dump, connection, limit, room, signal, progress, ...rules });
      // What the dump has not committed itself would be counted here, and gone with this session.
      await connection.query('COMMIT');
      // Of the server's own databases a superuser may own some: what a dump computes is computed for nobody of that kind.
      const computed = order.owner.isServer ? loaded.views : [];
      const ofLogin = { admin, session: connection, login: login.user, roles: undefined, schemas, limit };
      const empty = await refreshViews({ ...ofLogin, views: computed });
      await limit.within(() => analyze(connection, schemas));
      // Row security filters nothing for it then.
      await admin.query(`ALTER ROLE ${quoteName(login.user)} BYPASSRLS`);
      const found = await countRows(connection, loaded.filled, limit);
      requireRecordedCounts(description, withUnfilled(found, loaded.unfilled));
      return { loaded: { ...loaded, leftOut: [...loaded.leftOut, ...empty] }, ...found };
    }).finally(() => room.close());
  }

  async #refresh(
    order: DatabaseOrder,
    shadow: string,
    login: PostgresqlLogin,
    admin: PostgresqlConnection,
    roles: readonly string[],
    { views }: Loaded,
  ): Promise<string[]> {
    if (views.length === 0 || order.owner.isServer) return [];
    const schemas = [order.owner.user, 'public'];
    const connect = `CONNECT ON DATABASE ${quoteName(shadow)}`;
    await admin.query(`GRANT ${connect} TO ${quoteName(login.user)}`);
    const empty = await this.#asLogin(order, login, shadow, (session, limit) =>
      refreshViews({ views, admin, session, login: login.user, roles, schemas, limit }),
    );
    await admin.query(`REVOKE ${connect} FROM ${quoteName(login.user)}`);
    return empty;
  }

  /** A session of the login in the shadow, whose statements end when they take too long, or the request is stopped. */
  async #asLogin<T>(
    { signal }: DatabaseOrder,
    login: PostgresqlLogin,
    shadow: string,
    work: (session: PostgresqlConnection, limit: StatementLimit) => Promise<T>,
  ): Promise<T> {
    const session = await openAsLogin(this.#admin, login, shadow);
    const stop = (): void => void this.#sendAway(login).catch(() => {});
    const limit = new StatementLimit(this.#turn.statementLimit, stop);
    signal.addEventListener('abort', stop);
    try {
      signal.throwIfAborted();
      return await work(session, limit);
    } catch (error) {
      if (signal.aborted) throw new Failure('cancelled', 'stopped on request');
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      await session.close();
    }
  }

  /** Ends what a login is doing. */
  async #sendAway({ user }: PostgresqlLogin): Promise<void> {
    await this.#admin.query(
      'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename::pg_catalog.text OPERATOR(pg_catalog.=) $1',
      [user],
    );
  }

  /** What the live database has, an administrator once gave it. */
  async #makeExtension(
    { target, description }: DatabaseOrder,
    admin: PostgresqlConnection,
    name: string,
    schema: string | undefined,
  ): Promise<boolean> {
    for (const database of new Set([target, description.name])) {
      if (!(await this.has(database))) continue;
      const live = await PostgresqlConnection.open(this.#login, database);
      const found = await live
        .query('SELECT 1 FROM pg_catalog.pg_extension WHERE extname::pg_catalog.text OPERATOR(pg_catalog.=) $1', [name])
        .finally(() => live.close());
      if (found.length === 0) continue;
      await admin.query(
        `CREATE EXTENSION IF NOT EXISTS ${quoteName(name)}${schema === undefined ? '' : ` WITH SCHEMA ${quoteName(schema)}`}`,
      );
      return true;
    }
    return false;
  }

  /** The account's own roles, its main one first. */
  async #rolesOf({ user, prefix, isServer, ownsUser }: DatabaseOwner): Promise<string[]> {
    const rows = await this.#admin.query(
      `SELECT rolname::pg_catalog.text AS name FROM pg_catalog.pg_roles WHERE (NOT rolsuper OR $3 OPERATOR(pg_catalog.=) 'true') AND (rolname::pg_catalog.text OPERATOR(pg_catalog.=) $1
         OR ($2 OPERATOR(pg_catalog.<>) '' AND pg_catalog.left(rolname::pg_catalog.text, pg_catalog.length($2)) OPERATOR(pg_catalog.=) $2))
       ORDER BY (rolname::pg_catalog.text OPERATOR(pg_catalog.=) $1) DESC`,
      [user, prefix ?? '', String(isServer)],
    );
    const roles = rows.map(({ name }) => name!).filter((name) => name === user || ownsUser(name));
    if (roles[0] === user) return roles;
    throw new Failure('database_refused', `the account has no role ${user} on this server that the database could belong to`, {
      affected: [user],
      advice: 'Bring the users back first, with --users.',
    });
  }

  async #swap(order: DatabaseOrder, shadow: string): Promise<string | undefined> {
    const { target, replacedName, step } = order;
    const replaced = (await this.has(target)) ? replacedName : undefined;
    if (replaced === undefined) await this.#admin.query(`GRANT CONNECT ON DATABASE ${quoteName(shadow)} TO ${quoteName(order.owner.user)}`);
    else await copyDatabaseSettings(this.#admin, target, shadow);
    const other = await PostgresqlConnection.open(this.#login, MAINTENANCE);
    try {
      await swapDatabase(this.#admin, other, { live: target, shadow, replaced, step });
      return replaced;
    } finally {
      await other.close();
    }
  }

  /** A server that is gone keeps them; the next call takes them away. */
  async #cleanUp(shadow: string, login: PostgresqlLogin | undefined): Promise<void> {
    try {
      await dropDatabase(this.#admin, shadow);
      if (login !== undefined) await this.#admin.query(`DROP ROLE IF EXISTS ${quoteName(login.user)}`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }
}

/** As the login: what an index computes is what somebody else wrote. What cannot be computed is left to the server, which tries again by itself. */
async function analyze(connection: PostgresqlConnection, schemas: readonly string[]): Promise<void> {
  try {
    await connection.query(`SET search_path = ${schemas.map(quoteName).join(', ')}`);
    await connection.query('ANALYZE');
  } catch (error) {
    if (!(error instanceof ServerRefusal)) throw error;
  }
}

import { Failure } from '../failure.ts';
import { type ChildWatch, runCommand } from './child.ts';
import type { DatabaseLocale, DatabaseServer, DumpPlan, Inventory, PostgresqlPlace } from './database-server.ts';
import type { LeftOut } from './left-out.ts';
import { brokenParts, withoutParts } from './postgresql-broken.ts';
import { postgresqlUsers } from './postgresql-users.ts';
import { findPostgresqlProgram } from './programs.ts';
import { MAINTENANCE, postgresqlLogins } from './sessions/logins.ts';
import type { PostgresqlConnection, PostgresqlLogin } from './sessions/postgresql-connection.ts';
import { SessionPool } from './sessions/session-pool.ts';

/**
 * pg_dump puts a random key into each dump, and no two would be alike. This one is no secret: whoever loads a dump has a key of his own.
 */
const RESTRICT_KEY = '--restrict-key=apiscpbackup';

/** A table that somebody changes is waited for so long. */
const LOCK_WAIT = '10min';

/** A server that has answered, and how it is asked. */
interface Connected {
  readonly version: string;
  readonly sessions: SessionPool<PostgresqlConnection>;
  readonly place: PostgresqlPlace;
  readonly login: PostgresqlLogin;
}

/** The dumping program, and the options that it knows. */
interface Dumper {
  readonly program: string;
  readonly options: readonly string[];
}

/** PostgreSQL: asked over its socket, dumped by its own program. */
export class PostgresqlServer implements DatabaseServer {
  readonly engine = 'postgresql';
  readonly version: string;
  readonly #connected: Connected;
  #dumper: Promise<Dumper> | undefined;

  /** Throws `database_unreachable` when nobody answers, or lets nobody in. */
  static async connect(place: PostgresqlPlace, watch: ChildWatch): Promise<PostgresqlServer> {
    // A run on a server without databases loads no driver.
    const { PostgresqlConnection } = await import('./sessions/postgresql-connection.ts');
    const refused: string[] = [];
    for (const login of postgresqlLogins(place)) {
      const sessions = new SessionPool(() => PostgresqlConnection.open(login, MAINTENANCE));
      try {
        const [[version] = []] = await sessions.ask((session) => session.rows('SHOW server_version'), watch);
        return new PostgresqlServer({ version: version ?? '', sessions, place, login });
      } catch (error) {
        await sessions.close();
        if (!(error instanceof Failure) || watch.signal.aborted) throw error;
        refused.push(error.message);
      }
    }
    throw new Failure('database_unreachable', refused.join('; '), { retry: true });
  }

  private constructor(connected: Connected) {
    this.version = connected.version;
    this.#connected = connected;
  }

  async close(): Promise<void> {
    await this.#connected.sessions.close();
  }

  async inventory(watch: ChildWatch): Promise<Inventory> {
    return await this.#connected.sessions.ask(async (session) => {
      // Those too that let nobody in, or are templates, as their owners can have it: a dump of them fails or not, but they are not gone.
      const rows = (await session.rows(
        `SELECT datname, pg_encoding_to_char(encoding), datcollate, rolname, to_jsonb(d)::text FROM pg_database d JOIN pg_roles r ON r.oid = datdba
          WHERE datname NOT IN ('template0', 'template1') ORDER BY datname`,
      )) as [string, string, string, string, string][];
      const users = (await session.rows("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")) as [string][];
      return {
        databases: rows.map(([name, characterSet, collation, , all]) => ({
          name,
          characterSet,
          collation,
          locale: localeOf(JSON.parse(all)),
        })),
        claims: rows.map(([database, , , user]) => ({ database, user })),
        users: users.map(([name]) => name),
      };
    }, watch);
  }

  async dataFolders(watch: ChildWatch): Promise<string[]> {
    const rows = await this.#connected.sessions.ask(
      (session) =>
        session.rows(
          "SELECT current_setting('data_directory') UNION SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE pg_tablespace_location(oid) <> ''",
        ),
      watch,
    );
    return rows.flatMap(([folder]) => folder ?? []);
  }

  async planDump(name: string, without: readonly LeftOut[], watch: ChildWatch): Promise<DumpPlan | undefined> {
    const { sessions, place, login } = this.#connected;
    const found = await sessions.ask((session) => session.rows('SELECT 1 FROM pg_database WHERE datname::text = $1', [name]), watch);
    if (found.length === 0) return undefined;
    // Restores and lists do without the program.
    this.#dumper ??= findDumper(watch);
    const dumper = await this.#dumper;
    const options = ['--format=plain', '--no-password', `--lock-wait-timeout=${LOCK_WAIT}`, ...dumper.options, ...withoutParts(without)];
    const args = [`--dbname=${connectionString(login, place)}`, ...options];
    // Other users of the server see arguments, and no environment: whose databases there are is not for them.
    const command = { program: dumper.program, args, as: login.as, environment: { PGDATABASE: name } };
    return { command, consistency: 'snapshot', leftOut: without };
  }

  async brokenParts(_name: string, said: string): Promise<LeftOut[]> {
    return brokenParts(said);
  }

  users(names: readonly string[], watch: ChildWatch): Promise<string> {
    return this.#connected.sessions.ask((session) => postgresqlUsers((sql) => session.rows(sql), names), watch);
  }
}

/** Throws `database_unreachable` when there is none. */
async function findDumper(watch: ChildWatch): Promise<Dumper> {
  const program = findPostgresqlProgram('pg_dump');
  const known = await runCommand({ program, args: ['--help'], as: undefined }, '', watch);
  return { program, options: known.includes('--restrict-key') ? [RESTRICT_KEY] : [] };
}

/** A row of `pg_database`, of whose columns each version has some. */
interface DatabaseRow {
  readonly datctype: string | null;
  readonly datlocprovider?: string;
  readonly daticulocale?: string | null;
  readonly datlocale?: string | null;
  readonly daticurules?: string | null;
}

const PROVIDERS: Readonly<Record<string, DatabaseLocale['provider']>> = { c: 'libc', i: 'icu', b: 'builtin' };

function localeOf({ datctype, datlocprovider = 'c', daticulocale, datlocale = daticulocale, daticurules }: DatabaseRow): DatabaseLocale {
  return {
    provider: PROVIDERS[datlocprovider] ?? 'libc',
    ctype: datctype ?? '',
    ...(datlocale == null ? {} : { name: datlocale }),
    ...(daticurules == null ? {} : { rules: daticurules }),
  };
}

/** As the server's own programs take it, without the database. */
function connectionString({ host, port, user, as }: PostgresqlLogin, { credentials }: PostgresqlPlace): string {
  const values = {
    host,
    port: String(port),
    user,
    // A file that is not there: nothing is looked for in anybody's home.
    passfile: as === undefined ? credentials : '/dev/null',
    connect_timeout: '10',
    application_name: 'apiscp-backup',
  };
  return Object.entries(values)
    .map(([key, value]) => `${key}='${value.replaceAll(/[\\']/g, '\\$&')}'`)
    .join(' ');
}

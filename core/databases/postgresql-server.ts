import { existsSync, readFileSync } from 'node:fs';
import { Failure } from '../failure.ts';
import { type ChildWatch, type Command, runCommand } from './child.ts';
import type { DatabaseFacts, DatabaseServer, DumpPlan, Inventory, PostgresqlPlace } from './database-server.ts';
import { postgresqlUsers } from './postgresql-users.ts';
import { findPostgresqlProgram } from './programs.ts';

const ADMINISTRATOR = 'postgres';

/**
 * pg_dump puts a random key into each dump, and no two would be alike. This one is no secret: whoever loads a dump has a key of his own.
 */
const RESTRICT_KEY = '--restrict-key=apiscpbackup';

/** A table that somebody changes is waited for so long. */
const LOCK_WAIT = '10min';

const FIELD = '\u001f';
const RECORD = '\u001e';

/** PostgreSQL, through its own programs. */
export class PostgresqlServer implements DatabaseServer {
  readonly engine = 'postgresql';
  readonly version: string;
  readonly #login: Login;
  readonly #dumpOptions: readonly string[];

  /** Throws `database_unreachable` when nobody answers, or lets nobody in. */
  static async connect(place: PostgresqlPlace, watch: ChildWatch): Promise<PostgresqlServer> {
    const refused: string[] = [];
    for (const login of loginsTo(place)) {
      try {
        const [[version] = []] = await ask(login, ADMINISTRATOR, 'SHOW server_version', watch);
        const known = await runCommand({ program: findPostgresqlProgram('pg_dump'), args: ['--help'], as: undefined }, '', watch);
        return new PostgresqlServer(version ?? '', login, known.includes('--restrict-key') ? [RESTRICT_KEY] : []);
      } catch (error) {
        if (!(error instanceof Failure) || watch.signal.aborted) throw error;
        refused.push(error.message);
      }
    }
    throw new Failure('database_unreachable', refused.join('; '), { retry: true });
  }

  private constructor(version: string, login: Login, dumpOptions: readonly string[]) {
    this.version = version;
    this.#login = login;
    this.#dumpOptions = dumpOptions;
  }

  query(sql: string, watch: ChildWatch, database: string = ADMINISTRATOR): Promise<(string | null)[][]> {
    return ask(this.#login, database, sql, watch);
  }

  async inventory(watch: ChildWatch): Promise<Inventory> {
    // Those too that let nobody in, or are templates, as their owners can have it: a dump of them fails or not, but they are not gone.
    const sql = `SELECT datname, pg_encoding_to_char(encoding), datcollate, rolname FROM pg_database JOIN pg_roles r ON r.oid = datdba
      WHERE datname NOT IN ('template0', 'template1') ORDER BY datname`;
    const rows = (await this.query(sql, watch)) as string[][];
    const users = await this.query("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'", watch);
    return {
      databases: rows.map(([name, characterSet, collation]) => ({ name, characterSet, collation }) as DatabaseFacts),
      claims: rows.map(([database, , , user]) => ({ database: database as string, user: user as string })),
      users: users.map(([name]) => name as string),
    };
  }

  async planDump(name: string, watch: ChildWatch): Promise<DumpPlan | undefined> {
    const rows = await this.query('SELECT datname FROM pg_database', watch);
    if (!rows.some(([each]) => each === name)) return undefined;
    const options = ['--format=plain', '--no-password', `--lock-wait-timeout=${LOCK_WAIT}`, ...this.#dumpOptions];
    const args = [`--dbname=${connection(this.#login, name)}`, ...options];
    return { command: { program: findPostgresqlProgram('pg_dump'), args, as: this.#login.as }, consistency: 'snapshot', leftOut: [] };
  }

  users(names: readonly string[], watch: ChildWatch): Promise<string> {
    return postgresqlUsers((sql) => this.query(sql, watch), names);
  }
}

interface Login {
  readonly place: PostgresqlPlace;
  readonly passwordFile: string | undefined;
  readonly as: Command['as'];
}

/** The ways in which root may be let in, the one that was set up first. */
function loginsTo(place: PostgresqlPlace): Login[] {
  const logins: Login[] = existsSync(place.credentials) ? [{ place, passwordFile: place.credentials, as: undefined }] : [];
  const as = systemUser(ADMINISTRATOR);
  return as === undefined ? logins : [...logins, { place, passwordFile: undefined, as }];
}

/** The ids of a user of this system; undefined when there is none. */
function systemUser(name: string): Command['as'] {
  const line = readFileSync('/etc/passwd', 'latin1')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

function connection({ place, passwordFile }: Login, database: string): string {
  const values = {
    host: place.socket,
    port: String(place.port),
    user: ADMINISTRATOR,
    dbname: database,
    // A file that is not there: nothing is looked for in anybody's home.
    passfile: passwordFile ?? '/dev/null',
    connect_timeout: '10',
    application_name: 'apiscp-backup',
  };
  return Object.entries(values)
    .map(([key, value]) => `${key}='${value.replaceAll(/[\\']/g, '\\$&')}'`)
    .join(' ');
}

/** Asks by psql, whose commands begin with a backslash: statements have none. */
async function ask(login: Login, database: string, sql: string, watch: ChildWatch): Promise<(string | null)[][]> {
  if (sql.includes('\\')) throw new RangeError('a backslash would be a command of psql');
  const args = [
    `--dbname=${connection(login, database)}`,
    '--no-psqlrc',
    '--no-password',
    '--quiet',
    '--tuples-only',
    '--no-align',
    `--field-separator=${FIELD}`,
    `--record-separator=${RECORD}`,
    '--pset=null=\u0001',
    '--set=ON_ERROR_STOP=1',
  ];
  const output = await runCommand(
    { program: findPostgresqlProgram('psql'), args, as: login.as },
    `SET client_encoding = 'UTF8';\n${sql};\n`,
    watch,
  );
  const records = output.split(RECORD).map((record) => record.replace(/^\n/, ''));
  return records
    .filter((record) => record.replace(/\n$/, '') !== '')
    .map((record) =>
      record
        .replace(/\n$/, '')
        .split(FIELD)
        .map((value) => (value === '\u0001' ? null : value)),
    );
}

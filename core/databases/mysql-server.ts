import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ChildWatch, runCommand } from './child.ts';
import type { Consistency, DatabaseFacts, DatabaseServer, DumpPlan, Inventory, MysqlPlace } from './database-server.ts';
import { isSamePart, type LeftOut } from './left-out.ts';
import { isDatabase, serverKind } from './load/mysql/quoting.ts';
import { brokenParts, withoutParts } from './mysql-broken.ts';
import { grantOn } from './mysql-grants.ts';
import { mysqlUsers } from './mysql-users.ts';
import { brokenViews } from './mysql-views.ts';
import type { Claim } from './ownership.ts';
import { findProgram } from './programs.ts';
import { mysqlLogin } from './sessions/logins.ts';
import type { MysqlConnection } from './sessions/mysql-connection.ts';
import { SessionPool } from './sessions/session-pool.ts';

/** What belongs to the server itself. */
const OWN_DATABASES = "('information_schema','performance_schema','mysql','sys')";

/** Variables that name folders of live files, from the data's folder on. */
const DATA_FOLDERS = "'datadir','innodb_data_home_dir','innodb_undo_directory','innodb_log_group_home_dir','innodb_directories'";

const DUMP_OPTIONS = [
  '--quick',
  '--routines',
  '--events',
  '--triggers',
  '--hex-blob',
  '--skip-dump-date',
  '--no-tablespaces',
  '--default-character-set=utf8mb4',
  // A row may have several values, each of which may be as long as the server takes.
  '--max-allowed-packet=1G',
  // An option file of root's may have these for other dumps.
  '--skip-no-data',
  '--skip-no-create-info',
];

/** What only MySQL's own program knows, and needs: what it would add belongs to the server or cannot be loaded elsewhere. */
const DUMP_OPTIONS_IF_KNOWN = ['--set-gtid-purged=OFF', '--column-statistics=0'];

/** With the rows that tables had before; known from MariaDB 10.11 on. */
const WITH_HISTORY = '--dump-history';

/** A server that has answered, and how it is asked. */
interface Connected {
  readonly version: string;
  readonly sessions: SessionPool<MysqlConnection>;
  /** Options of the dumping program that say where the server is and who asks. */
  readonly login: readonly string[];
  /** Engines whose tables a transaction shows as they were when it began. */
  readonly transactional: ReadonlySet<string>;
}

/** The dumping program, and the options that it knows. */
interface Dumper {
  readonly program: string;
  readonly options: readonly string[];
  readonly knowsHistory: boolean;
}

/** MariaDB or MySQL: asked over its socket, dumped by its own program. */
export class MysqlServer implements DatabaseServer {
  readonly engine = 'mysql';
  readonly version: string;
  readonly #sessions: SessionPool<MysqlConnection>;
  readonly #login: readonly string[];
  #dumper: Promise<Dumper> | undefined;
  readonly #transactional: ReadonlySet<string>;

  /** Throws `database_unreachable` when nobody answers, or does not let root in. */
  static async connect({ socket, credentials }: MysqlPlace, watch: ChildWatch): Promise<MysqlServer> {
    const options = existsSync(credentials) ? [`--defaults-file=${credentials}`] : ['--no-defaults', '--user=root'];
    const login = [...options, '--protocol=socket', `--socket=${socket}`];
    // A run on a server without databases loads no driver.
    const { MysqlConnection } = await import('./sessions/mysql-connection.ts');
    const sessions = new SessionPool(async () => {
      const session = await MysqlConnection.open(mysqlLogin(socket, credentials));
      // What the server has by default would write the same users in another way.
      await session.query("SET sql_mode = ''");
      return session;
    });
    const [[version] = []] = await sessions.ask((session) => session.rows('SELECT VERSION()'), watch);
    const engines = await sessions.ask(
      (session) => session.rows("SELECT engine FROM information_schema.engines WHERE transactions = 'YES'"),
      watch,
    );
    const transactional = new Set(engines.flatMap(([engine]) => engine ?? []));
    return new MysqlServer({ version: version ?? '', sessions, login, transactional });
  }

  private constructor({ version, sessions, login, transactional }: Connected) {
    this.version = version;
    this.#sessions = sessions;
    this.#login = login;
    this.#transactional = transactional;
  }

  async close(): Promise<void> {
    await this.#sessions.close();
  }

  async inventory(watch: ChildWatch): Promise<Inventory> {
    return await this.#sessions.ask(async (session) => {
      const databases = (
        await session.rows(
          `SELECT schema_name, default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name NOT IN ${OWN_DATABASES}`,
        )
      ).map(([name, characterSet, collation]) => ({ name, characterSet, collation }) as DatabaseFacts);
      const grants = (await session.rows("SELECT db, user FROM mysql.db WHERE user <> ''")) as [string, string][];
      const claims = grants.flatMap(([pattern, user]): Claim[] => {
        const grant = grantOn(pattern);
        return databases.filter(({ name }) => grant(name)).map(({ name }) => ({ database: name, user }));
      });
      const users = (await session.rows("SELECT DISTINCT user FROM mysql.user WHERE user <> ''")) as [string][];
      return { databases, claims, users: users.map(([name]) => name) };
    }, watch);
  }

  async dataFolders(watch: ChildWatch): Promise<string[]> {
    const rows = await this.#sessions.ask(
      (session) => session.rows(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${DATA_FOLDERS})`),
      watch,
    );
    const datadir = rows.find(([name]) => name === 'datadir')?.[1] ?? '/';
    return rows.flatMap(([, value]) => (value ?? '').split(';').filter(Boolean)).map((folder) => resolve(datadir, folder));
  }

  async planDump(name: string, without: readonly LeftOut[], watch: ChildWatch): Promise<DumpPlan | undefined> {
    const found = await this.#sessions.ask((session) => lookAt(session, name, this.#transactional), watch);
    if (found === undefined) return undefined;
    const { consistency, broken, history } = found;
    const moment = consistency === 'locked' ? '--lock-tables' : '--single-transaction';
    // Restores and lists do without the program.
    this.#dumper ??= findDumper(watch);
    const { program, options, knowsHistory } = await this.#dumper;
    const noHistory = history === 'none' ? undefined : whyNoHistory(history, knowsHistory);
    const known: LeftOut[] = noHistory === undefined ? [...broken] : [...broken, { kind: 'history', name: '', reason: noHistory }];
    const leftOut = [...known, ...without.filter((part) => !known.some((other) => isSamePart(part, other)))];
    const more = history !== 'none' && noHistory === undefined ? [WITH_HISTORY] : [];
    const args = [...this.#login, ...options, ...more, moment, ...withoutParts(name, leftOut), '--', name];
    return { command: { program, args, as: undefined }, consistency, leftOut };
  }

  brokenParts(name: string, said: string, watch: ChildWatch): Promise<LeftOut[]> {
    return this.#sessions.ask((session) => brokenParts(session, name, said), watch);
  }

  users(names: readonly string[], watch: ChildWatch): Promise<string> {
    return this.#sessions.ask((session) => mysqlUsers(session, names, serverKind(this.version)), watch);
  }
}

/** Throws `database_unreachable` when there is none. */
async function findDumper(watch: ChildWatch): Promise<Dumper> {
  const program = findProgram(['mariadb-dump', 'mysqldump']);
  const known = await runCommand({ program, args: ['--no-defaults', '--help'], as: undefined }, '', watch);
  const more = DUMP_OPTIONS_IF_KNOWN.filter((option) => known.includes((option.split('=')[0] as string).slice('--'.length)));
  return { program, options: [...DUMP_OPTIONS, ...more], knowsHistory: known.includes(WITH_HISTORY) };
}

/** Undefined: a dump can have it. */
function whyNoHistory(history: History, isKnown: boolean): string | undefined {
  if (history === 'by transaction') return 'tables that are versioned by transaction show their history to no dump';
  return isKnown ? undefined : 'this version of the dumping program leaves it out';
}

/** By what the tables of a database that keep former rows know when those were; `by transaction` when one of them does by that. */
type History = 'none' | 'by time' | 'by transaction';

async function historyOf(session: MysqlConnection, name: string): Promise<History> {
  const byTransaction = await session.rows(
    `SELECT 1 FROM information_schema.columns WHERE ${isDatabase('table_schema', name)} AND generation_expression = 'ROW START' AND data_type = 'bigint' LIMIT 1`,
  );
  return byTransaction.length > 0 ? 'by transaction' : 'by time';
}

/**
 * What decides how a database is dumped; undefined when there is none of that name. One question for nearly all: `information_schema` opens
 * each table for it.
 */
async function lookAt(
  session: MysqlConnection,
  name: string,
  transactional: ReadonlySet<string>,
): Promise<{ readonly consistency: Consistency; readonly broken: readonly LeftOut[]; readonly history: History } | undefined> {
  const rows = await session.rows(
    `SELECT DISTINCT IF(table_type = 'VIEW', table_name, NULL), IF(table_type IN ('BASE TABLE', 'SYSTEM VERSIONED'), engine, NULL), table_type
      FROM information_schema.tables WHERE ${isDatabase('table_schema', name)}`,
  );
  if (rows.length === 0) {
    const exists = await session.rows(`SELECT 1 FROM information_schema.schemata WHERE ${isDatabase('schema_name', name)}`);
    return exists.length === 0 ? undefined : { consistency: 'snapshot', broken: [], history: 'none' };
  }
  const views = rows.flatMap(([view]) => view ?? []);
  const engines = rows.flatMap(([, engine]) => engine ?? []);
  // Tables without transactions are of one moment only while nobody writes to them.
  const consistency = engines.every((engine) => transactional.has(engine)) ? 'snapshot' : 'locked';
  const history = rows.some(([, , type]) => type === 'SYSTEM VERSIONED') ? await historyOf(session, name) : 'none';
  return { consistency, broken: await brokenViews(session, name, views, consistency), history };
}

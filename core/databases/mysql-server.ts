import { existsSync } from 'node:fs';
import { type ChildWatch, type Command, runCommand } from './child.ts';
import type { DatabaseFacts, DatabaseServer, DumpPlan, Inventory, MysqlPlace } from './database-server.ts';
import { grantOn } from './mysql-grants.ts';
import { mysqlUsers } from './mysql-users.ts';
import { brokenViews } from './mysql-views.ts';
import type { Claim } from './ownership.ts';
import { findProgram } from './programs.ts';

/** What belongs to the server itself. */
const OWN_DATABASES = "('information_schema','performance_schema','mysql','sys')";

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
];

/** What only MySQL's own program knows, and needs: what it would add belongs to the server or cannot be loaded elsewhere. */
const DUMP_OPTIONS_IF_KNOWN = ['--set-gtid-purged=OFF', '--column-statistics=0'];

/** A server that has answered, and the programs that ask it. */
interface Connected {
  readonly version: string;
  /** Options that say where it is and who asks. */
  readonly login: readonly string[];
  readonly client: string;
  readonly dumper: string;
  readonly dumpOptions: readonly string[];
}

/** MariaDB or MySQL, through its own programs. */
export class MysqlServer implements DatabaseServer {
  readonly engine = 'mysql';
  readonly version: string;
  readonly #login: readonly string[];
  readonly #client: string;
  readonly #dumper: string;
  readonly #dumpOptions: readonly string[];

  /** Throws `database_unreachable` when nobody answers, or does not let root in. */
  static async connect(place: MysqlPlace, watch: ChildWatch): Promise<MysqlServer> {
    const options = existsSync(place.credentials) ? [`--defaults-file=${place.credentials}`] : ['--no-defaults', '--user=root'];
    const login = [...options, '--protocol=socket', `--socket=${place.socket}`];
    const client = findProgram(['mariadb', 'mysql']);
    const dumper = findProgram(['mariadb-dump', 'mysqldump']);
    const [[version] = []] = await ask({ program: client, login }, 'SELECT VERSION()', watch);
    const known = await runCommand({ program: dumper, args: ['--no-defaults', '--help'], as: undefined }, '', watch);
    const more = DUMP_OPTIONS_IF_KNOWN.filter((option) => known.includes((option.split('=')[0] as string).slice('--'.length)));
    return new MysqlServer({ version: version ?? '', login, client, dumper, dumpOptions: [...DUMP_OPTIONS, ...more] });
  }

  private constructor({ version, login, client, dumper, dumpOptions }: Connected) {
    this.version = version;
    this.#login = login;
    this.#client = client;
    this.#dumper = dumper;
    this.#dumpOptions = dumpOptions;
  }

  query(sql: string, watch: ChildWatch, database?: string): Promise<(string | null)[][]> {
    return ask({ program: this.#client, login: this.#login, database }, sql, watch);
  }

  async inventory(watch: ChildWatch): Promise<Inventory> {
    const names = `SELECT 'database', schema_name, default_character_set_name, default_collation_name
      FROM information_schema.schemata WHERE schema_name NOT IN ${OWN_DATABASES}`;
    const grants = "SELECT 'grant', db, user FROM mysql.db WHERE user <> ''";
    const users = "SELECT DISTINCT 'user', user FROM mysql.user WHERE user <> ''";
    const rows = await this.query([names, grants, users].join(';\n'), watch);
    const of = (kind: string) => rows.filter(([first]) => first === kind).map((row) => row.slice(1).map(nameOf));
    const databases = of('database').map(([name, characterSet, collation]) => ({ name, characterSet, collation }) as DatabaseFacts);
    const claims = of('grant').flatMap(([pattern, user]): Claim[] => {
      const grant = grantOn(pattern as string);
      return databases.filter(({ name }) => grant(name)).map(({ name }) => ({ database: name, user: user as string }));
    });
    return { databases, claims, users: of('user').map(([name]) => name as string) };
  }

  async planDump(name: string, watch: ChildWatch): Promise<DumpPlan | undefined> {
    const schema = textLiteral(name);
    // The server's lists do not tell `a` and `A` apart, nor `a` and `á`.
    const isIts = (column: string): string => `${column} = ${schema} AND CAST(${column} AS BINARY) = CAST(${schema} AS BINARY)`;
    const exists = `SELECT 'database', schema_name FROM information_schema.schemata WHERE ${isIts('schema_name')}`;
    const plain = `SELECT 'plain', t.table_name FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine
      WHERE ${isIts('t.table_schema')} AND t.table_type = 'BASE TABLE' AND e.transactions <> 'YES' LIMIT 1`;
    const views = `SELECT 'view', table_name FROM information_schema.views WHERE ${isIts('table_schema')}`;
    const rows = await this.query([exists, plain, views].join(';\n'), watch);
    const of = (wanted: string) => rows.filter(([kind]) => kind === wanted).map(([, value]) => nameOf(value));
    if (of('database').length === 0) return undefined;
    // Tables without transactions are of one moment only while nobody writes to them.
    const consistency = of('plain').length > 0 ? 'locked' : 'snapshot';
    const broken = await brokenViews((sql) => this.query(sql, watch), name, of('view'), consistency);
    const ignored = broken.map(({ view }) => `--ignore-table=${name}.${view}`);
    const moment = consistency === 'locked' ? '--lock-tables' : '--single-transaction';
    const args = [...this.#login, ...this.#dumpOptions, moment, ...ignored, '--', name];
    const leftOut = broken.map(({ view, reason }) => `the view ${view} cannot be dumped: ${reason}`);
    return { command: { program: this.#dumper, args, as: undefined }, consistency, leftOut };
  }

  users(names: readonly string[], watch: ChildWatch): Promise<string> {
    return mysqlUsers((sql) => this.query(sql, watch), names);
  }
}

/** A text as SQL that no setting of the server reads otherwise. */
function textLiteral(text: string): string {
  return text === '' ? "''" : `CONVERT(0x${Buffer.from(text, 'utf8').toString('hex')} USING utf8mb4)`;
}

/** Every name is a text: what the client writes as if there were none is called so. */
function nameOf(value: string | null | undefined): string {
  return value ?? 'NULL';
}

interface Client {
  readonly program: string;
  readonly login: readonly string[];
  readonly database?: string | undefined;
}

/** Asks by the client program: whatever stands in its input is SQL and no command of the client. */
async function ask({ program, login, database }: Client, sql: string, watch: ChildWatch): Promise<(string | null)[][]> {
  const options = ['--batch', '--skip-column-names', '--binary-mode', '--default-character-set=utf8mb4', '--connect-timeout=10'];
  const command: Command = { program, args: [...login, ...options, ...(database === undefined ? [] : ['--', database])], as: undefined };
  const output = await runCommand(command, `${sql};\n`, watch);
  const lines = output === '' ? [] : output.replace(/\n$/, '').split('\n');
  return lines.map((line) => line.split('\t').map(unescaped));
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '\0', '\\': '\\' };

/** A value as the client writes it in batch mode. */
function unescaped(value: string): string | null {
  return value === 'NULL' ? null : value.replaceAll(/\\([nt0\\])/g, (_, letter: string) => ESCAPED[letter] as string);
}

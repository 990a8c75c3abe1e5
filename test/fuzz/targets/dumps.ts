import { loadMysqlDump } from '../../../core/databases/load/mysql/load.ts';
import { serverKind } from '../../../core/databases/load/mysql/quoting.ts';
import { rebuildMysqlUsers } from '../../../core/databases/load/mysql/users.ts';
import { loadPostgresqlDump } from '../../../core/databases/load/postgresql/load.ts';
import { rebuildPostgresqlUsers } from '../../../core/databases/load/postgresql/users.ts';
import { LoadRoom } from '../../../core/databases/load/room.ts';
import { StatementLimit } from '../../../core/databases/load/statement-limit.ts';
import type { MysqlConnection } from '../../../core/databases/sessions/mysql-connection.ts';
import type { PostgresqlConnection } from '../../../core/databases/sessions/postgresql-connection.ts';
import { asFailure } from '../../../core/failure.ts';
import { dumpCounter } from '../../../core/scan/stream/dump-counter.ts';
import type { Target } from '../target.ts';
import { MYSQL_DUMP, MYSQL_USERS, POSTGRESQL_DUMP, POSTGRESQL_USERS } from './sample-dumps.ts';

const SERVER = serverKind('10.11.19-MariaDB-log');
const OWN = {
  ...{ prefix: 'one_', user: 'owner1', isServer: false, databases: new Set(['wp']) },
  ...{ ownsUser: () => true, ownsDatabase: () => true, ownsAllWith: () => true },
};

async function* pieces(input: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < input.length; at += length) yield input.subarray(at, at + length);
}

type Load = (dump: AsyncIterable<Buffer>, hear: (text: string) => void) => Promise<unknown>;

/** All that a server would hear of a dump that comes in pieces of a length, and how it ends. */
async function heard(load: Load, input: Buffer, length: number): Promise<string> {
  const all: string[] = [];
  let end = 'loaded';
  try {
    await load(pieces(input, length), (text) => void all.push(text));
  } catch (error) {
    const { code, message } = asFailure(error);
    if (code !== 'dump_refused') throw error;
    end = `${code} ${message}`;
  }
  return `${all.join('\n;;\n')}\n${end}`;
}

/** Hears the same in whatever pieces a dump comes. */
async function same(load: Load, input: Buffer): Promise<void> {
  const whole = await heard(load, input, Math.max(1, input.length));
  // In very short pieces a long one would take as long as a hundred short ones.
  const inPieces = await heard(load, input, Math.max(13, Math.floor(input.length / 200)));
  if (whole !== inPieces) throw new Error(`another meaning when it comes in pieces:\n${difference(whole, inPieces)}`);
}

function difference(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return JSON.stringify([a.slice(Math.max(0, at - 60), at + 60), b.slice(Math.max(0, at - 60), at + 60)]);
}

const NO_LIMIT = new StatementLimit(2 ** 31 - 1, () => {});

const loadMysql: Load = (dump, hear) => {
  const connection = {
    execute: async (bytes: Buffer) => hear(bytes.latin1Slice()),
    query: async (sql: string) => {
      hear(sql);
      return [];
    },
  } as unknown as MysqlConnection;
  const order = {
    connection,
    limit: NO_LIMIT,
    room: new LoadRoom([]),
    shadow: 'shadow',
    database: 'one_wp',
    signal: new AbortController().signal,
    progress: () => {},
  };
  return loadMysqlDump({ ...order, dump, server: SERVER });
};

const loadPostgresql: Load = (dump, hear) => {
  const connection = {
    execute: async (bytes: Buffer) => hear(bytes.latin1Slice()),
    query: async (sql: string) => {
      hear(sql);
      // The one question whose answer it cannot do without.
      return [{ name: 'UTF8' }];
    },
    copy: async (bytes: Buffer, rows: AsyncIterable<Buffer>) => {
      const all: Buffer[] = [bytes];
      for await (const row of rows) all.push(row);
      hear(Buffer.concat(all).latin1Slice());
    },
  } as unknown as PostgresqlConnection;
  const asked = { schemas: ['one'], looksAlways: false, lacksRows: false, makeExtension: async () => true, room: new LoadRoom([]) };
  const order = { connection, limit: NO_LIMIT, ...asked, signal: new AbortController().signal, progress: () => {} };
  return loadPostgresqlDump({ ...order, dump });
};

/** What is counted is the same in whatever pieces a dump comes. */
function counted(kind: 'mysql' | 'postgresql', input: Buffer): void {
  const counts = [input.length, 7].map((length) => {
    const counter = dumpCounter(kind);
    for (let at = 0; at < input.length; at += Math.max(1, length)) counter.take(input.subarray(at, at + Math.max(1, length)));
    return `${counter.tables} ${counter.rows}`;
  });
  if (counts[0] !== counts[1]) throw new Error(`another count when it comes in pieces: ${counts.join(', ')}`);
}

const SQL = [
  "''",
  '""',
  '``',
  '\\',
  '/*!50003 ',
  '/*M!100100 ',
  '*/',
  '-- ',
  '#',
  '$tag$',
  '$$',
  '$1',
  "E'",
  "U&'",
  'DELIMITER ;;\n',
  'delimiter',
  ';\n',
  '\\.\n',
  'BEGIN',
  'END',
  'CASE',
  'ATOMIC',
  '\\restrict apiscpbackup\n',
  '(',
  ')',
  '@@',
  'DEFINER=',
  'SET ',
  'CREATE ',
  'ALTER ',
  'DEFAULT ',
  'PRIVILEGES ',
  'OWNER ',
  'TO ',
  'COPY ',
  'FROM stdin;',
  'VALUES ',
];

export const dumpTargets: readonly Target[] = [
  { name: 'dump-mysql', refuses: [], words: SQL, seeds: () => MYSQL_DUMP, run: (input) => same(loadMysql, input) },
  { name: 'dump-postgresql', refuses: [], words: SQL, seeds: () => POSTGRESQL_DUMP, run: (input) => same(loadPostgresql, input) },
  { name: 'dump-counts-mysql', refuses: [], words: SQL, seeds: () => MYSQL_DUMP, run: (input) => counted('mysql', input) },
  { name: 'dump-counts-postgresql', refuses: [], words: SQL, seeds: () => POSTGRESQL_DUMP, run: (input) => counted('postgresql', input) },
  {
    name: 'users-mysql',
    refuses: ['dump_refused'],
    words: [...SQL, 'CREATE USER ', 'GRANT ', 'ALL PRIVILEGES', ' ON ', 'IDENTIFIED ', 'VIA ', 'USING '],
    seeds: () => MYSQL_USERS,
    run: (input) => void rebuildMysqlUsers(input.toString('utf8'), OWN, SERVER),
  },
  {
    name: 'users-postgresql',
    refuses: ['dump_refused'],
    words: [...SQL, 'CREATE ROLE ', 'GRANT ', 'ALTER ROLE ', 'PASSWORD '],
    seeds: () => POSTGRESQL_USERS,
    run: (input) => void rebuildPostgresqlUsers(input.toString('utf8'), OWN),
  },
];

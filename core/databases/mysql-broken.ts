import { Failure } from '../failure.ts';
import type { LeftOut } from './left-out.ts';
import { isDatabase, quoteName } from './load/mysql/quoting.ts';
import type { MysqlConnection } from './sessions/mysql-connection.ts';

/** What breaks a dump off and is no fault of what was being read: the server, its room, or somebody who ended the dump. Numbers of errors. */
const OF_THE_SERVER: ReadonlySet<number> = new Set([
  ...[1021, 1037, 1038, 1040, 1041, 1044, 1045, 1053, 1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226],
  ...[1317, 1836, 1927, 1969, 2002, 2003, 2006, 2013, 2026, 2027, 3024, 3168, 4031],
]);

/** What a dumping program says when it cannot read code of a database, and the kind that is left out then. */
const CODE: readonly { readonly said: RegExp; readonly kind: 'triggers' | 'routines' | 'events' }[] = [
  { said: /SHOW (?:CREATE )?TRIGGERS?\b/i, kind: 'triggers' },
  { said: /SHOW (?:CREATE )?(?:FUNCTION|PROCEDURE|PACKAGE|PACKAGE BODY)\b/i, kind: 'routines' },
  { said: /SHOW (?:CREATE )?EVENTS?\b/i, kind: 'events' },
];

/** The options of the dumping program that leave something out. */
export function withoutParts(database: string, parts: readonly LeftOut[]): string[] {
  // Of history there is an option to have it, and none to leave it out.
  const others = parts.filter(({ kind }) => kind !== 'history');
  return others.map(({ kind, name }) => (kind === 'table' || kind === 'view' ? `--ignore-table=${database}.${name}` : `--skip-${kind}`));
}

/**
 * What of a database broke a dump off, by what the dumping program said and what the server says when it opens each table: a crashed table
 * may be noticed only by who reads all of it. Nothing when it was the server's fault.
 */
export async function brokenParts(session: Pick<MysqlConnection, 'rows'>, database: string, said: string): Promise<LeftOut[]> {
  if (errorNumbers(said).some((number) => OF_THE_SERVER.has(number))) return [];
  const reason = said.replace(/^.*?(?:mariadb-dump|mysqldump): /s, '');
  const reading = /when dumping table `((?:[^`]|``)+)` at row/.exec(said)?.[1];
  if (reading !== undefined) return [{ kind: 'table', name: reading.replaceAll('``', '`'), reason }];
  const broken = await unopenedTables(session, database);
  if (broken.length > 0) return broken;
  const code = CODE.find((each) => each.said.test(said));
  return code === undefined ? [] : [{ kind: code.kind, name: '', reason }];
}

/** `Got error: 1194: "…"`, `Error 1194: …`, `Couldn't execute '…': … (1017)`. */
function errorNumbers(said: string): number[] {
  return [...said.matchAll(/\berror:? (\d{4})\b|\((\d{4})\)/gi)].map(([, named, behind]) => Number(named ?? behind));
}

/** Seconds that a table is waited for which somebody has locked: it is not broken for that. */
const LOCK_PATIENCE = 5;

/** Tables and views that the server cannot open. */
export async function unopenedTables(session: Pick<MysqlConnection, 'rows'>, database: string): Promise<LeftOut[]> {
  const tables = await session.rows(
    `SELECT table_name, table_type FROM information_schema.tables WHERE ${isDatabase('table_schema', database)}`,
  );
  const [[patience] = []] = await session.rows('SELECT @@SESSION.lock_wait_timeout');
  await session.rows(`SET lock_wait_timeout = ${LOCK_PATIENCE}`);
  const broken: LeftOut[] = [];
  for (const [name, type] of tables as [string, string][]) {
    const table = `${quoteName(database)}.${quoteName(name)}`;
    try {
      await session.rows(`SHOW CREATE TABLE ${table}`);
      // Of a view this opens what it reads.
      await session.rows(`SHOW FIELDS FROM ${table}`);
      if (type !== 'VIEW') await session.rows(`SELECT * FROM ${table} LIMIT 0`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code === 'database_refused') broken.push({ kind: type === 'VIEW' ? 'view' : 'table', name, reason: error.message });
      else if (error.code !== 'database_busy') throw error;
    }
  }
  await session.rows(`SET lock_wait_timeout = ${Number(patience)}`);
  return broken;
}

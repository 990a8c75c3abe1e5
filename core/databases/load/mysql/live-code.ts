import { Failure } from '../../../failure.ts';
import type { MysqlConnection } from '../../sessions/mysql-connection.ts';
import { type CodeKind, parseCreate } from './code-objects.ts';
import { isDatabase, quoteName, quoteText } from './quoting.ts';
import { readingOf } from './session.ts';

/** How to make a code object of a database again, exactly; can be kept as JSON. */
export interface KeptCode {
  readonly kind: CodeKind;
  readonly name: string;
  /** Of MySQL: what the session has to be set to first. */
  readonly settings: Readonly<Record<string, string>>;
  /** Base64 of the bytes as the server gave them. */
  readonly statement: string;
}

/** The kinds, where their names stand, and the column of their database. */
const LISTS: readonly (readonly [kind: CodeKind, names: string, database: string])[] = [
  ['TRIGGER', 'TRIGGER_NAME AS name FROM information_schema.TRIGGERS', 'TRIGGER_SCHEMA'],
  ['PROCEDURE', "ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PROCEDURE'", 'ROUTINE_SCHEMA'],
  ['FUNCTION', "ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'FUNCTION'", 'ROUTINE_SCHEMA'],
  ['VIEW', 'TABLE_NAME AS name FROM information_schema.VIEWS', 'TABLE_SCHEMA'],
  ['EVENT', 'EVENT_NAME AS name FROM information_schema.EVENTS', 'EVENT_SCHEMA'],
];

/** Triggers of one moment run in an order of their own. */
const ORDER: Partial<Record<CodeKind, string>> = {
  TRIGGER: ' ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER',
};

export interface CodeName {
  readonly kind: CodeKind;
  readonly name: string;
}

/** Every view, trigger, routine and event of a database. */
export async function listCode(admin: MysqlConnection, database: string): Promise<CodeName[]> {
  const found: CodeName[] = [];
  for (const [kind, names, column] of LISTS) {
    const where = `${names.includes(' WHERE ') ? 'AND' : 'WHERE'} ${isDatabase(column, database)}${ORDER[kind] ?? ''}`;
    for (const { name } of await admin.query(`SELECT ${names} ${where}`)) found.push({ kind, name: name! });
  }
  return found;
}

/** Where the statement, and the session's values before and after it, stand in the answer of `SHOW CREATE`. */
const COLUMNS: Record<CodeKind, { readonly statement: number; readonly mode?: number; readonly zone?: number; readonly client: number }> = {
  TRIGGER: { statement: 2, mode: 1, client: 3 },
  PROCEDURE: { statement: 2, mode: 1, client: 3 },
  FUNCTION: { statement: 2, mode: 1, client: 3 },
  VIEW: { statement: 1, client: 2 },
  EVENT: { statement: 3, mode: 1, zone: 2, client: 4 },
};

/** Takes down a code object of the session's database, so that it can be made again. Throws what the server says of one that is broken. */
export async function keepCode(admin: MysqlConnection, { kind, name }: CodeName): Promise<KeptCode> {
  const { statement, mode, zone, client } = COLUMNS[kind];
  await admin.query('SET character_set_results = NULL');
  try {
    const row = await admin.bytes(`SHOW CREATE ${kind} ${quoteName(name)}`);
    const settings: Record<string, string> = {
      character_set_client: row[client]!.toString(),
      collation_connection: row[client + 1]!.toString(),
      ...(mode === undefined ? {} : { sql_mode: row[mode]!.toString() }),
      ...(zone === undefined ? {} : { time_zone: row[zone]!.toString() }),
    };
    return { kind, name, settings, statement: row[statement]!.toString('base64') };
  } finally {
    await admin.query('SET character_set_results = utf8mb4');
  }
}

/**
 * Makes one again, with the same definer, in the session's database. `from`: the database that it is of, when that is another one:
 * an event sleeps then, and a trigger that names it is made of this one.
 */
export async function makeKeptCode(connection: MysqlConnection, code: KeptCode, from: string | undefined): Promise<void> {
  const { kind, name, settings } = code;
  const statement = kind === 'TRIGGER' && from !== undefined ? unqualifiedTrigger(code, from) : Buffer.from(code.statement, 'base64');
  await withSettings(connection, settings, async () => {
    await connection.execute(statement);
  });
  if (kind === 'EVENT' && from !== undefined) await connection.query(`ALTER EVENT ${quoteName(name)} DISABLE`);
}

function unqualifiedTrigger({ settings, statement }: KeptCode, from: string): Buffer {
  const text = Buffer.from(statement, 'base64').latin1Slice();
  const parsed = parseCreate(text, readingOf(settings.sql_mode ?? ''), from);
  if (parsed?.definer === undefined) throw new Failure('dump_refused', 'a trigger has no definer');
  const { user, host } = parsed.definer;
  return Buffer.from(parsed.withDefiner(`${quoteName(user)}@${quoteName(host)}`), 'latin1');
}

/** Executes with variables of the session set to the values of the code's own, and as usual afterwards. */
export async function withSettings(
  connection: MysqlConnection,
  settings: Readonly<Record<string, string>>,
  execute: () => Promise<void>,
): Promise<void> {
  const assignments = Object.entries(settings).map(([name, value]) => `${name} = ${/^\w+$/.test(value) ? `'${value}'` : quoteText(value)}`);
  if (assignments.length > 0) await connection.query(`SET ${assignments.join(', ')}`);
  try {
    await execute();
  } finally {
    await connection.query("SET NAMES utf8mb4, sql_mode = '', time_zone = 'SYSTEM'");
  }
}

export async function dropCode(admin: MysqlConnection, { kind, name }: CodeName): Promise<void> {
  await admin.query(`DROP ${kind} IF EXISTS ${quoteName(name)}`);
}

import { Failure } from '../../../failure.ts';
import { MysqlConnection } from '../../sessions/mysql-connection.ts';
import type { Account, CodeKind } from './code-objects.ts';
import { listCode, withSettings } from './live-code.ts';
import type { CodeObject } from './load.ts';
import { isDatabase, plainWord, quoteName, quotePattern } from './quoting.ts';
import { isBeyond } from './refusals.ts';
import type { TemporaryLogin } from './temporary-login.ts';

/** What the restored views, triggers, routines and events are made with. */
export interface CodeOrder {
  readonly admin: MysqlConnection;
  /** Who makes them; may name definers. */
  readonly login: TemporaryLogin;
  readonly code: readonly CodeObject[];
  /** The live one, which has the restored tables. */
  readonly database: string;
  /** The account's own users, its main one first. */
  readonly definers: readonly Account[];
  /** Further databases of the account, which a view may read. */
  readonly ownDatabases: readonly string[];
}

/** What is not there afterwards, because of something outside of its database. */
export interface LeftOut {
  readonly kind: CodeKind;
  readonly name: string;
  /** As the server says it. */
  readonly reason: string;
}

/** What became of the code of a dump. */
export interface MadeCode {
  readonly leftOut: readonly LeftOut[];
  /** Events whose time has passed and that do not stay after it: the server makes none of them. */
  readonly over: readonly string[];
}

/** Routines before the views that use them, views before what reads them. */
const ORDER = ['FUNCTION', 'PROCEDURE', 'VIEW', 'TRIGGER', 'EVENT'];

/**
 * Makes what a dump has, for the definers that the account has. What needs something outside of its database that is not the account's, or is
 * gone, is left out.
 *
 * @throws Failure `dump_refused` when something made itself another's, `database_differs` when it is not what the dump has
 */
export async function makeCode(order: CodeOrder): Promise<MadeCode> {
  const connection = await MysqlConnection.open(order.login, order.database);
  try {
    const leftOut = await makeAll(order, connection);
    const over = await checkCode(order, leftOut);
    return { leftOut, over };
  } finally {
    await connection.close();
  }
}

async function makeAll(order: CodeOrder, connection: MysqlConnection): Promise<LeftOut[]> {
  let missing = order.code.toSorted((a, b) => ORDER.indexOf(a.statement.kind) - ORDER.indexOf(b.statement.kind));
  let maySeeOthers = false;
  for (;;) {
    const failed: { readonly object: CodeObject; readonly error: Failure }[] = [];
    for (const object of missing) {
      try {
        await make(object, order, connection);
      } catch (error) {
        if (!isBeyond(error, object.statement.kind)) throw error;
        failed.push({ object, error });
      }
    }
    if (failed.length === missing.length) {
      if (maySeeOthers || failed.length === 0)
        return failed.map(({ object: { statement }, error }) => ({ ...pick(statement), reason: error.message }));
      await letSeeOthers(order);
      maySeeOthers = true;
    }
    // A view may need one that comes later.
    missing = failed.map(({ object }) => object);
  }
}

const pick = ({ kind, name }: CodeObject['statement']) => ({ kind, name });

async function letSeeOthers({ admin, login, ownDatabases }: CodeOrder): Promise<void> {
  for (const database of ownDatabases)
    await admin.query(`GRANT SELECT, SHOW VIEW, EXECUTE ON ${quotePattern(database)}.* TO ${login.quoted}`);
}

async function make(
  { statement, session, databaseDefaults }: CodeObject,
  { admin, database, definers }: CodeOrder,
  connection: MysqlConnection,
): Promise<void> {
  const own = definers.find(({ user, host }) => user === statement.definer?.user && host === statement.definer.host) ?? definers[0]!;
  const text = statement.withDefiner(`${quoteName(own.user)}@${quoteName(own.host)}`);
  const execute = () =>
    withSettings(connection, Object.fromEntries(session), async () => void (await connection.execute(Buffer.from(text, 'latin1'))));
  if (databaseDefaults === undefined) return await execute();
  const [now] = await admin.query(
    `SELECT DEFAULT_CHARACTER_SET_NAME AS cs, DEFAULT_COLLATION_NAME AS co FROM information_schema.SCHEMATA WHERE ${isDatabase('SCHEMA_NAME', database)}`,
  );
  await admin.query(`ALTER DATABASE ${quoteName(database)} ${databaseDefaults}`);
  try {
    await execute();
  } finally {
    await admin.query(`ALTER DATABASE ${quoteName(database)} CHARACTER SET ${plainWord(now!.cs!)} COLLATE ${plainWord(now!.co!)}`);
  }
}

/**
 * All that the dump has is there but for what was left out, nothing else, and all of it is the account's.
 *
 * @returns events that are not there because they are over
 */
async function checkCode({ admin, code, database, definers }: CodeOrder, leftOut: readonly LeftOut[]): Promise<string[]> {
  const key = ({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`;
  const missing = new Set(leftOut.map(key));
  const found = (await listCode(admin, database)).map(key).toSorted();
  const wanted = code.map(({ statement }) => statement).filter((each) => !missing.has(key(each)));
  const over = wanted.filter((each) => each.kind === 'EVENT' && each.canBeOver && !found.includes(key(each)));
  const expected = wanted
    .filter((each) => !over.includes(each))
    .map(key)
    .toSorted();
  if (found.join('\n') !== expected.join('\n')) {
    throw new Failure('database_differs', `the dump has ${expected.join(', ')}; made were ${found.join(', ')}`, { affected: [database] });
  }
  const of = (column: string) => isDatabase(column, database);
  const rows = await admin.query(
    `SELECT DEFINER AS definer FROM information_schema.VIEWS WHERE ${of('TABLE_SCHEMA')}
     UNION SELECT DEFINER FROM information_schema.TRIGGERS WHERE ${of('TRIGGER_SCHEMA')}
     UNION SELECT DEFINER FROM information_schema.ROUTINES WHERE ${of('ROUTINE_SCHEMA')}
     UNION SELECT DEFINER FROM information_schema.EVENTS WHERE ${of('EVENT_SCHEMA')}`,
  );
  const own = new Set(definers.map(({ user, host }) => `${user}@${host}`));
  const foreign = rows.find(({ definer }) => !own.has(definer!));
  if (foreign !== undefined)
    throw new Failure('dump_refused', `something in the dump made itself ${foreign.definer}'s`, { affected: [database] });
  return over.map(({ name }) => name);
}

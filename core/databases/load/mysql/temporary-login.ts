import { createHash, randomBytes } from 'node:crypto';
import { Failure } from '../../../failure.ts';
import { isOwnDatabase, isOwnUser, LOGIN_PREFIX, newLoginName, SHADOW_PREFIX, unitOfOwnName } from '../../own-names.ts';
import type { MysqlConnection, MysqlLogin } from '../../sessions/mysql-connection.ts';
import type { RestoreTurn } from '../turn.ts';
import { quoteName, quotePattern, quoteText, type ServerKind } from './quoting.ts';

const HOST = 'localhost';

export interface TemporaryLogin extends MysqlLogin {
  readonly password: string;
  /** As SQL names it. */
  readonly quoted: string;
}

/**
 * A user who may do everything in one database, and nothing else: no files, no other database, no variables of the server, no
 * users. Its password stands in no log: MariaDB gets a hash of it, MySQL leaves it out of its logs itself.
 */
export async function makeTemporaryLogin(
  admin: MysqlConnection,
  socket: string,
  server: ServerKind,
  { database, unit }: { readonly database: string; readonly unit: string },
): Promise<TemporaryLogin> {
  const user = newLoginName(unit);
  // Whatever a rule for passwords asks for is in it.
  const password = `Aa1-${randomBytes(24).toString('base64url')}`;
  const quoted = `${quoteName(user)}@${quoteName(HOST)}`;
  const identified = server.isMariadb ? `IDENTIFIED BY PASSWORD '${nativeHash(password)}'` : `IDENTIFIED BY '${password}'`;
  await admin.query(`CREATE USER ${quoted} ${identified}`);
  await admin.query(`GRANT ALL PRIVILEGES ON ${quotePattern(database)}.* TO ${quoted}`);
  return { socket, user, password, quoted };
}

/**
 * Lets a login give what it makes in a database to other users, which is what MySQL calls a definer; and make functions and triggers where
 * the server has a binary log and trusts its administrator alone with them.
 */
export async function allowOtherDefiners(admin: MysqlConnection, { quoted }: TemporaryLogin, server: ServerKind): Promise<void> {
  const [row] = await admin.query('SELECT @@log_bin AS log, @@log_bin_trust_function_creators AS trust');
  const needsTrust = row?.log === '1' && row.trust === '0';
  const privileges = new Set([...definerPrivileges(server), ...(needsTrust ? ['SUPER'] : [])]);
  for (const privilege of privileges) await admin.query(`GRANT ${privilege} ON *.* TO ${quoted}`);
}

function definerPrivileges({ isMariadb, version }: ServerKind): readonly string[] {
  if (isMariadb) return version >= 100_502 ? ['SET USER'] : ['SUPER'];
  if (version < 80_000) return ['SUPER'];
  return version >= 80_200 ? ['SET_ANY_DEFINER', 'ALLOW_NONEXISTENT_DEFINER'] : ['SET_USER_ID'];
}

/** Takes away what restores that were killed left behind, but for databases that are still needed. Only for who is alone on this server. */
export async function removeLeftovers(admin: MysqlConnection, { unit, isUnderWay }: RestoreTurn, kept: ReadonlySet<string>): Promise<void> {
  const isLeft = (name: string) => unitOfOwnName(name) === unit || !isUnderWay(unitOfOwnName(name));
  const [users, databases] = [LOGIN_PREFIX, SHADOW_PREFIX].map((prefix) => `'${prefix.replaceAll('_', '\\_')}%'`);
  for (const { user, host } of await admin.query(`SELECT User AS user, Host AS host FROM mysql.user WHERE User LIKE ${users}`)) {
    if (!isOwnUser(user!) || !isLeft(user!)) continue;
    // The server goes on with a statement whose sender has died, and nobody could drop its database.
    const sessions = await admin.query(`SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = ${quoteText(user!)}`);
    for (const { id } of sessions) await admin.query(`KILL ${Number(id)}`).catch(() => {});
    await admin.query(`DROP USER ${quoteName(user!)}@${quoteName(host!)}`);
  }
  for (const { name } of await admin.query(
    `SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE ${databases}`,
  )) {
    if (isOwnDatabase(name!) && isLeft(name!) && !kept.has(name!)) await dropUnlessRefused(admin, name!);
  }
}

/** One that the server cannot drop, such as for a file that is not its own, keeps no restore of others from being made. */
async function dropUnlessRefused(admin: MysqlConnection, name: string): Promise<void> {
  try {
    await admin.query(`DROP DATABASE ${quoteName(name)}`);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'database_refused') throw error;
  }
}

/** As `mysql_native_password` keeps it. */
function nativeHash(password: string): string {
  const sha1 = (data: Uint8Array) => createHash('sha1').update(data).digest();
  return `*${sha1(sha1(Buffer.from(password)))
    .toString('hex')
    .toUpperCase()}`;
}

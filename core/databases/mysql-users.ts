import { quoteText, type ServerKind } from './load/mysql/quoting.ts';
import type { MysqlConnection } from './sessions/mysql-connection.ts';

interface Account {
  readonly user: string;
  readonly host: string;
  readonly isRole: boolean;
}

/** Users that a server makes itself. */
const OWN_USERS = ['mysql.sys', 'mysql.session', 'mysql.infoschema', 'mariadb.sys', 'PUBLIC'];

/** From this version on MySQL has hashes of any bytes, and can write them so that they stand in a text. */
const WRITES_HASHES_AS_HEX = 80_017;

/**
 * Statements that make users with the hashes of their passwords and their rights, one after the other by name. The same users give the same text.
 */
export async function mysqlUsers(session: MysqlConnection, names: readonly string[], { isMariadb, version }: ServerKind): Promise<string> {
  if (!isMariadb && version >= WRITES_HASHES_AS_HEX) await session.query('SET print_identified_with_as_hex = ON');
  const statements: string[] = [];
  for (const account of await accountsOf(session, new Set(names))) {
    if (account.isRole) statements.push(`CREATE ROLE ${quoted(account.user)}`);
    else statements.push(...(await texts(session, `SHOW CREATE USER ${nameOf(account)}`)));
    statements.push(...(await texts(session, `SHOW GRANTS FOR ${nameOf(account)}`)));
  }
  return statements.map((statement) => `${statement};\n`).join('');
}

async function texts(session: MysqlConnection, sql: string): Promise<string[]> {
  return (await session.rows(sql)).map(([text]) => text ?? '');
}

async function accountsOf(session: MysqlConnection, names: ReadonlySet<string>): Promise<Account[]> {
  // MySQL 8 has roles that are users like others.
  const roles = await session.rows(
    "SELECT 1 FROM information_schema.columns WHERE table_schema = 'mysql' AND table_name = 'user' AND column_name = 'is_role'",
  );
  const wanted = [...names].map(quoteText).join(', ');
  const rows = await session.rows(
    `SELECT user, host, ${roles.length === 0 ? "'N'" : 'is_role'} FROM mysql.user WHERE user IN (${wanted}) ORDER BY user, host`,
  );
  const accounts = rows.map(([user, host, isRole]): Account => ({ user: user ?? '', host: host ?? '', isRole: isRole === 'Y' }));
  return accounts.filter(({ user }) => names.has(user) && !OWN_USERS.includes(user));
}

function nameOf({ user, host, isRole }: Account): string {
  return isRole ? quoted(user) : `${quoted(user)}@${quoted(host)}`;
}

/** As a literal, for a session whose mode is empty. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

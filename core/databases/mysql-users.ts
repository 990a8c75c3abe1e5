type Query = (sql: string) => Promise<(string | null)[][]>;

interface Account {
  readonly user: string;
  readonly host: string;
  readonly isRole: boolean;
}

/** Users that a server makes itself. */
const OWN_USERS = ['mysql.sys', 'mysql.session', 'mysql.infoschema', 'mariadb.sys', 'PUBLIC'];

/** So many statements at once: the answers are held in memory. */
const AT_ONCE = 200;

/**
 * Statements that make users with the hashes of their passwords and their rights, one after the other by name. The same users give the same text.
 */
export async function mysqlUsers(query: Query, names: readonly string[]): Promise<string> {
  const accounts = await accountsOf(query, new Set(names));
  const statements: string[] = [];
  for (let first = 0; first < accounts.length; first += AT_ONCE) {
    statements.push(...(await statementsFor(query, accounts.slice(first, first + AT_ONCE))));
  }
  return statements.map((statement) => `${statement};\n`).join('');
}

async function accountsOf(query: Query, names: ReadonlySet<string>): Promise<Account[]> {
  // MySQL 8 has roles that are users like others.
  const [[column] = []] = await query(
    "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = 'mysql' AND table_name = 'user' AND column_name = 'is_role'",
  );
  const rows = await query(`SELECT user, host, ${column === '0' ? "'N'" : 'is_role'} FROM mysql.user ORDER BY user, host`);
  const accounts = rows.map(([user, host, isRole]): Account => ({ user: user ?? '', host: host ?? '', isRole: isRole === 'Y' }));
  return accounts.filter(({ user }) => names.has(user) && !OWN_USERS.includes(user));
}

async function statementsFor(query: Query, accounts: readonly Account[]): Promise<string[]> {
  const asked = accounts.flatMap((account, index) => [
    `SELECT '#${index}'`,
    ...(account.isRole ? [] : [`SHOW CREATE USER ${nameOf(account)}`]),
    `SHOW GRANTS FOR ${nameOf(account)}`,
  ]);
  // A hash of bytes is written so that it stands in a text; MariaDB has no such variable, and no such hashes.
  const readable = "SET @readable = (SELECT COUNT(*) FROM information_schema.plugins WHERE plugin_name = 'caching_sha2_password')";
  const set = `${readable};\nSET @set = IF(@readable > 0, 'SET print_identified_with_as_hex = ON', 'DO 0');\nPREPARE s FROM @set;\nEXECUTE s`;
  const rows = await query([set, ...asked].join(';\n'));
  const statements: string[] = [];
  for (const [text] of rows) {
    const account = /^#(\d+)$/.exec(text ?? '');
    if (account === null) statements.push(text ?? '');
    else {
      const { user, isRole } = accounts[Number(account[1])] as Account;
      if (isRole) statements.push(`CREATE ROLE ${quoted(user)}`);
    }
  }
  return statements;
}

function nameOf({ user, host, isRole }: Account): string {
  return isRole ? quoted(user) : `${quoted(user)}@${quoted(host)}`;
}

/** As a literal: the session has the server's mode for backslashes, and a backslash is no part of any name that the panel gives. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

import type { DatabaseOwner } from '../../core/databases/load/order.ts';
import { type MariadbServer, named, quoted } from './mariadb-server.ts';
import { identifier, literal, type PostgresqlServer } from './postgresql-server.ts';

/** An account's databases as ApisCP makes them: all names begin with its prefix, its administrator may do everything in each. */
export interface DatabaseAccount {
  /** Ends in an underscore. */
  readonly prefix: string;
  /** The account's administrator; also the main user of its databases. */
  readonly user: string;
  readonly password: string;
  /** Names without the prefix, any that the server takes. */
  readonly databases: readonly string[];
  /** Further users, without the prefix, each of whom may read and write in all databases of the account. */
  readonly furtherUsers?: readonly string[];
}

export async function makeMariadbAccount(server: MariadbServer, account: DatabaseAccount): Promise<void> {
  const administrator = `${quoted(account.user)}@'localhost'`;
  const further = (account.furtherUsers ?? []).map((name) => `${quoted(account.prefix + name)}@'localhost'`);
  const statements = [administrator, ...further].map((user) => `CREATE USER ${user} IDENTIFIED BY ${quoted(account.password)}`);
  for (const name of account.databases) {
    const database = account.prefix + name;
    statements.push(`CREATE DATABASE ${named(database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
    // In a grant a database is a pattern, in which an underscore stands for any character.
    const escaped = database.replaceAll('\\', '\\\\').replaceAll('_', '\\_').replaceAll('%', '\\%');
    // As long as a name at most.
    const pattern = named([...escaped].length > 64 ? database : escaped);
    statements.push(`GRANT ALL PRIVILEGES ON ${pattern}.* TO ${administrator}`);
    for (const user of further) statements.push(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${pattern}.* TO ${user}`);
  }
  await server.run(statements.join(';\n'));
}

export async function makePostgresqlAccount(server: PostgresqlServer, account: DatabaseAccount): Promise<void> {
  const roles = [account.user, ...(account.furtherUsers ?? []).map((name) => account.prefix + name)];
  for (const role of roles) await server.run(`CREATE ROLE ${identifier(role)} LOGIN PASSWORD ${literal(account.password)}`);
  for (const name of account.databases) {
    const database = identifier(account.prefix + name);
    await server.run(`CREATE DATABASE ${database} OWNER ${identifier(account.user)} TEMPLATE template0 ENCODING 'UTF8'`);
    await server.run(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
    for (const role of roles) await server.run(`GRANT CONNECT ON DATABASE ${database} TO ${identifier(role)}`);
  }
}

/** An account that owns what begins with its prefix, but for what begins with another's. */
export function ownerOf({ prefix, user }: Pick<DatabaseAccount, 'prefix' | 'user'>, others = 'none_'): DatabaseOwner {
  const owns = (name: string) => name.startsWith(prefix) && !name.startsWith(others);
  const ownsAllWith = (beginning: string) => owns(beginning) && !others.startsWith(beginning);
  return { prefix, user, isServer: false, ownsUser: owns, ownsDatabase: owns, ownsAllWith };
}

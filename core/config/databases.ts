import { join } from 'node:path';
import { DEFAULT_DATABASES } from './defaults.ts';
import type { Settings } from './settings.ts';

/** Where a server may be: its sockets in the order in which they are tried. */
export interface SoughtServer {
  readonly sockets: readonly string[];
  /** The setting says that it is there. */
  readonly isNamed: boolean;
  readonly credentials: string;
}

/** How databases come into the backups, with the defaults for what the setting leaves out. */
export interface DatabaseSettings {
  readonly method: 'stream' | 'panel' | 'none';
  /** What one dump may take, in milliseconds. */
  readonly timeLimit: number;
  /** What one statement of a dump may take when it is restored, in milliseconds. */
  readonly statementLimit: number;
  readonly mysql: SoughtServer;
  /** Its sockets are folders. */
  readonly postgresql: SoughtServer & { readonly port: number };
}

/** EL's place, then Debian's. */
const MYSQL_SOCKETS = ['var/lib/mysql/mysql.sock', 'run/mysqld/mysqld.sock'];
const POSTGRESQL_FOLDERS = ['run/postgresql', 'var/run/postgresql'];
const POSTGRESQL_PORT = 5432;

/** The settings of databases in force. */
export function databasesOf({ databases, systemRoot }: Pick<Settings, 'databases' | 'systemRoot'>): DatabaseSettings {
  const { method, timeLimit, statementLimit } = { ...DEFAULT_DATABASES, ...databases };
  const below = (path: string): string => join(systemRoot, path);
  const sought = (
    given: { socket?: string; credentials?: string } | undefined,
    sockets: readonly string[],
    file: string,
  ): SoughtServer => ({
    sockets: given?.socket === undefined ? sockets.map(below) : [given.socket],
    isNamed: given?.socket !== undefined,
    credentials: given?.credentials ?? below(file),
  });
  return {
    method,
    timeLimit: timeLimit * 60_000,
    statementLimit: statementLimit * 60_000,
    mysql: sought(databases.mysql, MYSQL_SOCKETS, 'root/.my.cnf'),
    postgresql: {
      ...sought(databases.postgresql, POSTGRESQL_FOLDERS, 'root/.pgpass'),
      port: databases.postgresql?.port ?? POSTGRESQL_PORT,
    },
  };
}

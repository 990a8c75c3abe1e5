import { existsSync, readFileSync } from 'node:fs';
import type { SystemUser } from '../../linux/connect-as.ts';
import type { PostgresqlPlace } from '../database-server.ts';
import type { MysqlLogin } from './mysql-connection.ts';
import type { PostgresqlLogin } from './postgresql-connection.ts';

/** The groups of an option file that clients read. */
const GROUPS = new Set(['client', 'client-server', 'client-mariadb', 'mysql', 'mariadb-client']);
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', r: '\r', s: ' ', '\\': '\\' };

/** The administrator of MySQL, by an option file such as `/root/.my.cnf`; without one root, as whom the system knows it. */
export function mysqlLogin(socket: string, credentials: string): MysqlLogin {
  const options = new Map<string, string>();
  let isRead = false;
  for (const line of linesOf(credentials)) {
    const [, group] = /^\s*\[([^\]]*)\]/.exec(line) ?? [];
    if (group !== undefined) isRead = GROUPS.has(group.trim());
    const [, name, value] = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (isRead && name !== undefined) options.set(name, optionValue(value ?? ''));
  }
  return { socket, user: options.get('user') ?? 'root', password: options.get('password') };
}

function optionValue(text: string): string {
  const [, quote, inner] = /^(["'])(.*)\1/.exec(text) ?? [];
  // Outside of quotes a number sign begins a comment.
  const value = quote === undefined ? text.replace(/\s+#.*$/, '') : (inner as string);
  return value.replaceAll(/\\(.)/g, (both, sign: string) => ESCAPES[sign] ?? (sign === quote ? sign : both));
}

const ADMINISTRATOR = 'postgres';

/** A database to which every server of PostgreSQL has its administrator. */
export const MAINTENANCE = 'postgres';

/** The ways in which a server of PostgreSQL may let root in, the one that was set up first; behind it as the system's user. */
export function postgresqlLogins({ socket, port, credentials }: PostgresqlPlace): PostgresqlLogin[] {
  const logins = existsSync(credentials) ? [byPasswordFile(socket, port, credentials)] : [];
  const as = systemUser(ADMINISTRATOR);
  return as === undefined ? logins : [...logins, { host: socket, port, user: ADMINISTRATOR, password: undefined, as }];
}

/** The ids of a user of this system; undefined when there is none. */
function systemUser(name: string): SystemUser | undefined {
  const line = readFileSync('/etc/passwd', 'latin1')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** The administrator by a password file such as `/root/.pgpass`; a server may want no password. */
function byPasswordFile(host: string, port: number, credentials: string): PostgresqlLogin {
  for (const line of linesOf(credentials)) {
    if (line.startsWith('#')) continue;
    const fields = [...line.matchAll(/((?:\\.|[^\\:])*)(?::|$)/g)].map(([, field]) => field!.replaceAll(/\\(.)/g, '$1'));
    const [forHost, forPort, , user, password] = fields;
    const isHere = (forHost === '*' || forHost === 'localhost' || forHost === host) && (forPort === '*' || forPort === String(port));
    if (isHere && password !== undefined && (user === ADMINISTRATOR || user === '*')) return { host, port, user: ADMINISTRATOR, password };
  }
  return { host, port, user: ADMINISTRATOR, password: undefined };
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

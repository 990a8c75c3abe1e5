import { readFileSync } from 'node:fs';
import type { MysqlLogin } from './mysql/connection.ts';
import type { PostgresqlLogin } from './postgresql/connection.ts';

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

/** The administrator of PostgreSQL, by a password file such as `/root/.pgpass`; without one there is no password to log in by. */
export function postgresqlLogin(host: string, port: number, credentials: string): PostgresqlLogin {
  for (const line of linesOf(credentials)) {
    if (line.startsWith('#')) continue;
    const fields = [...line.matchAll(/((?:\\.|[^\\:])*)(?::|$)/g)].map(([, field]) => field!.replaceAll(/\\(.)/g, '$1'));
    const [forHost, forPort, , user, password] = fields;
    const isHere = (forHost === '*' || forHost === 'localhost' || forHost === host) && (forPort === '*' || forPort === String(port));
    if (isHere && password !== undefined && (user === ADMINISTRATOR || user === '*')) return { host, port, user: ADMINISTRATOR, password };
  }
  return { host, port, user: ADMINISTRATOR, password: undefined };
}

const ADMINISTRATOR = 'postgres';

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

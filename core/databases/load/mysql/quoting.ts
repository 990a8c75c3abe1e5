import { Failure } from '../../../failure.ts';

/** How a session of the server reads quotes, and which of the executable comments it executes. */
export interface Reading {
  /** `"` quotes a name, not a string. */
  readonly ansiQuotes: boolean;
  /** A backslash stands for itself in strings. */
  readonly plainBackslash: boolean;
}

export const USUAL_READING: Reading = { ansiQuotes: false, plainBackslash: false };

/** The server, as far as what it executes of a dump depends on it. */
export interface ServerKind {
  readonly isMariadb: boolean;
  /** As in an executable comment: 101119 for 10.11.19. */
  readonly version: number;
}

/** @param text as `SELECT VERSION()` answers: `10.11.19-MariaDB-…`, `8.0.36` */
export function serverKind(text: string): ServerKind {
  // Some MariaDB put this in front for old clients.
  const [, major = 0, minor = 0, patch = 0] = (/^(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []).map(Number);
  return { isMariadb: /mariadb/i.test(text), version: major * 10_000 + minor * 100 + patch };
}

/** The numbers under which MySQL, and not MariaDB, has things. */
const OF_MYSQL_ALONE = { from: 50_700, to: 99_999 } as const;

/** Whether the server executes the inside of a comment that begins with `/*!` or `/*M!` and this number (0: none). */
export function executes({ isMariadb, version }: ServerKind, number: number, isForMariadb: boolean): boolean {
  if (isForMariadb && !isMariadb) return false;
  if (isMariadb && !isForMariadb && number >= OF_MYSQL_ALONE.from && number <= OF_MYSQL_ALONE.to) return false;
  return number <= version;
}

/** A name of the server's, quoted: no text that it holds can end it. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** How long a name can be, and what stands for a database in a grant. */
const LONGEST_NAME = 64;

/**
 * A database in a grant, where `_`, `%` and `\` would mean more than themselves. Where no room is left for a backslash before each, the last of
 * them stand for themselves and others: the beginning, which says whose a database is, is meant as it stands.
 */
export function quotePattern(name: string): string {
  let room = LONGEST_NAME - [...name].length;
  return quoteName(name.replaceAll(/[\\_%]/g, (sign) => (room-- > 0 ? `\\${sign}` : sign)));
}

/** A string as a literal that every mode of the server reads alike. */
export function quoteText(text: string): string {
  return text === '' ? "''" : `CONVERT(0x${Buffer.from(text).toString('hex')} USING utf8mb4)`;
}

/**
 * A condition for the rows of exactly this database: the tables of `information_schema` do not tell `a` and `A` apart, nor `a` and `á`. With
 * a function in the place of the literal the server would look through all databases that it has.
 */
export function isDatabase(column: string, name: string): string {
  const literal = `_utf8mb4 X'${Buffer.from(name).toString('hex')}'`;
  return `${column} = ${literal} AND CAST(${column} AS BINARY) = CAST(${literal} AS BINARY)`;
}

/**
 * The name of a character set or a collation, which is a plain word.
 *
 * @throws Failure `dump_refused` for anything else
 */
export function plainWord(text: string): string {
  if (!/^\w+$/.test(text)) throw new Failure('dump_refused', `${JSON.stringify(text)} is no character set`);
  return text;
}

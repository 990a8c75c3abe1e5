import type { OwnNames, RebuiltUsers } from '../users.ts';
import { isOwnDatabaseName, isOwnUserName } from '../users.ts';
import { quoteName, quotePattern, type ServerKind, USUAL_READING } from './quoting.ts';
import { type Token, tokensOf } from './tokens.ts';

/** What an account may have been given in its own databases; nothing of it reaches further. */
const PRIVILEGES = new Set(
  'ALL PRIVILEGES,SELECT,INSERT,UPDATE,DELETE,CREATE,DROP,REFERENCES,INDEX,ALTER,CREATE TEMPORARY TABLES,LOCK TABLES,EXECUTE,CREATE VIEW,SHOW VIEW,CREATE ROUTINE,ALTER ROUTINE,EVENT,TRIGGER,DELETE HISTORY'.split(
    ',',
  ),
);
/** How each kind of password's hash looks. A user whom the system knows instead would let in whoever has that name there. */
const HASHES: Readonly<Record<string, RegExp>> = {
  mysql_native_password: /^\*[0-9A-F]{40}$/,
  ed25519: /^[A-Za-z0-9+/]{43}$/,
  // Of MySQL, whose hashes have any bytes: `$A$005$` (the thousands of rounds, in hexadecimal), salt and digest.
  caching_sha2_password: /^0x244124(?:3[0-9]|4[1-6]){3}24[0-9a-f]{126}$/i,
};

/**
 * The users of an account, from the text that a backup has of them. Nothing of that text is executed: each line is read by a
 * narrow grammar, and what it says is written anew when the account may have it.
 */
export function rebuildMysqlUsers(text: string, own: OwnNames, server: ServerKind): RebuiltUsers {
  const users = new Set<string>();
  const before: string[] = [];
  const after: string[] = [];
  const notes: string[] = [];
  for (const line of text.split(/;\n/).filter((each) => each.trim() !== '')) {
    const reader = new Reader(Buffer.from(line).latin1Slice());
    const statements =
      reader.word() === 'CREATE' ? makeUser(reader, own, server) : makeGrant(new Reader(Buffer.from(line).latin1Slice()), own);
    if (statements === undefined) notes.push(`left out: ${line.replace(/'[^']*'/g, "'…'").slice(0, 200)}`);
    else if (statements.user === undefined) after.push(...statements.sql);
    else {
      users.add(statements.user);
      before.push(...statements.sql);
      if (statements.without !== undefined) notes.push(`${statements.user} is back without ${statements.without}`);
    }
  }
  return { users: [...users], before, after, notes };
}

interface Made {
  /** Of a statement that makes one. */
  readonly user?: string;
  readonly sql: readonly string[];
  /** What of one is not brought back, in words. */
  readonly without?: string;
}

/** What follows a password where nobody has asked for anything, and the lock, which is brought back. */
const USUAL_OR_KEPT =
  /\b(?:REQUIRE NONE|PASSWORD EXPIRE DEFAULT|ACCOUNT (?:UN)?LOCK|PASSWORD HISTORY DEFAULT|PASSWORD REUSE INTERVAL DEFAULT|PASSWORD REQUIRE CURRENT DEFAULT)\b/g;

/** `CREATE USER x@y IDENTIFIED …`; of what follows the password the lock alone is brought back, so that nobody gets in who did not. */
function makeUser(reader: Reader, own: OwnNames, { isMariadb }: ServerKind): Made | undefined {
  if (reader.word() !== 'USER') return undefined;
  const user = reader.account();
  if (user === undefined || !isOwnUserName(own, user.name) || reader.word() !== 'IDENTIFIED') return undefined;
  const how = reader.word();
  let plugin = 'mysql_native_password';
  if (how === 'BY') {
    if (reader.word() !== 'PASSWORD') return undefined;
  } else {
    if (how !== 'VIA' && how !== 'WITH') return undefined;
    plugin = reader.text()?.toLowerCase() ?? '';
    if (!/^(?:USING|AS)$/.test(reader.word() ?? '')) return undefined;
  }
  const hash = reader.text();
  if (hash === undefined || HASHES[plugin]?.test(hash) !== true) return undefined;
  const literal = hash.startsWith('0x') ? hash : `'${hash.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  const identified = isMariadb ? `IDENTIFIED VIA ${plugin} USING ${literal}` : `IDENTIFIED WITH ${plugin} AS ${literal}`;
  const rest = reader.rest();
  const without = rest.replaceAll(USUAL_OR_KEPT, ' ').replaceAll(/ +/g, ' ').trim();
  const sql = [`CREATE USER IF NOT EXISTS ${user.quoted} ${identified}`, `ALTER USER ${user.quoted} ${identified}`];
  if (/\bACCOUNT LOCK\b/.test(rest)) sql.push(`ALTER USER ${user.quoted} ACCOUNT LOCK`);
  return { user: user.name, sql, ...(without === '' ? {} : { without }) };
}

/** `GRANT a, b ON database.* TO x@y`. What everybody has on everything (`USAGE`) is nothing. */
function makeGrant(reader: Reader, own: OwnNames): Made | undefined {
  if (reader.word() !== 'GRANT') return undefined;
  const privileges = reader.until('ON')?.split(' , ');
  if (privileges === undefined) return undefined;
  const place = reader.place();
  if (place === undefined || reader.word() !== 'TO') return undefined;
  const user = reader.account();
  if (user === undefined || !isOwnUserName(own, user.name)) return undefined;
  if (place.database === undefined) return privileges.join() === 'USAGE' ? { sql: [] } : undefined;
  const database = grantedDatabase(place.database, own);
  if (database === undefined || !privileges.every((each) => PRIVILEGES.has(each))) return undefined;
  const option = reader.until(undefined);
  if (option !== '' && option !== 'WITH GRANT OPTION') return undefined;
  const on = place.table === undefined ? `${database}.*` : `${quoteName(plainName(place.database))}.${quoteName(place.table)}`;
  return { sql: [`GRANT ${privileges.join(', ')} ON ${on} TO ${user.quoted} ${option}`.trim()] };
}

/** The databases that a grant names, as narrow as it can be said; undefined when they are not the account's alone. */
function grantedDatabase(pattern: string, own: OwnNames): string | undefined {
  const beginning = pattern.replace(/(?<!\\)%$/, '');
  if (/(?<!\\)%/.test(beginning)) return undefined;
  const name = plainName(beginning);
  if (beginning === pattern) return isOwnDatabaseName(own, name) ? quotePattern(name) : undefined;
  const isWithin = own.prefix !== undefined && name.startsWith(own.prefix) && own.ownsAllWith(name);
  return isWithin ? `${quotePattern(name).slice(0, -1)}%\`` : undefined;
}

function plainName(pattern: string): string {
  return pattern.replaceAll(/\\(.)/g, '$1');
}

/** Reads the words of one statement, one after the other. */
class Reader {
  readonly #tokens: Iterator<Token>;

  constructor(statement: string) {
    this.#tokens = tokensOf(statement, USUAL_READING);
  }

  #next(): Token | undefined {
    const { value, done } = this.#tokens.next();
    return done === true ? undefined : value;
  }

  word(): string | undefined {
    const token = this.#next();
    return token?.kind === 'word' ? token.value : undefined;
  }

  /** A name, a text or a word, as it is meant. */
  text(): string | undefined {
    const token = this.#next();
    return token === undefined || token.kind === 'sign' ? undefined : decoded(token);
  }

  account(): { readonly name: string; readonly quoted: string } | undefined {
    const [user, at, host] = [this.#next(), this.#next(), this.#next()];
    if (!isQuoted(user) || at?.value !== '@' || !isQuoted(host)) return undefined;
    return { name: decoded(user), quoted: `${quoteName(decoded(user))}@${quoteName(decoded(host))}` };
  }

  /** Words and signs up to one word, or to the end; undefined when it does not come, or anything else does. */
  until(end: string | undefined): string | undefined {
    const found: string[] = [];
    for (let token = this.#next(); token !== undefined; token = this.#next()) {
      if (token.kind === 'word' && token.value === end) return found.join(' ');
      if (token.kind !== 'word' && token.value !== ',') return undefined;
      found.push(token.value);
    }
    return end === undefined ? found.join(' ') : undefined;
  }

  /** What is left, without what stands in quotes. */
  rest(): string {
    const found: string[] = [];
    for (let token = this.#next(); token !== undefined; token = this.#next())
      found.push(token.kind === 'name' || token.kind === 'text' ? '…' : token.value);
    return found.join(' ');
  }

  /** `*.*`, `database.*` or `database.table`. */
  place(): { readonly database: string | undefined; readonly table: string | undefined } | undefined {
    const [database, dot, table] = [this.#next(), this.#next(), this.#next()];
    if (dot?.value !== '.' || database === undefined || table === undefined) return undefined;
    if (database.value === '*' && table.value === '*') return { database: undefined, table: undefined };
    if (database.kind !== 'name' || (table.kind !== 'name' && table.value !== '*')) return undefined;
    return { database: decoded(database), table: table.kind === 'name' ? decoded(table) : undefined };
  }
}

function isQuoted(token: Token | undefined): token is Token {
  return token?.kind === 'name' || token?.kind === 'text';
}

function decoded({ kind, value }: Token): string {
  return kind === 'word' ? value.toLowerCase() : Buffer.from(value, 'latin1').toString();
}

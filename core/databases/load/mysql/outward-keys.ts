import { Failure } from '../../../failure.ts';
import type { ByteString } from '../../../manifest/entry.ts';
import type { MysqlConnection } from '../../sessions/mysql-connection.ts';
import { isDatabase, quoteName, type Reading } from './quoting.ts';
import { type Token, tokensOf } from './tokens.ts';

/** A foreign key of a table of the dump to a table of another database. */
export interface OutwardKey {
  readonly table: string;
  readonly name: string;
  readonly columns: readonly string[];
  readonly database: string;
  readonly parent: string;
  readonly parentColumns: readonly string[];
  /** `ON DELETE CASCADE` and the like, of fixed words. */
  readonly rules: string;
}

/** Parts a statement that makes a table from its foreign keys into other databases: who loads a dump reaches none of these. */
export function partOutwardKeys(statement: ByteString, reading: Reading): { readonly statement: ByteString; readonly keys: OutwardKey[] } {
  const tokens = [...tokensOf(statement, reading)];
  const table = tokens.find(({ kind }) => kind === 'name');
  const keys: OutwardKey[] = [];
  let rest = '';
  let from = 0;
  for (let at = 0; at < tokens.length; at++) {
    if (table === undefined || tokens[at]!.value !== ',') continue;
    const found = outwardKeyAt(tokens, at + 1, textOf(table));
    if (found === undefined) continue;
    keys.push(found.key);
    rest += statement.slice(from, tokens[at]!.start);
    from = tokens[found.end - 1]!.end;
    at = found.end - 1;
  }
  return { statement: rest + statement.slice(from), keys };
}

/** ``CONSTRAINT `x` FOREIGN KEY (`a`) REFERENCES `other`.`parents` (`id`) ON DELETE CASCADE``; `end` is behind it. */
function outwardKeyAt(
  tokens: readonly Token[],
  begin: number,
  table: string,
): { readonly key: OutwardKey; readonly end: number } | undefined {
  let at = begin;
  const isWord = (...words: string[]): boolean => {
    if (!words.every((word, offset) => tokens[at + offset]?.kind === 'word' && tokens[at + offset]!.value === word)) return false;
    at += words.length;
    return true;
  };
  const name = (): string | undefined => (tokens[at]?.kind === 'name' ? textOf(tokens[at++]!) : undefined);
  const names = (): string[] => {
    const found: string[] = [];
    for (at++; tokens[at] !== undefined && tokens[at]!.value !== ')'; at++)
      if (tokens[at]!.kind === 'name') found.push(textOf(tokens[at]!));
    at++;
    return found;
  };
  if (!isWord('CONSTRAINT')) return undefined;
  const constraint = name();
  if (constraint === undefined || !isWord('FOREIGN', 'KEY')) return undefined;
  const columns = names();
  if (!isWord('REFERENCES')) return undefined;
  const database = name();
  if (database === undefined || tokens[at]?.value !== '.') return undefined;
  at++;
  const parent = name();
  if (parent === undefined) return undefined;
  const parentColumns = names();
  const rules: string[] = [];
  for (;;) {
    const start = at;
    if (!isWord('ON', 'DELETE') && !isWord('ON', 'UPDATE')) break;
    if (!isWord('CASCADE') && !isWord('RESTRICT') && !isWord('SET', 'NULL') && !isWord('SET', 'DEFAULT') && !isWord('NO', 'ACTION'))
      return undefined;
    rules.push(...tokens.slice(start, at).map(({ value }) => value));
  }
  return { key: { table, name: constraint, columns, database, parent, parentColumns, rules: rules.join(' ') }, end: at };
}

function textOf({ value }: Token): string {
  return Buffer.from(value, 'latin1').toString();
}

/**
 * Makes foreign keys in the restored database that point into other databases of the account. As a dump does, without a look at the rows.
 * Returns those that were not made, in words.
 */
export async function makeOutwardKeys(
  admin: MysqlConnection,
  live: string,
  keys: readonly OutwardKey[],
  owns: (database: string) => boolean,
): Promise<string[]> {
  const leftOut: string[] = [];
  for (const key of keys) {
    const words = `the foreign key ${key.name} of ${key.table} to ${key.database}.${key.parent}`;
    if (!owns(key.database)) {
      leftOut.push(`${words}: only the account’s own database, under its own name, may point into another of the account`);
      continue;
    }
    const list = (columns: readonly string[]): string => `(${columns.map(quoteName).join(', ')})`;
    const parent = `${quoteName(key.database)}.${quoteName(key.parent)} ${list(key.parentColumns)}`;
    try {
      await admin.query('SET foreign_key_checks = 0');
      await admin.query(
        `ALTER TABLE ${quoteName(live)}.${quoteName(key.table)} ADD CONSTRAINT ${quoteName(key.name)} FOREIGN KEY ${list(key.columns)} REFERENCES ${parent} ${key.rules}`,
      );
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'database_refused') throw error;
      leftOut.push(`${words}: ${error.message}`);
    } finally {
      await admin.query('SET foreign_key_checks = 1');
    }
  }
  return leftOut;
}

/**
 * Takes foreign keys into other databases from tables that are only kept: those databases would have to spare what nobody uses any more.
 * Returns them in words. Can be repeated.
 */
export async function dropOutwardKeys(admin: MysqlConnection, kept: string): Promise<string[]> {
  const keys = await admin.query(
    `SELECT TABLE_NAME AS tab, CONSTRAINT_NAME AS name, UNIQUE_CONSTRAINT_SCHEMA AS db FROM information_schema.REFERENTIAL_CONSTRAINTS
      WHERE ${isDatabase('CONSTRAINT_SCHEMA', kept)} AND NOT (${isDatabase('UNIQUE_CONSTRAINT_SCHEMA', kept)})`,
  );
  for (const { tab, name } of keys)
    await admin.query(`ALTER TABLE ${quoteName(kept)}.${quoteName(tab!)} DROP FOREIGN KEY ${quoteName(name!)}`);
  return keys.map(({ tab, name, db }) => `${kept}.${tab} is kept without its foreign key ${name}, which would hold ${db} fast`);
}

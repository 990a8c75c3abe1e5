import { type PostgresqlConnection, ServerRefusal } from '../../sessions/postgresql-connection.ts';
import type { DatabaseDescription, DatabaseOrder } from '../order.ts';
import { quoteName, quoteText } from './quoting.ts';

/** From this version on a server has more than the operating system's library to compare texts by. */
const HAS_PROVIDERS = 150_000;

/** Who compares texts in a database, by its letter in `pg_database`. */
const PROVIDERS: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin' };

type Sorting = Readonly<Record<string, string | null | undefined>>;

/**
 * Makes an empty database that compares texts as the backup says, for a dump does not; where that does not say, or this server cannot, like
 * the live one. Returns what is other than it was, in words.
 */
export async function makeEmptyDatabase(
  admin: PostgresqlConnection,
  database: string,
  owner: string,
  { target, description }: Pick<DatabaseOrder, 'target' | 'description'>,
): Promise<string[]> {
  const [row] = await admin.query("SELECT pg_catalog.current_setting('server_version_num') AS version");
  const recorded = recordedSorting(description, Number(row!.version));
  const live = await sortingOf(admin, [target, description.name]);
  const [first, second] = description.locale === undefined && live !== undefined ? [live, recorded] : [recorded, live];
  const create = (sorting: Sorting) =>
    admin.query(`CREATE DATABASE ${quoteName(database)} OWNER ${quoteName(owner)} TEMPLATE template0 ${wordsOf(sorting)}`);
  const notes: string[] = [];
  try {
    await create(first);
  } catch (error) {
    if (!(error instanceof ServerRefusal) || second === undefined || second === recorded) throw error;
    await create(second);
    notes.push(`texts are compared as in the live database, not as they were: ${error.message}`);
  }
  await admin.query(`REVOKE ALL ON DATABASE ${quoteName(database)} FROM PUBLIC`);
  return notes;
}

/** Of the first of these databases that there is. */
async function sortingOf(admin: PostgresqlConnection, [first, second]: readonly [string, string]): Promise<Sorting | undefined> {
  const [row] = await admin.query(
    `SELECT pg_catalog.pg_encoding_to_char(encoding)::pg_catalog.text AS encoding, datcollate::pg_catalog.text AS "collate", datctype::pg_catalog.text AS ctype,
            ${ofRow('datlocprovider')} AS provider, COALESCE(${ofRow('datlocale')}, ${ofRow('daticulocale')}) AS locale, ${ofRow('daticurules')} AS rules
       FROM pg_catalog.pg_database d WHERE datname::pg_catalog.text OPERATOR(pg_catalog.=) $1 OR datname::pg_catalog.text OPERATOR(pg_catalog.=) $2 ORDER BY (datname::pg_catalog.text OPERATOR(pg_catalog.=) $1) DESC`,
    [first, second],
  );
  return row;
}

/** A column of `pg_database` that not every version has, as `d`. */
function ofRow(column: string): string {
  return `pg_catalog.jsonb_extract_path_text(pg_catalog.to_jsonb(d), '${column}')`;
}

/** An older server takes no word for the operating system's library, and has nothing else. */
function recordedSorting({ characterSet, collation, locale }: DatabaseDescription, version: number): Sorting {
  const letter = Object.keys(PROVIDERS).find((each) => PROVIDERS[each] === locale?.provider);
  return {
    ...{ encoding: characterSet, collate: collation, ctype: locale?.ctype ?? collation },
    ...{ provider: letter === 'c' && version < HAS_PROVIDERS ? undefined : letter, locale: locale?.name, rules: locale?.rules },
  };
}

/** For the statement that makes a database. */
function wordsOf({ encoding, collate, ctype, provider, locale, rules }: Sorting): string {
  const words = [`ENCODING ${quoteText(encoding!)}`, `LC_COLLATE ${quoteText(collate!)}`, `LC_CTYPE ${quoteText(ctype!)}`];
  const kind = PROVIDERS[provider ?? ''];
  if (kind !== undefined) words.push(`LOCALE_PROVIDER ${kind}`);
  if (kind !== undefined && locale != null) words.push(`${kind === 'icu' ? 'ICU_LOCALE' : 'BUILTIN_LOCALE'} ${quoteText(locale)}`);
  if (rules != null) words.push(`ICU_RULES ${quoteText(rules)}`);
  return words.join(' ');
}

import type { PostgresqlConnection } from '../../sessions/postgresql-connection.ts';
import type { Counts } from '../counts.ts';
import type { StatementLimit } from '../statement-limit.ts';

/** A table as a dump names it, and how many rows it has in the dump. */
export interface FilledTable {
  readonly table: string;
  readonly rows: number;
}

/** As the login: to plan a statement, a server computes what stands in the indexes of a table, which is what somebody else wrote. */
export async function countRows(connection: PostgresqlConnection, filled: readonly FilledTable[], limit: StatementLimit): Promise<Counts> {
  await connection.query('SET row_security = off');
  const tables = await connection.query(
    `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
      WHERE c.relkind::pg_catalog.text OPERATOR(pg_catalog.=) 'r' AND n.nspname::pg_catalog.text OPERATOR(pg_catalog.<>) 'information_schema'
        AND pg_catalog.left(n.nspname::pg_catalog.text, 3) OPERATOR(pg_catalog.<>) 'pg_'
        AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid OPERATOR(pg_catalog.=) c.oid AND d.deptype::pg_catalog.text OPERATOR(pg_catalog.=) 'e')`,
  );
  let rows = 0;
  for (const { name } of tables) {
    const [counted] = await limit.within(() => connection.query(`SELECT pg_catalog.count(*)::pg_catalog.text AS n FROM ONLY ${name}`));
    rows += Number(counted!.n);
  }
  // Of an extension's table a dump has what somebody has added to what the extension itself brings.
  const ofExtensions = new Set(
    await extensionTables(
      connection,
      filled.map(({ table }) => table),
    ),
  );
  const added = filled.filter(({ table }) => ofExtensions.has(table));
  return { tables: tables.length + added.length, rows: added.reduce((sum, each) => sum + each.rows, rows) };
}

/** With what was in the dump and is named as left out. */
export function withUnfilled({ tables, rows }: Counts, unfilled: readonly FilledTable[]): Counts {
  return { tables: tables + unfilled.length, rows: unfilled.reduce((sum, each) => sum + each.rows, rows) };
}

/** Which of these tables, as a dump names them, belong to an extension. */
export async function extensionTables(connection: PostgresqlConnection, tables: readonly string[]): Promise<string[]> {
  const rows = await connection.query(
    `SELECT t.name FROM pg_catalog.jsonb_array_elements_text($1::pg_catalog.jsonb) AS t (name) WHERE EXISTS (
       SELECT FROM pg_catalog.pg_depend d WHERE d.objid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(t.name)
          AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype::pg_catalog.text OPERATOR(pg_catalog.=) 'e')`,
    [JSON.stringify(tables)],
  );
  return rows.map(({ name }) => name!);
}

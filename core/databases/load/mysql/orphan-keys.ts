import { Failure } from '../../../failure.ts';
import type { MysqlConnection } from '../../sessions/mysql-connection.ts';
import { isDatabase, quoteName } from './quoting.ts';

const RULES = new Set(['CASCADE', 'SET NULL', 'SET DEFAULT', 'NO ACTION', 'RESTRICT']);

/**
 * Makes foreign keys of a database point into itself that point into another one, where the table that they name is not there: no server
 * takes such a key along when its table changes its database. Can be repeated.
 *
 * @param from the database that the tables came from
 */
export async function bringOrphanKeysAlong(admin: MysqlConnection, database: string, from: string): Promise<void> {
  const keys = await admin.query(
    `SELECT r.TABLE_NAME AS tab, r.CONSTRAINT_NAME AS name, r.REFERENCED_TABLE_NAME AS parent, r.UPDATE_RULE AS on_update, r.DELETE_RULE AS on_delete
       FROM information_schema.REFERENTIAL_CONSTRAINTS r
      WHERE ${isDatabase('r.CONSTRAINT_SCHEMA', database)} AND ${isDatabase('r.UNIQUE_CONSTRAINT_SCHEMA', from)}`,
  );
  if (keys.length === 0) return;
  const [checks] = await admin.query('SELECT @@SESSION.foreign_key_checks AS value');
  // The table that they name is not there.
  await admin.query('SET foreign_key_checks = 0');
  try {
    for (const { tab, name, parent, on_update, on_delete } of keys) {
      const columns = await admin.query(
        `SELECT COLUMN_NAME AS own, REFERENCED_COLUMN_NAME AS other FROM information_schema.KEY_COLUMN_USAGE
          WHERE ${isDatabase('TABLE_SCHEMA', database)} AND ${isDatabase('TABLE_NAME', tab!)} AND ${isDatabase('CONSTRAINT_NAME', name!)}
            AND REFERENCED_COLUMN_NAME IS NOT NULL ORDER BY ORDINAL_POSITION`,
      );
      const list = (side: 'own' | 'other'): string => columns.map((each) => quoteName(each[side]!)).join(', ');
      const parents = `${quoteName(database)}.${quoteName(parent!)} (${list('other')})`;
      const rules = `ON DELETE ${ruleOf(on_delete)} ON UPDATE ${ruleOf(on_update)}`;
      const table = `ALTER TABLE ${quoteName(database)}.${quoteName(tab!)}`;
      // In one statement the server takes the name for one that is there already.
      await admin.query(`${table} DROP FOREIGN KEY ${quoteName(name!)}`);
      await admin.query(`${table} ADD CONSTRAINT ${quoteName(name!)} FOREIGN KEY (${list('own')}) REFERENCES ${parents} ${rules}`);
    }
  } finally {
    await admin.query(`SET foreign_key_checks = ${Number(checks!.value)}`);
  }
}

function ruleOf(rule: string | null | undefined): string {
  if (rule != null && RULES.has(rule)) return rule;
  throw new Failure('internal', `a foreign key has the unknown rule ${JSON.stringify(rule)}`);
}

import { Failure } from '../../../failure.ts';
import { unopenedTables } from '../../mysql-broken.ts';
import type { MysqlConnection } from '../../sessions/mysql-connection.ts';

/**
 * Which tables of a live database the server can neither open nor give another name: they stay where they are. None when it refused an
 * exchange for something else.
 *
 * @param restored tables of the dump
 * @throws Failure `database_refused` when one of them stands in the way of a restored one
 */
export async function stuckTables(admin: MysqlConnection, live: string, restored: readonly string[], refusal: unknown): Promise<string[]> {
  if (!(refusal instanceof Failure) || refusal.code !== 'database_refused') return [];
  const broken = await unopenedTables(admin, live);
  const tables = broken.flatMap(({ kind, name }) => (kind === 'table' ? [name] : []));
  const inTheWay = tables.filter((table) => restored.includes(table));
  if (inTheWay.length === 0) return tables;
  throw new Failure(
    'database_refused',
    `these tables of ${live} are broken and cannot be put aside: ${inTheWay.join(', ')} (${refusal.message})`,
    { affected: inTheWay, advice: 'Repair them (REPAIR TABLE) or drop them, then restore again; or restore under another name with --as.' },
  );
}

import { Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import { isWithin } from '../manifest/path-order.ts';

/** Live database files: copied while the server writes to them they are useless, and databases are exported instead. */
export const ACCOUNT_EXCLUSIONS: readonly ByteString[] = ['shadow/var/lib/mysql', 'shadow/var/lib/pgsql'];

const MYSQL = 'var/lib/mysql';
const POSTGRESQL = 'var/lib/pgsql';

/** What stands in the database servers' folders and is an ordinary file all the same: exports that others wrote there. */
export function isExport(path: ByteString): boolean {
  if (isWithin(path, MYSQL)) return path.startsWith(`${MYSQL}/mysql-grants`);
  const [, , , , folder] = path.split('/');
  return folder === 'backups';
}

/**
 * Throws `raw_database_refused` when a root of the unit `system` (a path without the leading slash) is, holds or lies in
 * the folder of live database files.
 */
export function refuseRawDatabases(path: ByteString): void {
  for (const raw of [MYSQL, POSTGRESQL]) {
    if (!isWithin(raw, path) && (!isWithin(path, raw) || isExport(path))) continue;
    throw new Failure('raw_database_refused', `/${path} would take live database files of /${raw}, which cannot be restored`, {
      affected: [`/${path}`],
      advice: 'Back up exports of the databases instead.',
    });
  }
}

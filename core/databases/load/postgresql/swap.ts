import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresqlConnection } from '../../sessions/postgresql-connection.ts';
import { quoteName, quoteText } from './quoting.ts';

/** How often who is in a database is asked to leave, in milliseconds, while the renaming waits. */
const ASK_AGAIN = 100;

/** Of a database as a whole: what a dump of its contents does not have. */
export async function copyDatabaseSettings(admin: PostgresqlConnection, from: string, to: string): Promise<void> {
  const byName = 'datname::pg_catalog.text OPERATOR(pg_catalog.=) $1';
  const rights = await admin.query(
    `SELECT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee)::pg_catalog.text END AS role, a.privilege_type AS privilege,
            a.is_grantable::pg_catalog.text AS grantable, (d.datacl IS NULL)::pg_catalog.text AS usual
       FROM pg_catalog.pg_database d, LATERAL pg_catalog.aclexplode(COALESCE(d.datacl, pg_catalog.acldefault('d', d.datdba))) a WHERE d.${byName}`,
    [from],
  );
  if (rights.some(({ usual }) => usual === 'false')) {
    await admin.query(`REVOKE ALL ON DATABASE ${quoteName(to)} FROM PUBLIC`);
    for (const { role, privilege, grantable } of rights) {
      const whom = role == null ? 'PUBLIC' : quoteName(role);
      await admin.query(
        `GRANT ${privilege!.replaceAll(/[^A-Z]/g, '')} ON DATABASE ${quoteName(to)} TO ${whom}${grantable === 'true' ? ' WITH GRANT OPTION' : ''}`,
      );
    }
  }
  const settings = await admin.query(
    `SELECT pg_catalog.pg_get_userbyid(NULLIF(s.setrole, 0))::pg_catalog.text AS role, pg_catalog.unnest(s.setconfig) AS setting
       FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.setdatabase WHERE d.${byName}`,
    [from],
  );
  for (const { role, setting } of settings) {
    const [name, value] = [setting!.slice(0, setting!.indexOf('=')), setting!.slice(setting!.indexOf('=') + 1)];
    const whose = role == null ? `DATABASE ${quoteName(to)}` : `ROLE ${quoteName(role)} IN DATABASE ${quoteName(to)}`;
    // A list is several values; quoted as one it would be one name.
    const isList = /^(?:search_path|.*_preload_libraries|temp_tablespaces)$/.test(name);
    const quoted = isList ? namesOf(value).map(quoteText).join(', ') : quoteText(value);
    await admin.query(`ALTER ${whose} SET ${name.split('.').map(quoteName).join('.')} TO ${quoted}`);
  }
  const [row] = await admin.query(`SELECT datconnlimit::pg_catalog.text AS connections FROM pg_catalog.pg_database WHERE ${byName}`, [
    from,
  ]);
  await admin.query(`ALTER DATABASE ${quoteName(to)} CONNECTION LIMIT ${Number(row!.connections)}`);
}

/** The names of a list such as `public, "other; ""name"`. */
function namesOf(list: string): string[] {
  return [...list.matchAll(/"((?:[^"]|"")*)"|[^,\s]+/g)].map(([plain, quoted]) => quoted?.replaceAll('""', '"') ?? plain);
}

/**
 * Gives a shadow the name of a live database, and that one another, in one transaction: nobody finds neither. Who is in the live one is sent away; who
 * comes meanwhile waits until it is done.
 *
 * @param other a second session, which sends others away while the first waits for them
 */
export async function swapDatabase(
  admin: PostgresqlConnection,
  other: PostgresqlConnection,
  {
    live,
    shadow,
    replaced,
    step,
  }: { live: string; shadow: string; replaced: string | undefined; step: (name: string) => void | Promise<void> },
): Promise<void> {
  await admin.query('BEGIN');
  try {
    if (replaced !== undefined)
      await sendingOthersAway(other, live, admin.query(`ALTER DATABASE ${quoteName(live)} RENAME TO ${quoteName(replaced)}`));
    await step('rename shadow');
    await sendingOthersAway(other, shadow, admin.query(`ALTER DATABASE ${quoteName(shadow)} RENAME TO ${quoteName(live)}`));
    await step('commit');
    await admin.query('COMMIT');
  } catch (error) {
    await admin.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function sendingOthersAway(other: PostgresqlConnection, database: string, renamed: Promise<unknown>): Promise<void> {
  let isDone = false;
  const done = renamed.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  while (!isDone) {
    await other.query(
      'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname::pg_catalog.text OPERATOR(pg_catalog.=) $1',
      [database],
    );
    await Promise.race([done.catch(() => {}), sleep(ASK_AGAIN)]);
  }
  await done;
}

import type { PostgresqlConnection } from '../../sessions/postgresql-connection.ts';
import type { DefaultRights, Loaded } from './load.ts';
import { quoteName } from './quoting.ts';
import type { Ownership } from './statements.ts';

/** How the name of an object is looked up in the system's tables, where its owner stands, and what its kind is called. */
const FAMILIES: readonly { readonly kinds: RegExp; readonly lookUp: string }[] = [
  {
    kinds: /^(?:TABLE|FOREIGN TABLE|VIEW|MATERIALIZED VIEW|SEQUENCE)$/,
    lookUp:
      'SELECT c.oid::pg_catalog.regclass::pg_catalog.text AS name, c.relowner AS owner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)',
  },
  {
    kinds: /^(?:FUNCTION|PROCEDURE|AGGREGATE)$/,
    lookUp:
      'SELECT p.oid::pg_catalog.regprocedure::pg_catalog.text AS name, p.proowner AS owner FROM pg_catalog.pg_proc p WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure($1)',
  },
  {
    kinds: /^(?:TYPE|DOMAIN)$/,
    lookUp:
      'SELECT t.oid::pg_catalog.regtype::pg_catalog.text AS name, t.typowner AS owner FROM pg_catalog.pg_type t WHERE t.oid OPERATOR(pg_catalog.=) pg_catalog.to_regtype($1)',
  },
  {
    kinds: /^SCHEMA$/,
    lookUp:
      'SELECT n.oid::pg_catalog.regnamespace::pg_catalog.text AS name, n.nspowner AS owner FROM pg_catalog.pg_namespace n WHERE n.oid OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace($1)',
  },
];

/**
 * Gives what a login has made to the account: to its main role, and what belonged to another role of the account to that one. Names of
 * the dump are looked up, never executed: what is changed is what the login itself has made.
 *
 * @param admin in the shadow, with no schema in its search path
 * @param roles of the account, the main one first
 */
export async function giveToAccount(
  admin: PostgresqlConnection,
  login: string,
  roles: readonly string[],
  loaded: Loaded,
): Promise<string[]> {
  const [main] = roles as readonly [string];
  const notes: string[] = [];
  await givePublicBack(admin, login, loaded.owners);
  await admin.query(`REASSIGN OWNED BY ${quoteName(login)} TO ${quoteName(main)}`);
  const [row] = await admin.query('SELECT oid FROM pg_catalog.pg_roles WHERE rolname::pg_catalog.text OPERATOR(pg_catalog.=) $1', [main]);
  for (const ownership of loaded.owners) {
    if (ownership.role === main || !roles.includes(ownership.role)) continue;
    if (!(await changeOwner(admin, ownership, row!.oid!)))
      notes.push(`${ownership.kind} ${ownership.object} belongs to ${main} now, not to ${ownership.role}`);
  }
  for (const each of loaded.defaultRights) await setDefaultRights(admin, each, roles, notes);
  await admin.query(`DROP OWNED BY ${quoteName(login)}`);
  return notes;
}

/** On older servers the schema `public` belongs to who made the server, unless the dump says otherwise; the login had it to load the dump. */
async function givePublicBack(admin: PostgresqlConnection, login: string, owners: readonly Ownership[]): Promise<void> {
  if (owners.some(({ kind, object }) => kind === 'SCHEMA' && object === 'public')) return;
  const [row] = await admin.query(
    `SELECT pg_catalog.pg_get_userbyid(10::pg_catalog.oid)::pg_catalog.text AS maker FROM pg_catalog.pg_namespace
      WHERE nspname::pg_catalog.text OPERATOR(pg_catalog.=) 'public' AND pg_catalog.pg_get_userbyid(nspowner)::pg_catalog.text OPERATOR(pg_catalog.=) $1`,
    [login],
  );
  if (row !== undefined) await admin.query(`ALTER SCHEMA public OWNER TO ${quoteName(row.maker!)}`);
}

async function changeOwner(admin: PostgresqlConnection, { kind, object, role }: Ownership, main: string): Promise<boolean> {
  const family = FAMILIES.find(({ kinds }) => kinds.test(kind));
  if (family === undefined) return false;
  const [found] = await admin.query(family.lookUp, [object]);
  if (found === undefined || found.owner !== main) return false;
  await admin.query(`ALTER ${kind} ${found.name} OWNER TO ${quoteName(role)}`);
  return true;
}

async function setDefaultRights(
  admin: PostgresqlConnection,
  { role, rest }: DefaultRights,
  roles: readonly string[],
  notes: string[],
): Promise<void> {
  if (roles.includes(role)) await admin.query(`ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteName(role)} ${rest}`);
  else notes.push(`left out, because ${role} is no role of the account: default privileges ${rest}`);
}

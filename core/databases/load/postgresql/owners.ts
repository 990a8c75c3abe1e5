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

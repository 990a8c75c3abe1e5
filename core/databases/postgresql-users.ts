type Query = (sql: string) => Promise<(string | null)[][]>;

/** A role as `pg_authid` has it, as the statements that make it. */
const ROLES = `SELECT rolname,
  format('CREATE ROLE %I;', rolname),
  format('ALTER ROLE %I WITH %s %s %s %s %s %s %s CONNECTION LIMIT %s%s%s;', rolname,
    CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
    CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
    CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END,
    CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
    CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
    CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END,
    rolconnlimit,
    coalesce(' PASSWORD ' || quote_literal(rolpassword), ''),
    coalesce(' VALID UNTIL ' || quote_literal(rolvaliduntil::text), ''))
  FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY rolname`;

/** Settings of roles, for all databases or one. */
const SETTINGS = `SELECT rolname, format('ALTER ROLE %I%s SET %s TO %L;', rolname,
    CASE WHEN datname IS NULL THEN '' ELSE format(' IN DATABASE %I', datname) END,
    split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1))
  FROM pg_db_role_setting s JOIN pg_authid ON pg_authid.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase,
    unnest(setconfig) AS setting ORDER BY 1, 2`;

const MEMBERSHIPS = `SELECT member.rolname, format('GRANT %I TO %I%s;', role.rolname, member.rolname,
    CASE WHEN admin_option THEN ' WITH ADMIN OPTION' ELSE '' END)
  FROM pg_auth_members JOIN pg_authid role ON role.oid = roleid JOIN pg_authid member ON member.oid = pg_auth_members.member ORDER BY 1, 2`;

/** Rights on databases themselves. */
const GRANTS = `SELECT rolname, format('GRANT %s ON DATABASE %I TO %I%s;', string_agg(privilege_type, ', ' ORDER BY privilege_type), datname, rolname,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM pg_database, aclexplode(datacl) acl JOIN pg_authid ON pg_authid.oid = grantee
  WHERE NOT datistemplate GROUP BY rolname, datname, is_grantable ORDER BY 1, 2`;

/** Statements that make roles with the hashes of their passwords and their rights. The same roles give the same text. */
export async function postgresqlUsers(query: Query, names: readonly string[]): Promise<string> {
  const wanted = new Set(names);
  const lines: string[] = [];
  for (const sql of [ROLES, SETTINGS, MEMBERSHIPS, GRANTS]) {
    for (const [name, ...statements] of await query(sql)) {
      if (wanted.has(name as string)) lines.push(...(statements as string[]));
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}

import { Failure } from '../../../failure.ts';
import { isUnknownName, type PostgresqlConnection, ServerRefusal } from '../../sessions/postgresql-connection.ts';
import type { StatementLimit } from '../statement-limit.ts';
import { quoteName } from './quoting.ts';

/** What materialized views show that were made, and for whom. */
export interface RefreshOrder {
  /** As the dump names them, in its order. */
  readonly views: readonly string[];
  /** An administrator in the shadow, with no schema in its search path. */
  readonly admin: PostgresqlConnection;
  /** A session of the login that loaded the dump, in the shadow. */
  readonly session: PostgresqlConnection;
  readonly login: string;
  /** The account's, none of them a superuser; undefined: what the login has made is still its own, and so it stays. */
  readonly roles: readonly string[] | undefined;
  /** Where a function of the account finds what it names without a schema. */
  readonly schemas: readonly string[];
  readonly limit: StatementLimit;
}

/**
 * Computes materialized views as who owns them: what they show may depend on who asks, be it by row security or by `current_user`. The
 * login becomes that role for it: the administrator computes nothing of a dump. Returns which could not be computed, in words.
 */
export async function refreshViews({ views, admin, session, login, roles, schemas, limit }: RefreshOrder): Promise<string[]> {
  const leftOut: string[] = [];
  const granted = new Set<string>();
  for (const view of views) {
    const [found] = await admin.query(
      `SELECT c.oid::pg_catalog.regclass::pg_catalog.text AS name, pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text AS owner
         FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)`,
      [view],
    );
    if (found === undefined || !(roles ?? [login]).includes(found.owner!))
      throw new Failure('dump_refused', `the dump fills the materialized view ${view}, which it has not made`);
    const owner = quoteName(found.owner!);
    if (roles !== undefined && !granted.has(owner)) await admin.query(`GRANT ${owner} TO ${quoteName(login)}`);
    granted.add(owner);
    await session.query(`SET ROLE ${owner}`);
    try {
      await compute(session, found.name!, schemas, limit);
    } catch (error) {
      if (!(error instanceof ServerRefusal)) throw error;
      leftOut.push(`the rows of MATERIALIZED VIEW ${view}: ${error.message}`);
    }
  }
  return leftOut;
}

/** First as a dump has it, without a schema to look in. */
async function compute(session: PostgresqlConnection, name: string, schemas: readonly string[], limit: StatementLimit): Promise<void> {
  const refresh = () => limit.within(() => session.query(`REFRESH MATERIALIZED VIEW ${name}`));
  await session.query("SET search_path = ''");
  try {
    await refresh();
  } catch (error) {
    if (!isUnknownName(error)) throw error;
    await session.query(`SET search_path = ${schemas.map(quoteName).join(', ')}`);
    await refresh();
  }
}

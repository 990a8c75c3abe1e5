import type { Consistency } from './database-server.ts';
import type { LeftOut } from './left-out.ts';
import { quoteName } from './load/mysql/quoting.ts';
import type { MysqlConnection } from './sessions/mysql-connection.ts';

/** So many views at once. */
const AT_ONCE = 500;

/** A view whose definer is gone can be dumped as it is, but not be locked. */
const DEFINER_IS_GONE = /^The user specified as a definer/;

/** Which views of a database lead nowhere: a dump leaves them out, or there would be none. */
export async function brokenViews(
  session: Pick<MysqlConnection, 'rows'>,
  schema: string,
  views: readonly string[],
  consistency: Consistency,
): Promise<LeftOut[]> {
  const broken = new Map<string, string>();
  for (let first = 0; first < views.length; first += AT_ONCE) {
    const names = views.slice(first, first + AT_ONCE).map((view) => `${quoteName(schema)}.${quoteName(view)}`);
    await session.rows("SET lc_messages = 'en_US'");
    const rows = await session.rows(`CHECK TABLE ${names.join(', ')}`);
    for (const [table, , kind, message] of rows) {
      const view = (table ?? '').slice(schema.length + 1);
      const isHarmless = consistency === 'snapshot' && DEFINER_IS_GONE.test(message ?? '');
      // The last line of a view says `error` and names no reason.
      if (kind === 'Error' && !isHarmless && !broken.has(view)) broken.set(view, message ?? '');
    }
  }
  return [...broken].map(([name, reason]) => ({ kind: 'view', name, reason }));
}

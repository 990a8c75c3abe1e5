import { Failure } from '../../../failure.ts';
import type { MysqlConnection } from '../../sessions/mysql-connection.ts';
import { isDatabase, quoteName, quoteText } from './quoting.ts';

/** Who may do what with one function or procedure: a server forgets it when that is dropped, also to be made again. */
export interface RoutineRight {
  readonly user: string;
  readonly host: string;
  readonly kind: 'FUNCTION' | 'PROCEDURE';
  readonly name: string;
  /** As the server keeps them: `Execute,Grant`. */
  readonly privileges: string;
}

export async function rightsOnRoutines(admin: MysqlConnection, database: string): Promise<RoutineRight[]> {
  const rows = await admin.query(
    `SELECT User AS user, Host AS host, Routine_type AS kind, Routine_name AS name, Proc_priv AS privileges FROM mysql.procs_priv
      WHERE ${isDatabase('Db', database)} AND Routine_type IN ('FUNCTION', 'PROCEDURE') ORDER BY User, Host, Routine_name, Routine_type`,
  );
  return rows as unknown as RoutineRight[];
}

/** Gives rights again; returns in words those that cannot be given, because the routine or the user is gone. */
export async function giveRightsOnRoutines(admin: MysqlConnection, database: string, rights: readonly RoutineRight[]): Promise<string[]> {
  const notes: string[] = [];
  for (const { user, host, kind, name, privileges } of rights) {
    const words = privileges.split(',').filter((each) => /^[A-Za-z ]+$/.test(each));
    const plain = words.filter((each) => each !== 'Grant');
    // A role has no host.
    const whom = host === '' ? quoteName(user) : `${quoteName(user)}@${quoteName(host)}`;
    const option = words.length > plain.length ? ' WITH GRANT OPTION' : '';
    const sql = `GRANT ${plain.join(', ') || 'USAGE'} ON ${kind} ${quoteName(database)}.${quoteName(name)} TO ${whom}${option}`;
    try {
      // Older servers would make a user of that name who needs no password.
      const found = await admin.query(`SELECT 1 FROM mysql.user WHERE User = ${quoteText(user)} AND Host = ${quoteText(host)}`);
      if (found.length === 0) throw new Failure('database_refused', 'the user is gone');
      await admin.query(sql);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'database_refused') throw error;
      notes.push(`left out: ${sql} (${error.message})`);
    }
  }
  return notes;
}

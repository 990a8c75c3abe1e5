import { Failure } from '../../failure.ts';
import type { DatabaseOrder } from './order.ts';

/** How many tables and rows a database has. */
export interface Counts {
  readonly tables: number;
  readonly rows: number;
}

/** Throws `database_differs` when what was loaded is not what the snapshot's record counted in the dump; what it did not count is not compared. */
export function requireRecordedCounts({ name, tables, rows, leftOut = [] }: DatabaseOrder['description'], loaded: Counts): void {
  const differs = (recorded: number | null, counted: number) => recorded !== null && recorded !== counted;
  // The dump makes these tables, and has no rows of them that could have been counted.
  const withoutRows = leftOut.filter(({ kind }) => kind === 'rows').length;
  if (!differs(tables, loaded.tables - withoutRows) && !differs(rows, loaded.rows)) return;
  throw new Failure(
    'database_differs',
    `loaded were ${loaded.tables} tables with ${loaded.rows} rows; the snapshot recorded ${tables} with ${rows}`,
    { affected: [name] },
  );
}

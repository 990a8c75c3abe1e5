/**
 * The rooms of core/, from the top to the bottom. A room may import from the rows below its own; core/*.ts (such as `failure.ts`) may be
 * imported everywhere. core/README.md shows the same table.
 */
export interface Row {
  readonly rooms: readonly string[];
  /** Where a room may not import from all that is below. */
  readonly only?: readonly string[];
  /** The rooms do no input or output of their own: what they compute can be tested without a disk. */
  readonly isPure?: true;
}

export const ROWS: readonly Row[] = [
  { rooms: ['cli', 'rpc'], only: ['jobs', 'commands', 'schemas', 'context'] },
  { rooms: ['jobs'] },
  { rooms: ['commands'] },
  { rooms: ['backup', 'browse', 'monitor', 'notify'] },
  { rooms: ['copy'] },
  { rooms: ['prune'] },
  { rooms: ['verify', 'targets'] },
  { rooms: ['timeline'] },
  { rooms: ['locks', 'databases'] },
  { rooms: ['panel', 'repository'] },
  { rooms: ['scan', 'restore'] },
  { rooms: ['archive'] },
  { rooms: ['schemas', 'context'] },
  { rooms: ['chain'], isPure: true, only: ['config', 'manifest'] },
  { rooms: ['exclude'], isPure: true, only: ['manifest'] },
  { rooms: ['crypto'], only: ['linux', 'manifest'] },
  { rooms: ['linux'], only: ['manifest'] },
  { rooms: ['manifest'], isPure: true, only: [] },
  { rooms: ['config'] },
];

/** Which rooms a room may import from. */
export function importable(room: string): readonly string[] {
  const row = ROWS.findIndex(({ rooms }) => rooms.includes(room));
  return ROWS[row]?.only ?? ROWS.slice(row + 1).flatMap(({ rooms }) => rooms);
}

import type { LeftOut } from './left-out.ts';

/** What breaks a dump off and is no fault of what was being read: the server, its room, or somebody who ended the dump. */
const OF_THE_SERVER =
  /canceling statement|terminating connection|connection to server|server closed the connection|lost synchronization|the database system is|out of (?:shared )?memory|could not obtain lock|deadlock detected|No space left|could not (?:write|resize shared memory)|permission denied|could not fork/i;

const NAME = `(?:[a-z_][a-z0-9_]*|"(?:[^"]|"")*")`;
const TABLE = new RegExp(`was: COPY (${NAME}\\.${NAME}) (?:\\(|TO )`);
const SEQUENCE = new RegExp(`was: SELECT last_value, is_called FROM (${NAME}\\.${NAME})`);

/** The options of the dumping program that leave something out. What refers to a table needs its definition, so of that the rows alone. */
export function withoutParts(parts: readonly LeftOut[]): string[] {
  return parts.map(({ kind, name }) => (kind === 'largeObjects' ? '--no-blobs' : `--exclude-table-data=${name}`));
}

/** What of a database broke a dump off, by what pg_dump said: it names the statement that the server could not answer. */
export function brokenParts(said: string): LeftOut[] {
  if (OF_THE_SERVER.test(said)) return [];
  const reason = /ERROR:\s*(.*?)(?:; pg_dump:|; Command was|; Query was|$)/.exec(said)?.[1] ?? said;
  const rows = TABLE.exec(said)?.[1];
  if (rows !== undefined) return [{ kind: 'rows', name: rows, reason }];
  const position = SEQUENCE.exec(said)?.[1];
  if (position !== undefined) return [{ kind: 'position', name: position, reason }];
  return /\blarge object/.test(said) ? [{ kind: 'largeObjects', name: '', reason }] : [];
}

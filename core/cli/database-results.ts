import { printable } from '../context/printable.ts';
import type { AllDatabasesResult, DatabasesOfOne, ListedDatabase, UnitDatabasesResult } from '../schemas/databases.ts';
import type { RestoreDatabaseResult, RestoredDatabase } from '../schemas/restore-database.ts';
import { pointInTimeText } from './listings.ts';
import { formatBytes, formatCount } from './quantities.ts';
import { renderTable } from './table.ts';

/** What became of one database that was to be restored. */
export function restoredDatabaseLines({
  engine,
  name,
  target,
  result,
  replaced,
  tables,
  rows,
  bytes,
  leftOut,
  notes,
  error,
}: RestoredDatabase): string[] {
  const where = target === name ? '' : ` to ${printable(target)}`;
  const what = `${formatCount(tables)} tables, ${formatCount(rows)} rows, ${formatBytes(bytes)}`;
  const said = error === null ? what : `${printable(error.message)} (${error.code})`;
  const more = [
    ...leftOut.map((what) => `left out: ${what}`),
    ...(replaced === null ? [] : [`what was live is kept as ${replaced}`]),
    ...notes,
    ...(error?.advice == null ? [] : [error.advice]),
  ];
  return [`${engine}/${printable(name)}${where}: ${result}; ${said}\n`, ...more.map((line) => `  ${printable(line)}\n`)];
}

export function renderRestoreDatabase({ status, unit, snapshot, dryRun, settled, users, notes, databases }: RestoreDatabaseResult): string {
  const lines = settled.map(({ database, kept }) => {
    const where = kept === null ? '' : ` Its tables are kept as ${printable(kept)}.`;
    return `Put ${printable(database)} back first: an earlier restore of it had died.${where}\n`;
  });
  lines.push(...notes.map((note) => `${printable(note)}\n`));
  if (users.length > 0) lines.push(`Users: ${[...new Set(users)].map(printable).join(', ')}\n`);
  lines.push(...databases.flatMap(restoredDatabaseLines));
  return `${lines.join('')}${dryRun ? 'Dry run' : 'Restore of databases'} of ${unit} from ${snapshot}: ${status}.\n`;
}

const COLUMNS = [
  { title: 'DATABASE' },
  { title: 'MOMENT' },
  { title: 'TABLES', right: true },
  { title: 'ROWS', right: true },
  { title: 'SIZE', right: true },
  { title: 'RESULT' },
];

function databaseRow({ engine, name, at, tables, rows, size, leftOut = [], result }: ListedDatabase): string[] {
  const counts =
    tables === null || rows === null || size === null ? ['', '', ''] : [formatCount(tables), formatCount(rows), formatBytes(size)];
  return [`${engine}/${name}`, at, ...counts, leftOut.length === 0 ? result : `without ${formatCount(leftOut.length)} parts`];
}

const SERVERS = { mysql: 'MySQL', postgresql: 'PostgreSQL' } as const;
const CONSISTENCY = { snapshot: 'in one transaction', locked: 'while nobody could write' } as const;

/** What else is known of a database, in lines below its row. */
function databaseDetails(database: ListedDatabase): string[] {
  const { engine, server, characterSet, collation, consistency, seconds, secondsBeforeFiles, sha256, leftOut = [], error } = database;
  if (error !== null) return [`${error.message} (${error.code})`];
  // MariaDB names itself in its version.
  const version = /MariaDB/.test(server) ? server : `${SERVERS[engine]} ${server}`;
  const how = consistency === null ? '' : ` ${CONSISTENCY[consistency]}`;
  return [
    `${version}, ${characterSet} (${collation}); dumped in ${seconds} s${how}, ${secondsBeforeFiles} s before the files`,
    `sha256 ${sha256 ?? ''}`,
    ...leftOut.map((part) => `left out: ${part}`),
  ];
}

function databaseTable(databases: readonly ListedDatabase[]): string {
  const [titles = '', ...rows] = renderTable(COLUMNS, databases.map(databaseRow)).trimEnd().split('\n');
  const below = (database: ListedDatabase | undefined): string[] =>
    database === undefined ? [] : databaseDetails(database).map((line) => `    ${printable(line)}`);
  return [titles, ...rows.flatMap((row, index) => [row, ...below(databases[index])]), ''].join('\n');
}

function unitText({ unit, unitId, current, moment, databases, error }: DatabasesOfOne): string {
  const name = current ? unit : unitId;
  if (error !== null) return `${name}: ${printable(error.message)} (${error.code})\n`;
  if (moment === null) return `${name}: no backup of that time\n`;
  const title = `${name}, ${pointInTimeText(moment)}\n`;
  return databases.length === 0 ? `${title}No databases.\n` : title + databaseTable(databases);
}

/** Of one unit, or of one after the other: a row for each database, and below it what else is known. */
export function renderDatabases(result: UnitDatabasesResult | AllDatabasesResult): string {
  if (!('units' in result)) return unitText({ ...result, current: true, error: null });
  return result.units.length === 0 ? 'No backups.\n' : result.units.map(unitText).join('\n');
}

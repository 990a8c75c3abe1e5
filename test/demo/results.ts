import { formatBytes, formatCount } from '../../core/cli/quantities.ts';
import type { UnitDatabasesResult } from '../../core/schemas/databases.ts';
import type { DiffResult } from '../../core/schemas/diff.ts';
import type { HistoryResult } from '../../core/schemas/history.ts';
import type { ListResult } from '../../core/schemas/list.ts';
import type { PlanResult } from '../../core/schemas/plan.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RunResult } from '../../core/schemas/run.ts';

/** Names of days by snapshot. */
type Days = ReadonlyMap<string, string>;

const SHOWN_DIFFERENCES = 6;
const DAY_WIDTH = 'Wednesday'.length;

function dayOf(snapshot: string, days: Days): string {
  return (days.get(snapshot) ?? 'before').padEnd(DAY_WIDTH);
}

/** What `backup:run` did, a line for each unit. */
export function runLines({ units }: RunResult): string[] {
  return units.map(({ unit, status, level, entries, changed, deleted, bytesTotal, bytesStored, warnings }) => {
    const amount = level === 'full' ? '' : `, ${formatCount(changed)} changed, ${formatCount(deleted)} deleted`;
    const sizes = `${formatCount(entries)} entries${amount}, ${formatBytes(bytesTotal)}, stored ${formatBytes(bytesStored)}`;
    return [`${unit}: ${status}, ${level}, ${sizes}`, ...warnings.map(({ path, message }) => `  ${path}: ${message}`)].join('\n      ');
  });
}

/** A line for each snapshot; with its day, where days have names. */
export function listLines({ snapshots }: ListResult, days?: Days): string[] {
  return snapshots.map(({ id, unit, level, time, entries, bytesStored }) => {
    const day = days === undefined ? '' : `${dayOf(id, days)}  `;
    return `${day}${id}  ${unit}  ${level.padEnd('differential'.length)}  ${time}  ${formatCount(entries)} entries, stored ${formatBytes(bytesStored)}`;
  });
}

export function restoreLines({ status, entries, written, unchanged, deleted, failed, warnings, databases = [] }: RestoreResult): string[] {
  const counts = [`${formatCount(written)} written`, `${formatCount(unchanged)} unchanged`, `${formatCount(deleted)} deleted`];
  return [
    `${status}: ${formatCount(entries)} entries, ${counts.join(', ')}, ${formatCount(failed)} failed`,
    ...warnings.map(({ path, message }) => `  ${path}: ${message}`),
    ...databases.map(({ engine, name, result, tables, rows, replaced }) => {
      const kept = replaced === null ? '' : `, what was live is kept as ${replaced}`;
      return `${engine}/${name}: ${result}, ${formatCount(tables)} tables, ${formatCount(rows)} rows${kept}`;
    }),
  ];
}

/** The databases of a backup. */
export function databaseLines({ databases }: UnitDatabasesResult): string[] {
  return databases.map(({ engine, name, result, tables, rows, size, at }) => {
    const amount = `${formatCount(tables ?? 0)} tables, ${formatCount(rows ?? 0)} rows, ${formatBytes(size ?? 0)}`;
    return `${engine}/${name}: ${result}, ${amount}, as of ${at}`;
  });
}

/** What a restore would read, the full first, and do. */
export function planLines(result: PlanResult, days: Days): string[] {
  const { snapshots = [], packs = [] } = result.plan ?? {};
  return [
    `as of ${result.moment.text}: reads ${snapshots.length} snapshots, ${packs.length} packs, ${formatBytes(result.bytesFetched)}`,
    ...snapshots.map((id) => `  ${dayOf(id, days)}  ${id}`),
    `would write ${formatCount(result.written)} entries (${formatBytes(result.bytesWritten)}), leave ${formatCount(result.unchanged)}, delete ${formatCount(result.deleted)}`,
  ];
}

/** When one path changed, newest first. */
export function historyLines({ events }: HistoryResult, days: Days): string[] {
  return events.map(({ event, first, changes, entry }) => {
    const what = changes.length === 0 ? event : `${event}: ${changes.join(', ')}`;
    return `${dayOf(first, days)}  ${entry === null ? '' : `${entry.size} bytes, ${entry.mtime.slice(0, 19)}Z  `}${what}`;
  });
}

/** How much two points in time differ, and the first few paths. */
export function diffLines({ differences }: DiffResult): string[] {
  const count = (wanted: string) => formatCount(differences.filter(({ difference }) => difference === wanted).length);
  const signs = { added: '+', removed: '-', changed: '~' };
  const shown = differences.slice(0, SHOWN_DIFFERENCES).map(({ difference, path, changes }) => {
    return `  ${signs[difference]} ${path}${changes.length === 0 ? '' : ` (${changes.join(', ')})`}`;
  });
  return [
    `${count('added')} added, ${count('removed')} removed, ${count('changed')} changed`,
    ...shown,
    ...(differences.length > shown.length ? ['  …'] : []),
  ];
}

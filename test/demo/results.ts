import { formatBytes, formatCount } from '../../core/cli/quantities.ts';
import type { ListResult } from '../../core/commands/schemas/list.ts';
import type { RestoreResult } from '../../core/commands/schemas/restore.ts';
import type { RunResult } from '../../core/commands/schemas/run.ts';

/** What `backup:run` did, a line for each unit. */
export function runLines({ units }: RunResult): string[] {
  return units.map(({ unit, status, level, entries, bytesTotal, bytesStored, warnings }) => {
    const sizes = `${formatCount(entries)} entries, ${formatBytes(bytesTotal)}, stored ${formatBytes(bytesStored)}`;
    return [`${unit}: ${status}, ${level}, ${sizes}`, ...warnings.map(({ path, message }) => `  ${path}: ${message}`)].join('\n      ');
  });
}

export function listLines({ snapshots }: ListResult): string[] {
  return snapshots.map(({ id, unit, level, time, entries }) => `${id}  ${unit}  ${level}  ${time}  ${formatCount(entries)} entries`);
}

export function restoreLines({ status, entries, written, unchanged, deleted, failed, warnings }: RestoreResult): string[] {
  const counts = `${written} written, ${unchanged} unchanged, ${deleted} deleted, ${failed} failed`;
  return [`${status}: ${formatCount(entries)} entries, ${counts}`, ...warnings.map(({ path, message }) => `  ${path}: ${message}`)];
}

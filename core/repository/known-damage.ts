import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { isTimedId, isUnitId } from './ids.ts';

const FILE = 'damaged.json';

type DamagedSnapshots = Record<string, readonly string[]>;

/** The snapshots of a unit of which something was found to be damaged, by their ids: the next backup must not build on them. */
export function damagedSnapshots(stateFolder: string, unit: string): ReadonlySet<string> {
  return new Set(read(stateFolder)[unit] ?? []);
}

/** Notes which snapshots of a unit are damaged: instead of all that was known, or besides it. Where that cannot be kept, it is found again. */
export function noteDamaged(stateFolder: string, unit: string, snapshots: Iterable<string>, mode: 'instead' | 'besides'): void {
  const all = read(stateFolder);
  const known = all[unit] ?? [];
  const damaged = [...new Set([...(mode === 'besides' ? known : []), ...snapshots])].sort();
  if (JSON.stringify(damaged) === JSON.stringify(known)) return;
  const { [unit]: _, ...others } = all;
  try {
    replaceFile(
      join(stateFolder, FILE),
      Buffer.from(`${JSON.stringify(damaged.length === 0 ? others : { ...others, [unit]: damaged })}\n`),
    );
  } catch {
    // Reading must work where nothing can be written.
  }
}

function read(stateFolder: string): DamagedSnapshots {
  try {
    const stored = Object.entries(JSON.parse(readFileSync(join(stateFolder, FILE), 'utf8')) as Record<string, unknown>);
    const isList = (list: unknown): list is string[] => Array.isArray(list) && list.every((id) => typeof id === 'string' && isTimedId(id));
    return Object.fromEntries(stored.filter((entry): entry is [string, string[]] => isUnitId(entry[0]) && isList(entry[1])));
  } catch {
    return {};
  }
}

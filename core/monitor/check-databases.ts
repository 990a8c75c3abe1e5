import { databasesOf } from '../config/databases.ts';
import type { Settings } from '../config/settings.ts';
import { type KeptDatabase, KeptDatabases } from '../databases/kept-databases.ts';
import { exportsByItself } from '../databases/panel-export.ts';
import type { Check } from '../schemas/doctor.ts';
import { ok, warning } from './checks.ts';

const DAY = 24 * 60 * 60_000;
/** So long what a restore has replaced is likely to be wanted. */
const MAY_STAY = 7 * DAY;

/** Which databases restores have replaced and nobody has dropped: they take room, and are in no backup. */
export function checkDatabases({ stateDirectory }: { readonly stateDirectory: string }, now: number): Check {
  const kept = new KeptDatabases(stateDirectory).all();
  if (kept.length === 0) return ok('databases', 'no restore has left one beside its successor');
  const names = (of: readonly KeptDatabase[]) => of.map(({ engine, name }) => `${engine}/${name}`).join(', ');
  const old = kept.filter(({ at }) => now - Date.parse(at) > MAY_STAY);
  if (old.length === 0) return ok('databases', `replaced by restores these days, kept, and not backed up: ${names(kept)}`);
  return warning(
    'databases',
    `replaced by restores more than ${MAY_STAY / DAY} days ago, and still there: ${names(old)}`,
    'They are not backed up. Drop them when nobody wants to go back.',
  );
}

/** Whether the panel exports databases both by itself and before each backup: two exports at once, of which nobody has any use. */
export async function checkPanelExports(settings: Settings, signal: AbortSignal): Promise<Check[]> {
  if (databasesOf(settings).method !== 'panel' || (await exportsByItself(settings, signal)) !== true) return [];
  return [
    warning(
      'databases',
      'the panel exports databases every night besides, maybe at the same time as before a backup',
      'cpcmd scope:set backups.automatic-database-exports false',
    ),
  ];
}

import { databasesOf } from '../../config/databases.ts';
import type { Context } from '../../context/context.ts';
import type { DatabaseExport } from '../../context/database-export.ts';
import { exportByPanel } from '../../databases/panel-export.ts';
import type { RunRequest } from '../../schemas/run.ts';

/** Has the panel export its databases where the settings say so: once a run of the administrator's, before the first unit. */
export async function exportIfDue({ policy }: RunRequest, { settings, signal, now }: Context): Promise<DatabaseExport | undefined> {
  if (databasesOf(settings).method !== 'panel' || policy === 'owner') return undefined;
  return await exportByPanel(settings, signal, now);
}

/** Tells what failed of it, and that the panel may export at the same time. */
export function reportExport({ automatic, error }: DatabaseExport, { reporter }: Context): void {
  if (error !== null) reporter.log({ level: 'warning', ...error });
  if (automatic !== true) return;
  reporter.log({
    level: 'warning',
    code: 'automatic_exports',
    message:
      'the panel exports databases every night besides, maybe at the same time: `cpcmd scope:set backups.automatic-database-exports false` ends that',
  });
}

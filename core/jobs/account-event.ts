import type { Methods } from '../commands/registry.ts';
import { accountSettingsOf } from '../config/notify.ts';
import type { Context } from '../context/context.ts';
import { Failure } from '../failure.ts';
import { noteHeard } from '../panel/heard-events.ts';
import { findLivingUnit } from '../panel/units.ts';
import { snapshotsFolder } from '../repository/layout.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { AccountRequest, AccountResult } from '../schemas/account.ts';
import { startJob } from './start-job.ts';
import { supervisedRun } from './supervised.ts';

/**
 * What the panel's hooks of accounts ask for. A first backup is a job, so that it holds up no creation; a last one is made before the answer,
 * because the files go afterwards. `methods` are those that do the work.
 */
export async function accountEvent(
  { event, unit, by = 'script' }: AccountRequest,
  context: Context,
  methods: Methods,
): Promise<AccountResult> {
  if (process.geteuid?.() !== 0) throw new Failure('not_root', 'only root can back up an account', { advice: 'Run this as root.' });
  noteHeard(context.settings.stateDirectory, by, context.now());
  if (event === 'deleting') {
    const { lastBackup } = await import('../commands/last-backup.ts');
    (await import('../linux/process-rights.ts')).limitRights();
    return lastBackup(unit, supervisedRun(methods), context);
  }
  const nothing = (message: string): AccountResult => ({ status: 'ok', message, snapshot: null, until: null, job: null });
  if (!context.settings.enabled) return nothing('automatic backups are off (the setting enabled)');
  if (!accountSettingsOf(context.settings).firstBackup) return nothing('new accounts wait for the night (the setting accounts)');
  if (findLivingUnit(context.settings, unit) === undefined)
    throw new Failure('unit_unknown', `there is no account ${unit} on this server`, { affected: [unit] });
  if (event === 'created' && (await hasBackup(unit, context))) return nothing('it has a backup already');
  const { job } = await startJob({ method: 'run', request: { units: [unit] } }, context, methods);
  return { ...nothing(event === 'created' ? 'its first backup is a job' : 'a backup under its new name is a job'), job };
}

/** The panel also says that an account was changed where it means that it was made. */
async function hasBackup(unit: string, { settings }: Context): Promise<boolean> {
  const repository = await openRepository(settings, 'read', () => {});
  const living = findLivingUnit(settings, unit);
  for (const each of await repository.units.known()) {
    if (each.name !== unit || living === undefined || !repository.units.livesAs(each, living.incarnation)) continue;
    for await (const _ of repository.listObjects(`${snapshotsFolder(each.unit)}/`)) return true;
  }
  return false;
}

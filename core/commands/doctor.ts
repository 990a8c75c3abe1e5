import type { Settings } from '../config/settings.ts';
import type { Context } from '../context/context.ts';
import { asFailure } from '../failure.ts';
import { checkCopies } from '../monitor/check-copies.ts';
import { checkDatabases, checkPanelExports } from '../monitor/check-databases.ts';
import { checkDestination, checkSpace } from '../monitor/check-destination.ts';
import { checkHooks } from '../monitor/check-hooks.ts';
import { checkPanel, checkScopes, checkVersion } from '../monitor/check-panel.ts';
import { checkSchedule } from '../monitor/check-schedule.ts';
import { checkSecrets } from '../monitor/check-secrets.ts';
import { checkAccounts, checkAttributes, checkExports, checkRights } from '../monitor/check-server.ts';
import { ok, problem } from '../monitor/checks.ts';
import { currentOperation, operate } from '../repository/backends/operation.ts';
import { decidedKey } from '../repository/keys/current-key.ts';
import { identitiesFile } from '../repository/keys/identities.ts';
import { lostIdentities, openPlace, openRepository } from '../repository/open-repository.ts';
import type { Check, DoctorRequest, DoctorResult } from '../schemas/doctor.ts';
import { readNight } from '../timeline/last-night.ts';
import { localTimeZone } from '../timeline/time-zone.ts';
import { checkTelling } from './check-telling.ts';
import { keys } from './keys.ts';

/** A store that does not answer is not asked for longer, in milliseconds: somebody waits. */
const PATIENCE = 10_000;

/** Looks at everything that backups need, one after the other, and says of each what is wrong and what to do. One that fails ends no other. */
export function doctor(request: DoctorRequest, context: Context): Promise<DoctorResult> {
  const { signal, reporter } = context;
  const operation = currentOperation() ?? { signal, notify: (notice) => reporter.log(notice) };
  return operate({ ...operation, patience: PATIENCE }, () => lookAtAll(request, context));
}

async function lookAtAll(request: DoctorRequest, context: Context): Promise<DoctorResult> {
  const checks: Check[] = [checkRights()];
  const settings = readSettings(context, checks);
  if (settings !== undefined) {
    const now = context.now().getTime();
    const zone = localTimeZone((notice) => context.reporter.log(notice));
    checks.push(
      checkAttributes(settings),
      checkAccounts(settings),
      checkPanel(settings.systemRoot),
      ...checkHooks(settings, request.hooked),
    );
    checks.push(checkVersion(settings.systemRoot, request.module), checkScopes(request.scopes));
    const destination = await checkDestination(settings, now);
    checks.push(...destination.checks, ...(await checkCopies(settings, destination.repository)), ...checkSpace(settings));
    checks.push(checkSchedule(settings, readNight(settings.stateDirectory), now, zone), checkExports(settings, now));
    checks.push(checkDatabases(settings, now), ...(await checkPanelExports(settings, context.signal)));
    checks.push(checkTelling(settings), ...(await checkKeys(context)));
  }
  const has = (result: Check['result']) => checks.some((check) => check.result === result);
  return { status: has('problem') ? 'failed' : has('warning') ? 'partial' : 'ok', checks };
}

/** The settings as far as they can be used; undefined when nothing of the file can. */
function readSettings(context: Context, checks: Check[]): Settings | undefined {
  try {
    const { settings, unusable = new Map() } = context;
    for (const [name, why] of unusable)
      checks.push(problem('settings', why, `It stops each backup. Correct it with \`cpcmd scope:set\`, or in the file: ${name}.`));
    if (unusable.size === 0) checks.push(ok('settings', 'all of them can be used'));
    return settings;
  } catch (error) {
    const { message, advice } = asFailure(error);
    checks.push(problem('settings', message, advice ?? 'Correct the file; `{}` means the default for everything.'));
    return undefined;
  }
}

/** Who can read what is stored, and whether the keys for that are where they should be. Where the repository cannot be opened another check has said so. */
async function checkKeys(context: Context): Promise<Check[]> {
  const { settings } = context;
  try {
    const { server } = await openRepository(settings, 'read', () => {}, { isUndecided: true });
    const place = await openPlace(settings, () => {});
    const record = await decidedKey(place, server);
    const lost = record === undefined || record === null ? [] : [...(await lostIdentities(place, server, record)).values()];
    const open = checkSecrets(place.stateFolder);
    if (open.length > 0) return open;
    if (lost.length > 0)
      return lost.map((text) => problem('key', text, 'What is stored already is read with another key alone (--identity).'));
    const { mode, recipients } = (await keys({}, context)).keys;
    const count = `encrypted for ${recipients.length} ${recipients.length === 1 ? 'key' : 'keys'}`;
    const text =
      mode === 'plain'
        ? 'not encrypted'
        : mode === 'write-only'
          ? `${count}; none of them is on this server`
          : `${count}, this server’s among them, in ${identitiesFile(place.stateFolder)}`;
    return [ok('key', `${text}: see \`apiscp-backup keys\``)];
  } catch (error) {
    const { code, message, advice } = asFailure(error);
    if (code.startsWith('repository_')) return [];
    return [problem('key', message, advice ?? 'See `apiscp-backup keys`.')];
  }
}

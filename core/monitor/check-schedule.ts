import { existsSync, lstatSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isOverdue, lastDue } from '../chain/night.ts';
import type { Settings } from '../config/settings.ts';
import type { Check } from '../schemas/doctor.ts';
import type { NightNote } from '../timeline/last-night.ts';
import { schedulePolicy } from '../timeline/policies.ts';
import { INSTALL, ok, problem, warning } from './checks.ts';

const SYSTEMD = 'run/systemd/system';
const WANTED = 'etc/systemd/system/timers.target.wants/apiscp-backup.timer';
/** systemd changes it each time that the timer fires, because the timer is persistent. */
const STAMP = 'var/lib/systemd/timers/stamp-apiscp-backup.timer';
const CRON = 'etc/cron.d/apiscp-backup';
/** The timer fires every quarter of an hour. While a backup works, it does not. */
const QUIET = 3_600_000;
const ENABLE = 'systemctl enable --now apiscp-backup.timer';

/** What starts a backup, and where systemd keeps that it must not. */
const UNITS = ['apiscp-backup.timer', 'apiscp-backup.service'];
const MASKS = ['etc/systemd/system', 'run/systemd/system'];

/** A link to /dev/null, or an empty file, stands for a unit that is not to start. */
function isMasked(file: string): boolean {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() === true) return readlinkSync(file) === '/dev/null';
  return stat?.isFile() === true && stat.size === 0;
}

/** Whether something starts the backups, and did. */
export function checkSchedule(settings: Settings, note: NightNote | undefined, now: number, timeZone: string): Check {
  if (!settings.enabled) return warning('schedule', 'automatic backups are off', 'cpcmd scope:set backups.enabled true');
  const at = (place: string) => join(settings.systemRoot, place);
  const bySystemd = existsSync(at(SYSTEMD));
  const masked = bySystemd ? UNITS.find((unit) => MASKS.some((folder) => isMasked(at(join(folder, unit))))) : undefined;
  if (masked !== undefined)
    return problem('schedule', `${masked} is masked, so nothing starts the backups`, `systemctl unmask ${masked}; ${ENABLE}`);
  if (bySystemd && !existsSync(at(WANTED))) return problem('schedule', 'the timer is not enabled', ENABLE);
  if (!bySystemd && !existsSync(at(CRON))) return problem('schedule', 'neither systemd nor cron starts the backups', INSTALL);
  const isAtWork = note !== undefined && !note.done && note.tries > 0;
  const fired = bySystemd ? (statSync(at(STAMP), { throwIfNoEntry: false })?.mtimeMs ?? 0) : (note?.tried ?? 0);
  if (bySystemd && !isAtWork && now - fired > QUIET)
    return problem('schedule', 'the timer has not fired for an hour', `${ENABLE}; systemctl status apiscp-backup.timer`);
  if (note === undefined) return warning('schedule', 'nothing has asked yet whether a backup is due', 'Look again in half an hour.');
  const policy = schedulePolicy(settings);
  if (isOverdue(note.begun, lastDue(policy.time, Temporal.Instant.fromEpochMilliseconds(now), timeZone), now)) {
    return problem(
      'schedule',
      `the last automatic backup began ${new Date(note.begun).toISOString()}`,
      'See `journalctl -u apiscp-backup`, or the log of cron.',
    );
  }
  return ok('schedule', `every day at ${policy.time} (${timeZone}), started by ${bySystemd ? 'systemd' : 'cron'}`);
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { notifyOf } from '../config/notify.ts';
import type { Settings } from '../config/settings.ts';
import { asFailure } from '../failure.ts';
import { ok, problem, warning } from '../monitor/checks.ts';
import { checkNotifySetting } from '../notify/check-setting.ts';
import type { Check } from '../schemas/doctor.ts';
import { readKnownProblems } from '../timeline/known-problems.ts';

const SYSTEMD = 'run/systemd/system';
const WANTED = 'etc/systemd/system/timers.target.wants/apiscp-backup-watch.timer';

/** Whether people would hear of what goes wrong. */
export function checkTelling(settings: Settings): Check {
  const notify = notifyOf(settings);
  try {
    checkNotifySetting(notify);
  } catch (error) {
    const { message, advice } = asFailure(error);
    return problem('telling', message, advice ?? 'Correct backups.notify.');
  }
  const { mail, argos, webhooks = [], heartbeats = [] } = notify;
  if (mail === false && !argos && webhooks.length + heartbeats.length === 0) {
    return warning('telling', 'nobody is told when a backup fails', 'cpcmd scope:set backups.notify null');
  }
  const undelivered = [...readKnownProblems(settings.stateDirectory).undelivered].map(([way, reason]) => `${way}: ${reason}`);
  if (undelivered.length > 0) {
    return warning('telling', `the last message did not reach everybody: ${undelivered.join('; ')}`, 'apiscp-backup watch --test');
  }
  const at = (place: string) => existsSync(join(settings.systemRoot, place));
  if (settings.enabled && at(SYSTEMD) && !at(WANTED)) {
    return warning('telling', 'nothing tells of a backup that does not come', 'systemctl enable --now apiscp-backup-watch.timer');
  }
  return ok('telling', 'what goes wrong is told; whether it arrives shows `apiscp-backup watch --test`');
}

import { isOverdue, lastDue, nextDue } from '../chain/night.ts';
import type { NightPolicy } from '../chain/schedule-policy.ts';
import type { StatusProblem, StatusResult } from '../schemas/status.ts';
import type { NightNote } from '../timeline/last-night.ts';

/** What is known of the automatic backups. */
export interface NightState {
  readonly automatic: StatusResult['automatic'];
  readonly problems: readonly StatusProblem[];
}

const LOG = 'See `journalctl -u apiscp-backup` and `apiscp-backup doctor`.';

export function nightState(
  note: NightNote | undefined,
  enabled: boolean,
  policy: NightPolicy,
  now: Temporal.Instant,
  timeZone: string,
): NightState {
  const due = lastDue(policy.time, now, timeZone);
  const next = enabled ? new Date(nextDue(policy.time, now, timeZone)).toISOString() : null;
  const last = note === undefined || note.tries === 0 ? null : new Date(note.begun).toISOString();
  const done = note === undefined || note.tries === 0 ? null : note.done;
  const problems: StatusProblem[] = [];
  const add = (code: StatusProblem['code'], message: string, advice: string) => problems.push({ code, unit: null, message, advice });
  if (enabled && note === undefined) {
    add('not_automatic', 'no timer has asked yet whether a backup is due', 'See `apiscp-backup doctor`.');
  } else if (enabled && note !== undefined && isOverdue(note.begun, due, now.epochMilliseconds)) {
    add('night_missed', `the last automatic backup began ${new Date(note.begun).toISOString()}`, LOG);
  }
  for (const { step, status, message } of note?.steps ?? []) {
    if (status === 'failed' || status === 'damaged') add('night_failed', `${step} of the last automatic backup: ${message}`, LOG);
  }
  return { automatic: { enabled, timeOfDay: policy.time, nextDue: next, last, done }, problems };
}

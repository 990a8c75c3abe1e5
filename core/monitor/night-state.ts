import { isOver, isOverdue, lastDue, nextDue, overdueFrom } from '../chain/night.ts';
import type { NightPolicy } from '../chain/schedule-policy.ts';
import type { StatusProblem, StatusResult } from '../schemas/status.ts';
import type { NightNote } from '../timeline/last-night.ts';

/** What is known of the automatic backups. */
export interface NightState {
  readonly automatic: StatusResult['automatic'];
  readonly problems: readonly StatusProblem[];
}

const LOG = 'See `journalctl -u apiscp-backup` and `apiscp-backup doctor`.';

export interface NightQuestion {
  readonly note: NightNote | undefined;
  readonly enabled: boolean;
  readonly policy: NightPolicy;
  readonly now: Temporal.Instant;
  readonly timeZone: string;
  /** Whether a process makes an automatic backup just now. */
  readonly isAtWork: boolean;
}

/** How the automatic backups stand: what was made, what is missing, and since when. */
export function nightState({ note, enabled, policy, now, timeZone, isAtWork }: NightQuestion): NightState {
  const due = lastDue(policy.time, now, timeZone);
  const next = enabled ? new Date(nextDue(policy.time, now, timeZone)).toISOString() : null;
  const last = note === undefined || note.tries === 0 ? null : new Date(note.begun).toISOString();
  const done = note === undefined || note.tries === 0 ? null : note.done;
  const problems: StatusProblem[] = [];
  const add = (code: StatusProblem['code'], message: string, advice: string, since: number | null) =>
    problems.push({ code, unit: null, message, advice, since: since === null ? null : new Date(since).toISOString() });
  if (enabled && note === undefined) {
    add('not_automatic', 'no timer has asked yet whether a backup is due', 'See `apiscp-backup doctor`.', null);
  } else if (enabled && note !== undefined && isOverdue(note.begun, due, now.epochMilliseconds)) {
    const message = `the last automatic backup began ${new Date(note.begun).toISOString()}${isAtWork ? ', and is at work still' : ''}`;
    add('night_missed', message, LOG, overdueFrom(note.begun, policy.time, timeZone));
  }
  if (note !== undefined && !note.done && note.steps.length === 0 && isOver(note, isAtWork, now.epochMilliseconds)) {
    add('night_unfinished', 'the last automatic backup was ended before it had done anything', LOG, note.begun);
  }
  for (const { step, status, message } of note?.steps ?? []) {
    if (status === 'failed' || status === 'damaged')
      add('night_failed', `${step} of the last automatic backup: ${message}`, LOG, note?.begun ?? null);
  }
  return { automatic: { enabled, timeOfDay: policy.time, nextDue: next, last, done }, problems };
}

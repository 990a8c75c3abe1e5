import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { isOver, lastDue } from '../chain/night.ts';
import type { Context } from '../context/context.ts';
import { Failure } from '../failure.ts';
import { isLocked } from '../locks/locks.ts';
import { nightState } from '../monitor/night-state.ts';
import { type Delivered, deliver, heartbeat } from '../notify/deliver.ts';
import type { Message } from '../notify/message.ts';
import { prepareStateDirectory } from '../repository/state-directory.ts';
import type { StatusProblem } from '../schemas/status.ts';
import type { WatchRequest, WatchResult } from '../schemas/watch.ts';
import { readKnownProblems, writeKnownProblems } from '../timeline/known-problems.ts';
import { readNight } from '../timeline/last-night.ts';
import { schedulePolicy } from '../timeline/policies.ts';
import { localTimeZone } from '../timeline/time-zone.ts';
import { measureNow } from './measuring.ts';
import { settleDeletions } from './settle-deletions.ts';
import { tellOf } from './telling.ts';

/** So long may pass after the installation until the timer of the backups has asked for the first time. */
const FIRST_QUESTION = 86_400_000;

/**
 * What a second timer asks once an hour: whether an automatic backup that was due did not come, or ended without telling anybody, be it that
 * its process was killed or that nobody could be told then. Makes no backup.
 */
export async function watch(request: WatchRequest, context: Context): Promise<WatchResult> {
  if (process.geteuid?.() !== 0) throw new Failure('not_root', 'only root can look at every backup', { advice: 'Run this as root.' });
  prepareStateDirectory(context.settings.stateDirectory);
  if (request.test === true) return resultOf('a message to see whether it arrives', await deliver(testMessage(context), context));
  await settleDeletions(context);
  const event = eventNow(context);
  if ('reason' in event) {
    await measureNow(context);
    return { status: 'ok', told: false, message: event.reason, failed: [] };
  }
  const told = await tellOf(event.name, event.problems, context);
  // A night that was killed, or never began, could not say it itself.
  if (told !== undefined && event.isWithoutEnd) await heartbeat('failure', context);
  if (told?.delivered === undefined) {
    return { status: 'ok', told: false, message: told === undefined ? 'people know of it' : 'nothing needs attention', failed: [] };
  }
  return resultOf(told.subject, told.delivered);
}

function resultOf(message: string, { ways, failed }: Delivered): WatchResult {
  const status = failed.size === 0 ? 'ok' : failed.size < ways ? 'partial' : 'failed';
  return { status, told: failed.size < ways, message, failed: [...failed].map(([way, reason]) => ({ way, reason })) };
}

interface WatchedEvent {
  readonly name: string;
  readonly problems: readonly StatusProblem[];
  /** No night came, or the last try of it ended without a word. */
  readonly isWithoutEnd: boolean;
}

/** Of what people are to be told now, or why of nothing. */
function eventNow(context: Context): WatchedEvent | { readonly reason: string } {
  const { settings, reporter } = context;
  const { enabled, stateDirectory } = settings;
  if (!enabled) return { reason: 'automatic backups are off (the setting enabled)' };
  const now = Temporal.Instant.fromEpochMilliseconds(context.now().getTime());
  const timeZone = localTimeZone((notice) => reporter.log(notice));
  const policy = schedulePolicy(settings);
  const note = readNight(stateDirectory);
  const isAtWork = isLocked(stateDirectory, 'nightly');
  const { problems } = nightState({ note, enabled, policy, now, timeZone, isAtWork });
  const missed = problems.filter(({ code }) => code === 'night_missed' || (code === 'not_automatic' && isLongSo(code, context)));
  if (missed.length > 0) return { name: `missed ${lastDue(policy.time, now, timeZone)}`, problems: missed, isWithoutEnd: true };
  if (note === undefined) return { reason: 'nothing has asked yet whether a backup is due' };
  if (!isOver(note, isAtWork, now.epochMilliseconds)) return { reason: isAtWork ? 'a backup is at work' : 'no backup is over yet' };
  return { name: `night ${note.begun}`, problems, isWithoutEnd: !note.done };
}

/** Whether a problem was there a day ago already; remembers it when it was not. */
function isLongSo(code: StatusProblem['code'], { settings: { stateDirectory }, now }: Context): boolean {
  const known = readKnownProblems(stateDirectory);
  const since = known.since.get(code);
  if (since !== undefined) return now().getTime() - Date.parse(since) > FIRST_QUESTION;
  writeKnownProblems(stateDirectory, { ...known, since: new Map([...known.since, [code, now().toISOString()]]) });
  return false;
}

function testMessage({ now }: Context): Message {
  const subject = `${hostname()}: a test of apiscp-backup`;
  const text = 'Somebody asked by `apiscp-backup watch --test` whether messages about backups arrive. This one has.\n';
  return {
    id: `msg_${randomUUID()}`,
    type: 'backup.test',
    time: now().toISOString(),
    isUrgent: false,
    subject,
    text,
    short: text.trim(),
    data: {},
  };
}

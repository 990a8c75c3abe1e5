import { Failure } from '../failure.ts';
import { ChainIndex } from './chain-index.ts';
import { millisecondsBefore, parseDuration } from './duration.ts';
import { dueOn, type ScheduledLevel, type SchedulePolicy } from './schedule-policy.ts';
import { type ChainSnapshot, type Level, newest, takenAt } from './snapshot.ts';

/** What was asked for; `auto` follows the schedule. */
export type LevelRequest = 'auto' | ScheduledLevel;

export interface LevelChoice {
  readonly level: Level;
  /** The full is to be made from what the repository holds. */
  readonly synthetic: boolean;
  /** Why, in a sentence for people. */
  readonly reason: string;
}

// Every rule of a schedule comes round within this time.
const DAYS_LOOKED_BACK = 366;

function choice(level: ScheduledLevel, reason: string): LevelChoice {
  return level === 'synthetic' ? { level: 'full', synthetic: true, reason } : { level, synthetic: false, reason };
}

function named(level: ScheduledLevel): string {
  return level === 'synthetic' ? 'synthetic full' : level;
}

function withArticle(level: ScheduledLevel): string {
  return `${level === 'incremental' ? 'An' : 'A'} ${named(level)}`;
}

function isFull(level: ScheduledLevel): boolean {
  return level === 'full' || level === 'synthetic';
}

/** The full that the next snapshot can build on, or why there is none. */
function usableFull(history: readonly ChainSnapshot[], now: Temporal.Instant): ChainSnapshot | string {
  if (!history.some((snapshot) => snapshot.level === 'full')) return 'There is no full backup of this unit yet.';
  const last = newest(history.filter((snapshot) => takenAt(snapshot) <= now.epochMilliseconds));
  if (last === undefined) return 'Every earlier backup is dated in the future, so none can be trusted to be the latest.';
  try {
    return new ChainIndex(history).select(last.id).full;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'chain_broken') throw error;
    return `No backup can build on the last one: ${error.message}.`;
  }
}

function ageProblem(full: ChainSnapshot, policy: SchedulePolicy, now: Temporal.Instant, timeZone: string): string | undefined {
  const taken = takenAt(full);
  if (taken > now.epochMilliseconds) return `The last full, ${full.id}, is dated in the future, so its age is not known.`;
  const oldest = millisecondsBefore(now, parseDuration(policy.maxFullAge), timeZone);
  return taken < oldest ? `The last full, ${full.id}, is older than ${policy.maxFullAge}.` : undefined;
}

/** Whether what was due on a day that began at `begin` has been taken since, in full or by something that holds more. */
function isServed(level: ScheduledLevel, history: readonly ChainSnapshot[], begin: number, now: number): boolean {
  const within = (time: number) => time >= begin && time <= now;
  return history.some((snapshot) => {
    if (snapshot.usable === false) return false;
    if (snapshot.level === 'full' || (snapshot.level === 'differential' && !isFull(level))) {
      if (within(takenAt(snapshot))) return true;
    }
    // A differential in which nothing has changed is not stored; the run record alone tells of it.
    return !isFull(level) && snapshot.unchangedUntil !== undefined && within(Date.parse(snapshot.unchangedUntil));
  });
}

/** The newest full, and the newest differential, that the schedule wanted up to today and that nobody took. */
function overdue(
  policy: SchedulePolicy,
  history: readonly ChainSnapshot[],
  now: Temporal.Instant,
  timeZone: string,
): LevelChoice | undefined {
  const today = now.toZonedDateTimeISO(timeZone).toPlainDate();
  const looked = { full: false, differential: false };
  let differential: LevelChoice | undefined;
  for (let back = 0; back < DAYS_LOOKED_BACK && !looked.full; back++) {
    const date = today.subtract({ days: back });
    const due = dueOn(policy, date);
    if (due.level === 'incremental') continue;
    const kind = isFull(due.level) ? 'full' : 'differential';
    if (looked[kind]) continue;
    looked[kind] = true;
    const begin = date.toZonedDateTime({ timeZone }).startOfDay().epochMilliseconds;
    if (isServed(due.level, history, begin, now.epochMilliseconds)) continue;
    const reason =
      back === 0
        ? `Today is ${due.day}, the day of a ${named(due.level)}.`
        : `The ${named(due.level)} of ${date}, ${due.day}, was missed and is taken now.`;
    if (kind === 'full') return choice(due.level, reason);
    differential = choice(due.level, reason);
  }
  return differential;
}

/**
 * The beginning of the last day, up to today, on which a differential is due, in milliseconds since 1970: what a run found unchanged
 * since then counts as that. Now when none ever is.
 */
export function differentialDueSince(policy: SchedulePolicy, now: Temporal.Instant, timeZone: string): number {
  const today = now.toZonedDateTimeISO(timeZone).toPlainDate();
  for (let back = 0; back < DAYS_LOOKED_BACK; back++) {
    const date = today.subtract({ days: back });
    if (dueOn(policy, date).level === 'differential') return date.toZonedDateTime({ timeZone }).startOfDay().epochMilliseconds;
  }
  return now.epochMilliseconds;
}

/**
 * Which level the next backup of a unit takes, and why. `history` are the unit's snapshots in any order; those dated after
 * `now` do not count as the latest nor as taken on time. Days are those of `timeZone`. What cannot be done (anything but
 * a full when there is nothing to build on) becomes a full, and the reason says so.
 */
export function chooseLevel(
  policy: SchedulePolicy,
  history: readonly ChainSnapshot[],
  now: Temporal.Instant,
  timeZone: string,
  request: LevelRequest = 'auto',
): LevelChoice {
  if (request === 'full') return choice('full', 'A full was asked for.');
  const full = usableFull(history, now);
  if (typeof full === 'string') {
    return choice('full', request === 'auto' ? full : `${withArticle(request)} was asked for, but a full is needed. ${full}`);
  }
  if (request !== 'auto') return choice(request, `${withArticle(request)} was asked for.`);
  const problem = ageProblem(full, policy, now, timeZone);
  if (problem !== undefined) return choice('full', problem);
  const due = overdue(policy, history, now, timeZone);
  if (due !== undefined) return due;
  const today = dueOn(policy, now.toZonedDateTimeISO(timeZone).toPlainDate());
  if (today.level === 'incremental') return choice('incremental', `Today is ${today.day}, a day of an incremental.`);
  return choice('incremental', `The ${named(today.level)} of today, ${today.day}, was already taken.`);
}

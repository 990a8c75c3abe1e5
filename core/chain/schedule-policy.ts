import type { Level } from './snapshot.ts';

/** In the order of ISO 8601, Monday first. */
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** Which of a weekday's days in a month: 1 is the first Sunday, whatever week that falls in. */
export type WeekOfMonth = 1 | 2 | 3 | 4 | 5 | 'last';

/** `synthetic` is a full that is made from what the repository holds. */
export type ScheduledLevel = Level | 'synthetic';

/** What is due on some days. */
export interface ScheduleRule {
  /** Left out: every day. */
  readonly weekdays?: readonly Weekday[];
  /** Left out: every week. */
  readonly weeksOfMonth?: readonly WeekOfMonth[];
  readonly level: ScheduledLevel;
}

/** Which level is due when. Plain data, so that it can stand in the settings. */
export interface SchedulePolicy {
  /** The first that fits a day decides; a day that none fits is a day of an incremental. */
  readonly rules: readonly ScheduleRule[];
  /** A duration; when the last full is older than this, the next backup is a full. */
  readonly maxFullAge: string;
}

/** The same with when the server is backed up by itself, and what follows. */
export interface NightPolicy extends SchedulePolicy {
  /** `HH:MM`. */
  readonly time: string;
  readonly prune: boolean;
  /** A duration, in which all contents are read back once; false: none is. */
  readonly verifyWithin: string | false;
}

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth'] as const;
const DAYS_OF_WEEK = 7;

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function weekdayOf(date: Temporal.PlainDate): Weekday {
  return WEEKDAYS[date.dayOfWeek - 1]!;
}

function weekFits(week: WeekOfMonth, date: Temporal.PlainDate): boolean {
  if (week === 'last') return date.day + DAYS_OF_WEEK > date.daysInMonth;
  return week === Math.ceil(date.day / DAYS_OF_WEEK);
}

/** What the schedule wants on a day, and what kind of day that is, in words: `the first Sunday of the month`, `a Tuesday`. */
export function dueOn(policy: SchedulePolicy, date: Temporal.PlainDate): { level: ScheduledLevel; day: string } {
  const weekday = weekdayOf(date);
  for (const { weekdays, weeksOfMonth, level } of policy.rules) {
    if (weekdays !== undefined && !weekdays.includes(weekday)) continue;
    if (weeksOfMonth === undefined) return { level, day: `a ${capital(weekday)}` };
    const week = weeksOfMonth.find((candidate) => weekFits(candidate, date));
    if (week === undefined) continue;
    const ordinal = week === 'last' ? week : ORDINALS[week - 1];
    return { level, day: `the ${ordinal} ${capital(weekday)} of the month` };
  }
  return { level: 'incremental', day: `a ${capital(weekday)}` };
}

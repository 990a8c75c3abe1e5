import type { LocalDay, LocalDays } from './local-days.ts';
import type { RetentionPolicy } from './retention-policy.ts';
import type { RetentionTerms } from './retention-terms.ts';
import { type ChainSnapshot, takenAt } from './snapshot.ts';

/** A moment at which a snapshot stood for the state of its unit: when it was taken, or when a later run found no change. */
interface CalendarPoint {
  readonly id: string;
  readonly complete: boolean;
  readonly day: LocalDay;
}

/** Divides the calendar; equal periods have equal numbers, and the next period has the next number. */
interface Period {
  readonly limit: (policy: RetentionPolicy) => number | undefined;
  readonly number: (day: LocalDay) => number;
  readonly named: (date: Temporal.PlainDate) => string;
}

const DAYS_FROM_MONDAY_TO_EPOCH = 3;
const DAYS_OF_WEEK = 7;
const MONTHS_OF_YEAR = 12;

const PERIODS: readonly Period[] = [
  { limit: (policy) => policy.keepDaily, number: ({ number }) => number, named: (date) => `day ${date}` },
  {
    limit: (policy) => policy.keepWeekly,
    number: ({ number }) => Math.floor((number + DAYS_FROM_MONDAY_TO_EPOCH) / DAYS_OF_WEEK),
    named: (date) => `week of ${date.subtract({ days: date.dayOfWeek - 1 })}`,
  },
  {
    limit: (policy) => policy.keepMonthly,
    number: ({ date }) => date.year * MONTHS_OF_YEAR + date.month,
    named: (date) => `month ${date.toPlainYearMonth()}`,
  },
  { limit: (policy) => policy.keepYearly, number: ({ date }) => date.year, named: (date) => `year ${date.year}` },
];

function calendarPoints(snapshots: readonly ChainSnapshot[], now: number, days: LocalDays): CalendarPoint[] {
  const points: { id: string; complete: boolean; time: number }[] = [];
  for (const snapshot of snapshots) {
    const { id, complete = true, unchangedUntil } = snapshot;
    points.push({ id, complete, time: takenAt(snapshot) });
    if (unchangedUntil !== undefined) points.push({ id, complete, time: Date.parse(unchangedUntil) });
  }
  return points
    .filter((point) => point.time <= now)
    .sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1))
    .map(({ id, complete, time }) => ({ id, complete, day: days.of(time) }));
}

/**
 * Tells `keep` which of the snapshots the rules over the calendar keep, and by which rule in words. Snapshots dated after
 * `now` do not count. The first of a period stands for it, and periods are counted back from the present one whether or
 * not they have snapshots: so nothing that is taken later can push an earlier snapshot out of its place. One that is not
 * complete does not stand for a period alone: the first complete one is kept beside it.
 */
export function keepByCalendar(
  snapshots: readonly ChainSnapshot[],
  { policy, now, days }: RetentionTerms,
  keep: (id: string, rule: string) => void,
): void {
  if ([...PERIODS.map(({ limit }) => limit(policy)), policy.keepLast].every((limit) => (limit ?? 0) === 0)) return;
  const points = calendarPoints(snapshots, now.epochMilliseconds, days);
  const complete = points.filter((point) => point.complete);
  const today = days.of(now.epochMilliseconds);
  for (const period of PERIODS) {
    const limit = period.limit(policy) ?? 0;
    if (limit === 0) continue;
    const firsts = new Set<string>();
    keepFirsts(points, period, limit, today, (id, named) => {
      firsts.add(id);
      keep(id, `first of the ${named}`);
    });
    keepFirsts(complete, period, limit, today, (id, named) => {
      if (!firsts.has(id)) keep(id, `first complete one of the ${named}`);
    });
  }
  keepLastDays(points, policy.keepLast ?? 0, keep);
  keepLastDays(complete, policy.keepLast ?? 0, keep);
}

function keepFirsts(
  points: readonly CalendarPoint[],
  period: Period,
  limit: number,
  today: LocalDay,
  keep: (id: string, named: string) => void,
): void {
  const present = period.number(today);
  let last: number | undefined;
  for (const { id, day } of points) {
    const number = period.number(day);
    if (number !== last && present - number < limit) keep(id, period.named(day.date));
    last = number;
  }
}

/** Days are counted, not snapshots: a hundred snapshots within a day push out no more than one does. */
function keepLastDays(points: readonly CalendarPoint[], limit: number, keep: (id: string, rule: string) => void): void {
  const days = [...new Set(points.map(({ day }) => day.number))];
  const [oldestDay] = limit === 0 ? [] : days.slice(-limit);
  if (oldestDay === undefined) return;
  for (const { id, day } of points) {
    if (day.number >= oldestDay) keep(id, `of the last ${limit} days with snapshots`);
  }
}

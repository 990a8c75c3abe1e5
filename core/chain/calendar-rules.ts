import type { RetentionPolicy } from './retention-policy.ts';
import { type ChainSnapshot, takenAt } from './snapshot.ts';

/** A moment at which a snapshot stood for the state of its unit: when it was taken, or when a later run found no change. */
interface RestorePoint {
  readonly id: string;
  readonly complete: boolean;
  readonly date: Temporal.PlainDate;
}

/** Divides the calendar; equal periods have equal numbers, and the next period has the next number. */
interface Period {
  readonly limit: (policy: RetentionPolicy) => number | undefined;
  readonly number: (date: Temporal.PlainDate) => number;
  readonly named: (date: Temporal.PlainDate) => string;
}

const EPOCH = Temporal.PlainDate.from('1970-01-01');
const DAYS_FROM_MONDAY_TO_EPOCH = 3;
const DAYS_OF_WEEK = 7;
const MONTHS_OF_YEAR = 12;

function dayNumber(date: Temporal.PlainDate): number {
  return EPOCH.until(date, { largestUnit: 'days' }).days;
}

const PERIODS: readonly Period[] = [
  { limit: (policy) => policy.keepDaily, number: dayNumber, named: (date) => `day ${date}` },
  {
    limit: (policy) => policy.keepWeekly,
    number: (date) => Math.floor((dayNumber(date) + DAYS_FROM_MONDAY_TO_EPOCH) / DAYS_OF_WEEK),
    named: (date) => `week of ${date.subtract({ days: date.dayOfWeek - 1 })}`,
  },
  {
    limit: (policy) => policy.keepMonthly,
    number: (date) => date.year * MONTHS_OF_YEAR + date.month,
    named: (date) => `month ${date.toPlainYearMonth()}`,
  },
  { limit: (policy) => policy.keepYearly, number: (date) => date.year, named: (date) => `year ${date.year}` },
];

function restorePoints(snapshots: readonly ChainSnapshot[], now: number, timeZone: string): RestorePoint[] {
  const points: { id: string; complete: boolean; time: number }[] = [];
  for (const snapshot of snapshots) {
    const { id, complete = true, unchangedUntil } = snapshot;
    points.push({ id, complete, time: takenAt(snapshot) });
    if (unchangedUntil !== undefined) points.push({ id, complete, time: Date.parse(unchangedUntil) });
  }
  return points
    .filter((point) => point.time <= now)
    .sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1))
    .map(({ id, complete, time }) => ({
      id,
      complete,
      date: Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timeZone).toPlainDate(),
    }));
}

/**
 * Tells `keep` which of the snapshots the rules over the calendar keep, and by which rule in words. Snapshots dated after
 * `now` do not count. The first of a period stands for it, and periods are counted back from the present one whether or
 * not they have snapshots: so nothing that is taken later can push an earlier snapshot out of its place. One that is not
 * complete does not stand for a period alone: the first complete one is kept beside it.
 */
export function keepByCalendar(
  snapshots: readonly ChainSnapshot[],
  policy: RetentionPolicy,
  now: Temporal.Instant,
  timeZone: string,
  keep: (id: string, rule: string) => void,
): void {
  const points = restorePoints(snapshots, now.epochMilliseconds, timeZone);
  const complete = points.filter((point) => point.complete);
  const today = now.toZonedDateTimeISO(timeZone).toPlainDate();
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
  points: readonly RestorePoint[],
  period: Period,
  limit: number,
  today: Temporal.PlainDate,
  keep: (id: string, named: string) => void,
): void {
  const present = period.number(today);
  let last: number | undefined;
  for (const { id, date } of points) {
    const number = period.number(date);
    if (number !== last && present - number < limit) keep(id, period.named(date));
    last = number;
  }
}

/** Days are counted, not snapshots: a hundred snapshots within a day push out no more than one does. */
function keepLastDays(points: readonly RestorePoint[], limit: number, keep: (id: string, rule: string) => void): void {
  const days = [...new Set(points.map((point) => dayNumber(point.date)))];
  const [oldestDay] = limit === 0 ? [] : days.slice(-limit);
  if (oldestDay === undefined) return;
  for (const { id, date } of points) {
    if (dayNumber(date) >= oldestDay) keep(id, `of the last ${limit} days with snapshots`);
  }
}

import { Failure } from '../failure.ts';
import { TokenReader } from './tokens.ts';

type DurationUnit = 'hours' | 'days' | 'weeks' | 'months' | 'years';

// No `m`: half of the people mean minutes by it.
const UNITS: Readonly<Record<string, DurationUnit>> = {
  h: 'hours',
  hour: 'hours',
  hours: 'hours',
  d: 'days',
  day: 'days',
  days: 'days',
  w: 'weeks',
  week: 'weeks',
  weeks: 'weeks',
  month: 'months',
  months: 'months',
  y: 'years',
  year: 'years',
  years: 'years',
};
const MOST_DIGITS = 5;

/** Reads one `20 days`; undefined when that is not what comes. */
export function readDuration(tokens: TokenReader): Temporal.Duration | undefined {
  const amount = tokens.digits(MOST_DIGITS);
  if (amount === undefined) return undefined;
  const word = tokens.word() ?? '';
  const unit = Object.hasOwn(UNITS, word) ? UNITS[word] : undefined;
  return unit && Temporal.Duration.from({ [unit]: Number(amount) });
}

/**
 * A length of time as people write it: a number and a unit, `2 months`, `20 days`, `4d`, `90d`, `36 hours`. Months and
 * years are those of the calendar. Throws `usage`.
 */
export function parseDuration(text: string): Temporal.Duration {
  const tokens = new TokenReader(text);
  const duration = readDuration(tokens);
  if (duration !== undefined && tokens.atEnd) return duration;
  throw new Failure('usage', `“${text}” is not a length of time`, {
    affected: [text],
    advice: 'Write a number and a unit: 36 hours, 4 days (or 4d), 2 weeks, 2 months, 1 year.',
  });
}

const FIRST_YEAR = 0;
const LAST_YEAR = 9999;

/**
 * The time that lies `duration` before `now` on the clock and calendar of the time zone. Throws `usage` for one whose year has not
 * four digits: nobody means it, and no record could hold it.
 */
export function timeBefore(now: Temporal.ZonedDateTime, duration: Temporal.Duration): Temporal.ZonedDateTime {
  let time: Temporal.ZonedDateTime | undefined;
  try {
    time = now.subtract(duration);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  if (time !== undefined && time.year > FIRST_YEAR && time.year < LAST_YEAR) return time;
  throw new Failure('usage', 'that is beyond the calendar, which has years of four digits', {
    advice: 'Give a shorter time. A hold without an end needs none.',
  });
}

/** The same in milliseconds since 1970. */
export function millisecondsBefore(now: Temporal.Instant, duration: Temporal.Duration, timeZone: string): number {
  return timeBefore(now.toZonedDateTimeISO(timeZone), duration).epochMilliseconds;
}

/** The time that lies `duration` after another one, both in milliseconds since 1970; Infinity where that is beyond the calendar. */
export function timeAfter(time: number, duration: Temporal.Duration, timeZone: string): number {
  try {
    return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timeZone).add(duration).epochMilliseconds;
  } catch (error) {
    if (error instanceof RangeError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

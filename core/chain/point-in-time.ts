import { Failure } from '../failure.ts';
import { readDuration, timeBefore } from './duration.ts';
import { TokenReader } from './tokens.ts';

/** A point in time as somebody asked for it. `text` says it back in full, for people: with the zone that was assumed. */
export type PointInTime =
  | { readonly kind: 'snapshot'; readonly id: string; readonly text: string }
  | { readonly kind: 'latest' | 'time'; readonly instant: Temporal.Instant; readonly timeZone: string; readonly text: string };

const ID_SHAPE = '00000000t000000000z-xxxxxxxx';

function isSnapshotId(text: string): boolean {
  const isDigit = (character: string) => character >= '0' && character <= '9';
  const fits = (character: string, shape: string) => {
    if (shape === '0') return isDigit(character);
    return shape === 'x' ? isDigit(character) || (character >= 'a' && character <= 'f') : character.toLowerCase() === shape;
  };
  return text.length === ID_SHAPE.length && Array.from(ID_SHAPE).every((shape, i) => fits(text.charAt(i), shape));
}

/** Two digits below `limit`, or one where people leave the zero out; undefined when that is not what comes. */
function readSmall(tokens: TokenReader, limit: number): number | undefined {
  const value = Number(tokens.digits(2) ?? Number.NaN);
  return value < limit ? value : undefined;
}

/** `14:00`, `14:00:30` or `14:00:30.250`. The seconds are meant whole, so that a time copied from a list finds its snapshot. */
function readTime(tokens: TokenReader): Temporal.PlainTime | undefined {
  const hour = readSmall(tokens, 24);
  const minute = tokens.take(':') ? readSmall(tokens, 60) : undefined;
  if (hour === undefined || minute === undefined) return undefined;
  const second = tokens.take(':') ? readSmall(tokens, 60) : 0;
  if (second === undefined) return undefined;
  const fraction = tokens.take('.') ? tokens.digits(9) : '999999999';
  if (fraction === undefined) return undefined;
  const [millisecond, microsecond, nanosecond] = [0, 3, 6].map((from) => Number(fraction.padEnd(9, '0').slice(from, from + 3)));
  return Temporal.PlainTime.from({ hour, minute, second, millisecond: millisecond!, microsecond: microsecond!, nanosecond: nanosecond! });
}

/** `Z`, `UTC` or `+02:00`; undefined when that is not what comes. */
function readZone(tokens: TokenReader): string | undefined {
  if (tokens.take('z') || tokens.take('utc')) return 'UTC';
  const sign = ['+', '-'].find((candidate) => tokens.take(candidate));
  if (sign === undefined) return undefined;
  const hours = readSmall(tokens, 24);
  const minutes = tokens.take(':') ? readSmall(tokens, 60) : undefined;
  if (hours === undefined || minutes === undefined) return undefined;
  return `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}

/** `2026-11-20`; undefined when that is not what comes, or no such day exists. */
function readDate(tokens: TokenReader): Temporal.PlainDate | undefined {
  const year = tokens.digits(4);
  const month = tokens.take('-') ? tokens.digits(2) : undefined;
  const day = tokens.take('-') ? tokens.digits(2) : undefined;
  if (year?.length !== 4 || month === undefined || day === undefined) return undefined;
  const date = Temporal.PlainDate.from({ year: Number(year), month: Math.max(1, Number(month)), day: Math.max(1, Number(day)) });
  return date.month === Number(month) && date.day === Number(day) ? date : undefined;
}

function readDay(tokens: TokenReader, today: Temporal.PlainDate): Temporal.PlainDate | undefined {
  if (tokens.take('today')) return today;
  if (tokens.take('yesterday')) return today.subtract({ days: 1 });
  if (tokens.take('tomorrow')) return today.add({ days: 1 });
  return readDate(tokens);
}

/** A day, with or without a time; a day alone means its end. */
function readDayAndTime(text: string, now: Temporal.ZonedDateTime): Temporal.ZonedDateTime | undefined {
  const tokens = new TokenReader(text);
  const day = readDay(tokens, now.toPlainDate());
  if (day === undefined) return undefined;
  if (tokens.atEnd) return day.add({ days: 1 }).toZonedDateTime({ timeZone: now.timeZoneId }).startOfDay().subtract({ nanoseconds: 1 });
  tokens.take('t');
  const plainTime = readTime(tokens);
  const timeZone = tokens.atEnd ? now.timeZoneId : readZone(tokens);
  if (plainTime === undefined || timeZone === undefined || !tokens.atEnd) return undefined;
  return day.toZonedDateTime({ timeZone, plainTime });
}

/** `3 days ago`, at the time of day that it is now. */
function readAgo(text: string, now: Temporal.ZonedDateTime): Temporal.ZonedDateTime | undefined {
  const tokens = new TokenReader(text);
  const duration = readDuration(tokens);
  return duration !== undefined && tokens.take('ago') && tokens.atEnd ? timeBefore(now, duration) : undefined;
}

function describe(time: Temporal.ZonedDateTime): string {
  const clock = time.toPlainTime().toString({ smallestUnit: 'second' });
  const zone = time.timeZoneId === time.offset || time.timeZoneId === 'UTC' ? '' : `${time.timeZoneId}, `;
  return `${time.toPlainDate()} ${clock} (${zone}UTC${time.timeZoneId === 'UTC' ? '' : time.offset})`;
}

/**
 * Understands a point in time as people give it: a snapshot's id, `latest` or `now`, `2026-11-20` (the end of that day),
 * `2026-11-20 14:00` or `14:00:30`, the same with `T` and a zone (`Z`, `+02:00`), `today`, `yesterday 14:00`, `tomorrow`, `3 days ago`.
 * Without a zone it is meant in `timeZone`; a time that the clocks skip is moved on, of one that they repeat the first is
 * meant. Throws `usage`.
 */
export function parsePointInTime(text: string, now: Temporal.Instant, timeZone: string): PointInTime {
  const asked = text.trim();
  if (isSnapshotId(asked)) return { kind: 'snapshot', id: asked, text: `snapshot ${asked}` };
  const here = now.toZonedDateTimeISO(timeZone);
  if (['latest', 'now'].includes(asked.toLowerCase()))
    return { kind: 'latest', instant: now, timeZone, text: `latest as of ${describe(here)}` };
  const time = readDayAndTime(asked, here) ?? readAgo(asked, here);
  if (time !== undefined) return { kind: 'time', instant: time.toInstant(), timeZone: time.timeZoneId, text: describe(time) };
  throw new Failure('usage', `“${text}” is not a point in time`, {
    affected: [text],
    advice: 'Give a snapshot id, latest, 2026-11-20, "2026-11-20 14:00", "yesterday 14:00", "3 days ago" or 2026-11-20T14:00:00Z.',
  });
}

const BILLION = 1_000_000_000n;
const DAY = 86_400n;

/** Days from 1 March of the year 0 of the Gregorian calendar to 1 January 1970, and days of its 400 years. */
const DAYS_BEFORE_1970 = 719_468n;
const DAYS_OF_ERA = 146_097n;

/**
 * A time in nanoseconds since 1970 as RFC 3339, UTC, with nine digits behind the second. File systems keep times that no date of
 * JavaScript reaches: a year outside 0000 to 9999 has a sign and at least six digits, as ISO 8601 has it.
 */
export function entryTime(nanoseconds: bigint): string {
  const seconds = floorDivide(nanoseconds, BILLION);
  const days = floorDivide(seconds, DAY);
  const inDay = Number(seconds - days * DAY);
  const fraction = nanoseconds - seconds * BILLION;
  const time = [Math.floor(inDay / 3600), Math.floor(inDay / 60) % 60, inDay % 60].map((part) => digits(part, 2)).join(':');
  return `${dateText(days)}T${time}.${digits(fraction, 9)}Z`;
}

/** Years begin on 1 March here, so that the day that leap years have more is their last. */
function dateText(days: bigint): string {
  const since = days + DAYS_BEFORE_1970;
  const era = floorDivide(since, DAYS_OF_ERA);
  const day = Number(since - era * DAYS_OF_ERA);
  const year = Math.floor((day - Math.floor(day / 1460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365);
  const inYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * inYear + 2) / 153);
  const inMonth = inYear - Math.floor((153 * month + 2) / 5) + 1;
  const calendarMonth = month < 10 ? month + 3 : month - 9;
  const calendarYear = era * 400n + BigInt(year) + (calendarMonth <= 2 ? 1n : 0n);
  return `${yearText(calendarYear)}-${digits(calendarMonth, 2)}-${digits(inMonth, 2)}`;
}

function yearText(year: bigint): string {
  if (year >= 0n && year <= 9999n) return digits(year, 4);
  return year < 0n ? `-${digits(-year, 6)}` : `+${digits(year, 6)}`;
}

function floorDivide(value: bigint, by: bigint): bigint {
  const whole = value / by;
  return whole * by > value ? whole - 1n : whole;
}

function digits(value: number | bigint, count: number): string {
  return String(value).padStart(count, '0');
}

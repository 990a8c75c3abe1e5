/** A day of the year on which clocks change, and when, in seconds after its midnight of the clock before the change. */
interface Change {
  readonly month: number;
  /** 1 to 5, 5 being the last one of the month. */
  readonly week: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly seconds: number;
}

interface PosixZone {
  /** Seconds east of UTC. */
  readonly standard: number;
  readonly summer?: { readonly offset: number; readonly begin: Change; readonly end: Change };
}

const NAME = '(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)';
const TIME = '([+-]?)(\\d{1,3})(?::(\\d{2}))?(?::(\\d{2}))?';
const FORM = new RegExp(`^${NAME}${TIME}(?:(${NAME})(?:${TIME})?(?:,([^,]+),([^,]+))?)?$`);
const CHANGE = new RegExp(`^M(\\d{1,2})\\.([1-5])\\.([0-6])(?:/${TIME})?$`);

/** What holds where the rules are left out: those of the United States, as the C library has it. */
const USUAL_CHANGES = ['M3.2.0', 'M11.1.0'] as const;
const HOUR = 3600;
const TWO_O_CLOCK = 2 * HOUR;
const LAST_WEEK = 5;
const DAYS_OF_WEEK = 7;

function seconds([sign, hours, minutes, rest]: readonly (string | undefined)[]): number {
  const length = Number(hours) * HOUR + Number(minutes ?? 0) * 60 + Number(rest ?? 0);
  return sign === '-' ? -length : length;
}

function parseChange(text: string): Change | undefined {
  const parts = CHANGE.exec(text);
  if (parts === null) return undefined;
  const time = parts[5] === undefined ? TWO_O_CLOCK : seconds(parts.slice(4, 8));
  return { month: Number(parts[1]), week: Number(parts[2]), weekday: Number(parts[3]), seconds: time };
}

/** `EST5`, `CET-1CEST,M3.5.0,M10.5.0/3`, `<-03>3`: hours west of UTC. The rules by number of the day are not known here. */
function parse(text: string): PosixZone | undefined {
  const parts = FORM.exec(text);
  if (parts === null) return undefined;
  const standard = -seconds(parts.slice(1, 5));
  if (parts[5] === undefined) return { standard };
  const [begin, end] = [parseChange(parts[10] ?? USUAL_CHANGES[0]), parseChange(parts[11] ?? USUAL_CHANGES[1])];
  if (begin === undefined || end === undefined) return undefined;
  return { standard, summer: { offset: parts[7] === undefined ? standard + HOUR : -seconds(parts.slice(6, 10)), begin, end } };
}

/** When the clocks of a year change, in seconds since 1970. */
function pointInTimeOf({ month, week, weekday, seconds: time }: Change, year: number, offset: number): number {
  const first = Temporal.PlainDate.from({ year, month, day: 1 });
  const day = 1 + ((weekday - first.dayOfWeek + DAYS_OF_WEEK) % DAYS_OF_WEEK) + (week - 1) * DAYS_OF_WEEK;
  const date = first.with({ day: week === LAST_WEEK && day > first.daysInMonth ? day - DAYS_OF_WEEK : day });
  return date.toZonedDateTime('UTC').epochMilliseconds / 1000 + time - offset;
}

/** Moments around the changes of this year and the next with the offset that holds then, both in seconds. */
function samples({ standard, summer }: PosixZone, year: number): [number, number][] {
  if (summer === undefined) return [];
  return [year, year + 1].flatMap((each) => {
    const begin = pointInTimeOf(summer.begin, each, standard);
    const end = pointInTimeOf(summer.end, each, summer.offset);
    return [
      [begin - 1, standard],
      [begin, summer.offset],
      [end - 1, summer.offset],
      [end, standard],
    ] as [number, number][];
  });
}

function fits(zone: string, wanted: readonly [number, number][]): boolean {
  return wanted.every(([moment, offset]) => {
    const { offsetNanoseconds } = Temporal.Instant.fromEpochMilliseconds(moment * 1000).toZonedDateTimeISO(zone);
    return offsetNanoseconds / 1e9 === offset;
  });
}

/**
 * The zone that a `TZ` in the form of POSIX means: an offset, or a zone of the calendar whose clocks change as its rules say.
 * Undefined for what is no such form, or where no zone does so.
 */
export function findTimeZone(text: string, now: Temporal.Instant): string | undefined {
  const zone = parse(text);
  if (zone === undefined) return undefined;
  if (zone.summer === undefined) return offsetName(zone.standard);
  const wanted = samples(zone, now.toZonedDateTimeISO('UTC').year);
  return Intl.supportedValuesOf('timeZone').find((name) => fits(name, wanted));
}

/** `+05:30`; an offset with seconds, which no calendar has today, loses them. */
function offsetName(offset: number): string | undefined {
  const minutes = Math.floor(Math.abs(offset) / 60);
  if (minutes >= 24 * 60) return undefined;
  const two = (value: number) => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A night that began this long before it was due, or less, is the one that was due. */
const SAME_NIGHT = 12 * HOUR;
/** How long after a try that failed the next one comes. */
const TRY_AGAIN = HOUR;
const MOST_TRIES = 3;

/** The last automatic backup of the server; times in milliseconds since 1970. */
export interface LastNight {
  /** When it was tried first, and last. */
  readonly begun: number;
  readonly tried: number;
  readonly tries: number;
  /** False while it works, and when it failed or was ended by something. */
  readonly done: boolean;
}

/** When the backup of a day was due last, up to `now`: milliseconds since 1970. `time` is `HH:MM` in `timeZone`. */
export function lastDue(time: string, now: Temporal.Instant, timeZone: string): number {
  const due = dueOnDay(time, now, timeZone, 0);
  return due <= now.epochMilliseconds ? due : dueOnDay(time, now, timeZone, -1);
}

/** When it is due next, after `now`. */
export function nextDue(time: string, now: Temporal.Instant, timeZone: string): number {
  const due = dueOnDay(time, now, timeZone, 0);
  return due > now.epochMilliseconds ? due : dueOnDay(time, now, timeZone, 1);
}

/** A time that a change of the clocks leaves out is meant as the one that follows. */
function dueOnDay(time: string, now: Temporal.Instant, timeZone: string, days: number): number {
  const date = now.toZonedDateTimeISO(timeZone).toPlainDate().add({ days });
  return date.toZonedDateTime({ timeZone, plainTime: time }).epochMilliseconds;
}

/**
 * What is to be done at `now` with the backup that was due at `due`: begin it, try it again after a failure, or wait. One that was missed is due until it
 * is made; what was begun in the future, by a clock that was ahead, counts for nothing.
 */
export function whatIsDue(last: LastNight, due: number, now: number): 'begin' | 'again' | 'wait' {
  if (last.begun > now || last.begun < due - SAME_NIGHT) return 'begin';
  if (last.done || last.tries >= MOST_TRIES) return 'wait';
  return last.tried > now || now >= last.tried + TRY_AGAIN ? 'again' : 'wait';
}

/** How long a night may take before what it has not reached is overdue. */
const NIGHT_MAY_TAKE = 8 * HOUR;

/** Whether what was done last at `last` should have been done again by now, for the backup that was due at `due`. */
export function isOverdue(last: number, due: number, now: number): boolean {
  return now > due + NIGHT_MAY_TAKE ? last < due - SAME_NIGHT : last < due - SAME_NIGHT - DAY;
}

/** When what was done last at `last` became overdue, or will: milliseconds since 1970. */
export function overdueFrom(last: number, time: string, timeZone: string): number {
  return nextDue(time, Temporal.Instant.fromEpochMilliseconds(last + SAME_NIGHT), timeZone) + NIGHT_MAY_TAKE;
}

/** Whether a night may be over: it was made, or nothing tries it any more. `isAtWork` says that a process works on it. */
export function isOver({ done, tries, tried }: LastNight, isAtWork: boolean, now: number): boolean {
  if (isAtWork || tries === 0) return false;
  return done || tries >= MOST_TRIES || now > tried + 2 * TRY_AGAIN;
}

/** Whether a night that did not succeed will be tried again. */
export function isTriedAgain({ done, tries }: Pick<LastNight, 'done' | 'tries'>): boolean {
  return !done && tries < MOST_TRIES;
}

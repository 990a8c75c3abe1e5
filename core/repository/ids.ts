import { Failure } from '../failure.ts';
import { randomHex } from '../linux/random.ts';

const LAST_YEAR = 9999;

/** A day that there is, as a regular expression: year, month and day with `dash` between them. The 30 February is none. */
export function dayPattern(dash: string): string {
  const leapYear = '(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
  const ofEveryMonth = `(?:0[1-9]|1[0-2])${dash}(?:0[1-9]|1[0-9]|2[0-8])`;
  const ofLongMonths = `(?:0[13-9]|1[0-2])${dash}(?:29|30)|(?:0[13578]|1[02])${dash}31`;
  return `(?:[0-9]{4}${dash}(?:${ofEveryMonth}|${ofLongMonths})|${leapYear}${dash}02${dash}29)`;
}

/** A day and a time that there can be, as ids have them. */
export const TIME = `${dayPattern('')}T(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9][0-9]{3}Z`;
const SNAPSHOT_ID = new RegExp(`^${TIME}-[0-9a-f]{8}$`);
const TIME_OF_ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-/;
const TIMED_ID_LENGTH = 'YYYYMMDDTHHMMSSmmmZ-xxxxxxxx'.length;
const UNIT_ID = /^[a-z][a-z0-9]{0,30}-[0-9a-f]{8}$/;
const SERVER_ID = /^[0-9a-f]{16}$/;
const PACK_ID = new RegExp(`^${TIME}-[0-9a-f]{8}-[0-9]{4,10}$`);

/** What the ids of snapshots and runs of this time begin with; sorts by time. */
export function timedIdStart(time: Date): string {
  return time.toISOString().replace(/[-:.]/g, '');
}

/** The time that an id of a snapshot or of a run begins with. */
export function timeOfId(id: string): Date {
  const [, year, month, day, hour, minute, second, millisecond] = TIME_OF_ID.exec(id) ?? [];
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
}

/** An id of a snapshot or of a run: the time to the millisecond, then something random. Sorts by time. */
export function newTimedId(time: Date): string {
  return `${timedIdStart(time)}-${randomHex(4)}`;
}

/**
 * The same, behind the ones that there are, also when one of them was made by a clock that was ahead: the newest of such objects decides. Throws
 * `repository_damaged` when one is of the last moment that there is, which somebody has put there.
 */
export function newestTimedId(now: Date, before: readonly string[]): string {
  const last = [...before].sort().at(-1);
  if (last === undefined) return newTimedId(now);
  const time = new Date(Math.max(now.getTime(), timeOfId(last).getTime() + 1));
  if (time.getUTCFullYear() <= LAST_YEAR) return newTimedId(time);
  throw new Failure('repository_damaged', `nothing can be newer than ${last}, which no clock gave: somebody put it there`, {
    affected: [last],
    advice: 'Remove the object of this name, and find out who could write there.',
  });
}

/** An id for a new incarnation of the unit `name`. */
export function newUnitId(name: string): string {
  return `${name}-${randomHex(4)}`;
}

/** The name of the unit that a unit id is an incarnation of. */
export function unitNameOf(unit: string): string {
  return unit.slice(0, unit.lastIndexOf('-'));
}

export function newServerId(): string {
  return randomHex(8);
}

export function newRepositoryId(): string {
  return randomHex(16);
}

export function isTimedId(text: string): boolean {
  return SNAPSHOT_ID.test(text);
}

/** Whether a name begins with an id of a snapshot, as those of its objects do. */
export function startsWithTimedId(name: string): boolean {
  return isTimedId(name.slice(0, TIMED_ID_LENGTH));
}

export function isUnitId(text: string): boolean {
  return UNIT_ID.test(text);
}

export function isServerId(text: string): boolean {
  return SERVER_ID.test(text);
}

export function isPackId(text: string): boolean {
  return PACK_ID.test(text);
}

import { readlinkSync } from 'node:fs';
import { findTimeZone } from '../chain/posix-time-zone.ts';
import type { Notify } from '../context/notice.ts';

let told: string | undefined;

/** Where a path to zone data has the zone's name behind it. */
const ZONE_DATA = /(?:^|\/)zoneinfo\/(?:posix\/|right\/)?(.+)$/;

/**
 * The time zone of days and of times without a zone: what `TZ` says, in the forms in which date(1) takes it (empty is UTC; a colon in
 * front, a path to zone data and the rules of POSIX are understood), else that of this machine. One that is not known here is
 * UTC, and a notice says so, once.
 */
export function localTimeZone(notify: Notify, value = process.env.TZ): string {
  if (value === undefined) return knownZone(Temporal.Now.timeZoneId()) ?? 'UTC';
  const asked = value.replace(/^:/, '');
  if (asked === '') return 'UTC';
  const zone = knownZone(asked.startsWith('/') ? nameBehind(asked) : asked) ?? findTimeZone(asked, Temporal.Now.instant());
  if (zone !== undefined) return zone;
  // A run asks for each unit.
  if (value !== told)
    notify({
      level: 'warning',
      code: 'time_zone_unknown',
      message: `there is no time zone ${JSON.stringify(value)} (TZ); times are meant in UTC`,
      affected: [],
    });
  told = value;
  return 'UTC';
}

/** The name of the zone whose data lie there, also through a link such as /etc/localtime. */
function nameBehind(path: string): string {
  const name = ZONE_DATA.exec(path)?.[1];
  if (name !== undefined) return name;
  try {
    return ZONE_DATA.exec(readlinkSync(path))?.[1] ?? path;
  } catch {
    return path;
  }
}

function knownZone(name: string): string | undefined {
  // An offset such as `+02` is understood here, but in `TZ` it would mean the opposite.
  if (!/^[A-Za-z]/.test(name)) return undefined;
  try {
    const { timeZoneId } = Temporal.Now.zonedDateTimeISO(name.replace(/^(?:posix|right)\//, ''));
    return timeZoneId === 'Etc/Unknown' ? undefined : timeZoneId;
  } catch {
    return undefined;
  }
}

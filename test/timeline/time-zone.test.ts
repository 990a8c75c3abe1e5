import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { localTimeZone } from '../../core/timeline/time-zone.ts';

/** The offsets from UTC in minutes that date(1) has in a zone at these times. */
function offsetsOfDate(TZ: string, times: readonly Temporal.Instant[]): number[] {
  const output = execFileSync('date', ['-f', '-', '+%z'], { env: { TZ }, input: times.join('\n'), encoding: 'utf8' });
  return output
    .trim()
    .split('\n')
    .map((text) => {
      const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(3));
      return text.startsWith('-') ? -minutes : minutes;
    });
}

describe('the local time zone', () => {
  const FORMS = [
    '',
    ':',
    'UTC',
    'UTC0',
    'EST5',
    'IST-5:30',
    '<-03>3',
    '<+0330>-3:30',
    'Europe/Berlin',
    ':Europe/Berlin',
    'posix/Asia/Tokyo',
    '/usr/share/zoneinfo/Asia/Kolkata',
    ':/usr/share/zoneinfo/Asia/Kolkata',
    'CET-1CEST,M3.5.0,M10.5.0/3',
    'EST5EDT',
    'EST5EDT,M3.2.0,M11.1.0',
    'AEST-10AEDT,M10.1.0,M4.1.0/3',
    'IST-1GMT0,M10.5.0,M3.5.0/1',
  ];
  for (const value of FORMS) {
    it(`${JSON.stringify(value)} is read as date(1) reads it`, () => {
      const notices: string[] = [];
      const zone = localTimeZone(({ code }) => notices.push(code), value);
      const { year } = Temporal.Now.plainDateISO('UTC');
      const first = Temporal.PlainDate.from({ year, month: 1, day: 1 });
      const times = Array.from({ length: 26 }, (_, index) =>
        first
          .add({ days: 14 * index })
          .toZonedDateTime('UTC')
          .toInstant(),
      );
      const offsets = times.map((time) => time.toZonedDateTimeISO(zone).offsetNanoseconds / 60e9);
      expect(offsets, zone).to.deep.equal(offsetsOfDate(value, times));
      expect(notices).to.deep.equal([]);
    });
  }

  for (const value of [
    'Mars/Phobos',
    'garbage!',
    '5',
    '+02',
    'CET-1CEST,J60,J300',
    'CET-1CEST,M13.5.0,M10.5.0',
    'x'.repeat(5000),
    '/etc/passwd',
  ]) {
    it(`${value.slice(0, 30)} is UTC, and a notice says so once`, () => {
      const notices: string[] = [];
      const notify = ({ code }: { code: string }) => notices.push(code);
      expect([localTimeZone(notify, value), localTimeZone(notify, value)]).to.deep.equal(['UTC', 'UTC']);
      expect(notices).to.deep.equal(['time_zone_unknown']);
    });
  }
});

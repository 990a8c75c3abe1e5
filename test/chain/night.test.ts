import { expect } from 'chai';
import { isOverdue, type LastNight, lastDue, nextDue, whatIsDue } from '../../core/chain/night.ts';

const at = (text: string) => Temporal.Instant.from(text);
const ms = (text: string) => at(text).epochMilliseconds;
const BERLIN = 'Europe/Berlin';

describe('when the automatic backup is due', () => {
  it('is the last time of day that has passed, in the server’s time zone', () => {
    expect(lastDue('01:30', at('2026-11-26T00:29:59Z'), BERLIN)).to.equal(ms('2026-11-25T00:30:00Z'));
    expect(lastDue('01:30', at('2026-11-26T00:30:00Z'), BERLIN)).to.equal(ms('2026-11-26T00:30:00Z'));
    expect(nextDue('01:30', at('2026-11-26T00:30:00Z'), BERLIN)).to.equal(ms('2026-11-27T00:30:00Z'));
  });

  it('is every day once, also where the clocks are changed', () => {
    // 02:30 does not exist on the first of these days, and twice on the second.
    for (const day of ['2027-03-28', '2026-10-25']) {
      const noon = Temporal.PlainDateTime.from(`${day}T12:00`).toZonedDateTime(BERLIN).toInstant();
      const due = lastDue('02:30', noon, BERLIN);
      expect(Temporal.Instant.fromEpochMilliseconds(due).toZonedDateTimeISO(BERLIN).toPlainDate().toString()).to.equal(day);
      const hours = (nextDue('02:30', noon, BERLIN) - due) / 3_600_000;
      expect(hours).to.be.within(22, 26);
    }
  });

  const due = ms('2026-11-26T01:30:00Z');
  const night = (begun: string, rest: Partial<LastNight> = {}): LastNight => ({
    begun: ms(begun),
    tried: ms(begun),
    tries: 1,
    done: true,
    ...rest,
  });

  it('begins once a night, and makes up for a night that was missed', () => {
    expect(whatIsDue(night('2026-11-25T01:31:00Z'), due, ms('2026-11-26T01:30:00Z'))).to.equal('begin');
    expect(whatIsDue(night('2026-11-26T01:31:00Z'), due, ms('2026-11-26T01:45:00Z'))).to.equal('wait');
    // The server was off for days.
    expect(whatIsDue(night('2026-11-20T01:31:00Z'), due, ms('2026-11-26T11:00:00Z'))).to.equal('begin');
  });

  it('does not begin a second one because the time of day was changed, or the last one was late', () => {
    expect(whatIsDue(night('2026-11-25T20:00:00Z'), due, ms('2026-11-26T02:00:00Z'))).to.equal('wait');
  });

  it('is tried again an hour after a failure, or after its process was killed, twice at most', () => {
    const failed = (tries: number) => night('2026-11-26T01:31:00Z', { done: false, tries, tried: ms('2026-11-26T02:00:00Z') });
    expect(whatIsDue(failed(1), due, ms('2026-11-26T02:59:00Z'))).to.equal('wait');
    expect(whatIsDue(failed(1), due, ms('2026-11-26T03:00:00Z'))).to.equal('again');
    expect(whatIsDue(failed(3), due, ms('2026-11-26T12:00:00Z'))).to.equal('wait');
    expect(whatIsDue(failed(3), ms('2026-11-27T01:30:00Z'), ms('2026-11-27T01:30:00Z'))).to.equal('begin');
  });

  it('is not held off for years by a clock that was ahead once', () => {
    expect(whatIsDue(night('2033-01-01T01:31:00Z'), due, ms('2026-11-26T02:00:00Z'))).to.equal('begin');
    const ahead = night('2026-11-26T01:31:00Z', { done: false, tried: ms('2033-01-01T00:00:00Z') });
    expect(whatIsDue(ahead, due, ms('2026-11-26T02:00:00Z'))).to.equal('again');
  });

  it('is overdue when the night is over and it was not made', () => {
    expect(isOverdue(ms('2026-11-25T02:00:00Z'), due, ms('2026-11-26T04:00:00Z'))).to.equal(false);
    expect(isOverdue(ms('2026-11-25T02:00:00Z'), due, ms('2026-11-26T10:00:00Z'))).to.equal(true);
    expect(isOverdue(ms('2026-11-26T02:00:00Z'), due, ms('2026-11-26T10:00:00Z'))).to.equal(false);
    expect(isOverdue(ms('2026-11-24T02:00:00Z'), due, ms('2026-11-26T02:00:00Z'))).to.equal(true);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { millisecondsBefore, parseDuration } from '../../core/chain/duration.ts';
import { Failure } from '../../core/failure.ts';
import { BERLIN, instant } from './histories.ts';

describe('durations', () => {
  it('are understood as people write them', () => {
    const written: [string, string][] = [
      ['2 months', 'P2M'],
      ['1 month', 'P1M'],
      ['20 days', 'P20D'],
      ['4d', 'P4D'],
      ['90d', 'P90D'],
      ['36 hours', 'PT36H'],
      ['2w', 'P2W'],
      ['1 Year', 'P1Y'],
      ['  10   Days ', 'P10D'],
      ['0 days', 'PT0S'],
    ];
    for (const [text, iso] of written) expect(parseDuration(text).toString(), text).to.equal(iso);
  });

  it('are refused when they are not clear', () => {
    for (const text of [
      '',
      '4',
      'days',
      '4m',
      '-4 days',
      '4.5 days',
      '4 days 3',
      '4 constructor',
      '100000000 days',
      '4 days;',
      'd'.repeat(200),
    ]) {
      expect(() => parseDuration(text), text)
        .to.throw(Failure)
        .with.property('code', 'usage');
    }
  });

  it('of months are those of the calendar, and of days those of the local clock', () => {
    const earlier = (text: string, duration: string) =>
      new Date(millisecondsBefore(instant(text), parseDuration(duration), BERLIN)).toISOString();
    expect(earlier('2026-04-30T12:00:00Z', '2 months')).to.equal('2026-02-28T13:00:00.000Z');
    expect(earlier('2026-10-26T12:00:00Z', '2 days')).to.equal('2026-10-24T11:00:00.000Z');
  });

  it('are refused where they lead out of the calendar of four digits', () => {
    const now = instant('2026-11-20T12:00:00Z');
    for (const text of ['8000 years', '99999 years', '99999 months']) {
      for (const duration of [parseDuration(text), parseDuration(text).negated()]) {
        expect(() => millisecondsBefore(now, duration, 'UTC'), text)
          .to.throw(Failure)
          .with.property('code', 'usage');
      }
    }
    expect(millisecondsBefore(now, parseDuration('7000 years').negated(), 'UTC')).to.be.above(0);
  });

  it('never fail otherwise than by saying so', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{1,6} ?[a-z]{1,7}$/)), (text) => {
        try {
          expect(parseDuration(text).sign).to.be.at.least(0);
        } catch (error) {
          expect(error).to.be.instanceOf(Failure).with.property('code', 'usage');
        }
      }),
    );
  });
});

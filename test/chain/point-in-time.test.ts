import { expect } from 'chai';
import fc from 'fast-check';
import { parsePointInTime } from '../../core/chain/point-in-time.ts';
import { resolvePointInTime } from '../../core/chain/resolve-point-in-time.ts';
import { Failure } from '../../core/failure.ts';
import { BERLIN, history, instant, snapshot } from './histories.ts';

const NOW = instant('2026-11-20T12:34:56.789Z');
const ID = '20261120T140000123Z-1a2b3c4d';

function parsed(text: string, zone = BERLIN): [string, string] {
  const moment = parsePointInTime(text, NOW, zone);
  return [moment.kind === 'snapshot' ? moment.id : new Date(moment.instant.epochMilliseconds).toISOString(), moment.text];
}

describe('points in time', () => {
  it('are understood as people give them, and said back with the zone', () => {
    const given: [string, string, string][] = [
      ['latest', '2026-11-20T12:34:56.789Z', 'latest as of 2026-11-20 13:34:56 (Europe/Berlin, UTC+01:00)'],
      [ID, ID, `snapshot ${ID}`],
      ['2026-11-20', '2026-11-20T22:59:59.999Z', '2026-11-20 23:59:59 (Europe/Berlin, UTC+01:00)'],
      ['2026-07-01', '2026-07-01T21:59:59.999Z', '2026-07-01 23:59:59 (Europe/Berlin, UTC+02:00)'],
      ['2026-11-20 14:00', '2026-11-20T13:00:00.999Z', '2026-11-20 14:00:00 (Europe/Berlin, UTC+01:00)'],
      ['2026-11-20 14:00:30', '2026-11-20T13:00:30.999Z', '2026-11-20 14:00:30 (Europe/Berlin, UTC+01:00)'],
      ['2026-11-20T14:00:30Z', '2026-11-20T14:00:30.999Z', '2026-11-20 14:00:30 (UTC)'],
      ['2026-11-20T14:00:30.123Z', '2026-11-20T14:00:30.123Z', '2026-11-20 14:00:30 (UTC)'],
      ['2026-11-20T14:00+05:30', '2026-11-20T08:30:00.999Z', '2026-11-20 14:00:00 (UTC+05:30)'],
      ['2026-11-20 14:00 utc', '2026-11-20T14:00:00.999Z', '2026-11-20 14:00:00 (UTC)'],
      ['today', '2026-11-20T22:59:59.999Z', '2026-11-20 23:59:59 (Europe/Berlin, UTC+01:00)'],
      ['Yesterday 14:00', '2026-11-19T13:00:00.999Z', '2026-11-19 14:00:00 (Europe/Berlin, UTC+01:00)'],
      ['yesterday', '2026-11-19T22:59:59.999Z', '2026-11-19 23:59:59 (Europe/Berlin, UTC+01:00)'],
      ['3 days ago', '2026-11-17T12:34:56.789Z', '2026-11-17 13:34:56 (Europe/Berlin, UTC+01:00)'],
      ['2 months ago', '2026-09-20T11:34:56.789Z', '2026-09-20 13:34:56 (Europe/Berlin, UTC+02:00)'],
    ];
    for (const [text, time, said] of given) expect(parsed(text), text).to.deep.equal([time, said]);
    expect(parsed('today', 'UTC')[1]).to.equal('2026-11-20 23:59:59 (UTC)');
  });

  it('are moved on where the clocks skip an hour, and meant the first time where they repeat one', () => {
    expect(parsed('2026-03-29 02:30')[1]).to.equal('2026-03-29 03:30:00 (Europe/Berlin, UTC+02:00)');
    expect(parsed('2026-10-25 02:30')[1]).to.equal('2026-10-25 02:30:00 (Europe/Berlin, UTC+02:00)');
    expect(parsed('2026-10-25')[0], 'a day of 25 hours').to.equal('2026-10-25T22:59:59.999Z');
  });

  it('are refused when they are not clear', () => {
    const wrong = ['', '2026-02-30', '2026-13-01', '2026-00-10', '26-11-20', '2026-11-20 25:00', '2026-11-20 14', '2026-11-20 14:60'];
    const more = [
      '2026-11-20 14:00 CET',
      '2026-11-20 14:00+',
      '14:00',
      '3 days',
      '3 ago',
      'yesterday 14:00 x',
      `${ID}0`,
      '2026/11/20',
      'x'.repeat(500),
    ];
    for (const text of [...wrong, ...more]) {
      expect(() => parsePointInTime(text, NOW, BERLIN), text)
        .to.throw(Failure)
        .with.property('code', 'usage');
    }
  });

  it('never fail otherwise than by saying so', () => {
    const pieces = fc.array(
      fc.constantFrom('2026', '11', '20', '-', ':', '.', '+', 'T', 'Z', ' ', 'days', 'ago', 'today', '99999', 'latest'),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((all) => all.join('')),
        ),
        (text) => {
          try {
            expect(parsePointInTime(text, NOW, BERLIN).text).not.to.equal('');
          } catch (error) {
            expect(error).to.be.instanceOf(Failure).with.property('code', 'usage');
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('find again, by the time that a list shows, the snapshot taken then', () => {
    const times = fc.date({ min: new Date('1971-01-01'), max: new Date('2099-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(times, (time) => {
        const one = snapshot('one', 'full', time.toISOString());
        const other = snapshot('other', 'full', new Date(time.getTime() - 1000).toISOString());
        const shown = time.toISOString().slice(0, 19).replace('T', ' ');
        expect(resolvePointInTime(parsePointInTime(shown, NOW, 'UTC'), [other, one])).to.equal(one);
      }),
    );
  });
});

describe('resolving a point in time', () => {
  const monday = snapshot('monday', 'full', '2026-11-16T02:00:00Z');
  const wednesday = snapshot('wednesday', 'incremental', '2026-11-18T02:00:00Z', monday);
  const future = snapshot('future', 'full', '2031-01-01T00:00:00Z');
  const all = [future, wednesday, monday];
  const at = (text: string, snapshots = all) => resolvePointInTime(parsePointInTime(text, NOW, BERLIN), snapshots).id;

  it('takes the last snapshot at or before it', () => {
    expect(at('2026-11-17')).to.equal('monday');
    expect(at('2026-11-18')).to.equal('wednesday');
    expect(at('2026-11-18 03:00')).to.equal('wednesday');
    expect(at('2026-11-18 02:59:59')).to.equal('monday');
    expect(at('2035-01-01')).to.equal('future');
  });

  it('passes over the future for latest, unless there is nothing else', () => {
    expect(at('latest')).to.equal('wednesday');
    expect(at('latest', [future])).to.equal('future');
  });

  it('says what is wrong when there is none', () => {
    const unknown = (text: string, snapshots = all) => {
      try {
        return at(text, snapshots);
      } catch (error) {
        expect(error).to.have.property('code', 'snapshot_unknown');
        return `${(error as Failure).message}. ${(error as Failure).advice}`;
      }
    };
    expect(unknown('2026-11-15')).to.equal(
      'there is no snapshot at or before 2026-11-15 23:59:59 (Europe/Berlin, UTC+01:00). The oldest one is monday, taken 2026-11-16T02:00:00Z.',
    );
    expect(unknown('latest', [])).to.contain('there is no snapshot yet');
    expect(unknown(ID)).to.contain(ID);
  });

  it('agrees with looking at each of them', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 80 }), (snapshots, days) => {
        const limit = Date.parse('2026-09-01T23:59:59.999Z') + days * 86_400_000;
        const before = snapshots.map((one) => Date.parse(one.time)).filter((time) => time <= limit);
        const moment = parsePointInTime(new Date(limit).toISOString().slice(0, 10), NOW, 'UTC');
        if (before.length === 0) expect(() => resolvePointInTime(moment, snapshots)).to.throw(Failure);
        else expect(Date.parse(resolvePointInTime(moment, snapshots).time)).to.equal(Math.max(...before));
      }),
    );
  });
});

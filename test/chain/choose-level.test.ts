import { expect } from 'chai';
import fc from 'fast-check';
import { chooseLevel, type LevelRequest } from '../../core/chain/choose-level.ts';
import type { SchedulePolicy } from '../../core/chain/schedule-policy.ts';
import { type ChainSnapshot, type Level, newest } from '../../core/chain/snapshot.ts';
import { DEFAULT_SCHEDULE } from '../../core/config/defaults.ts';
import { BERLIN, history, instant, snapshot } from './histories.ts';

const DAY = 86_400_000;

function choose(past: readonly ChainSnapshot[], now: string, request: LevelRequest = 'auto', policy: SchedulePolicy = DEFAULT_SCHEDULE) {
  return chooseLevel(policy, past, instant(now), BERLIN, request);
}

// 2026-11-01 is the first Sunday of its month.
const full = snapshot('full', 'full', '2026-11-01T02:00:00Z');
const monday = snapshot('monday', 'incremental', '2026-11-02T02:00:00Z', full);
const sunday = snapshot('sunday', 'differential', '2026-11-08T02:00:00Z', monday);

describe('schedule policy', () => {
  it('takes a full on the first Sunday, differentials on the others, incrementals on other days', () => {
    expect(choose([full], '2026-11-02T02:00:00Z')).to.deep.equal({
      level: 'incremental',
      synthetic: false,
      reason: 'Today is a Monday, a day of an incremental.',
    });
    expect(choose([full, monday], '2026-11-08T02:00:00Z').level).to.equal('differential');
    const first = choose([full, monday, sunday], '2026-12-06T02:00:00Z');
    expect(first.level).to.equal('full');
    expect(first.reason).to.equal('Today is the first Sunday of the month, the day of a full.');
  });

  it('takes what is due once a day only', () => {
    expect(choose([full], '2026-11-01T20:00:00Z')).to.include({ level: 'incremental' });
    expect(choose([full], '2026-11-01T20:00:00Z').reason).to.contain('already taken');
    expect(choose([full, monday, sunday], '2026-11-08T20:00:00Z').level).to.equal('incremental');
  });

  it('takes what was missed at the next run', () => {
    const differential = choose([full, monday], '2026-11-10T02:00:00Z');
    expect(differential.level).to.equal('differential');
    expect(differential.reason).to.equal('The differential of 2026-11-08, a Sunday, was missed and is taken now.');
    const missed = choose([full, monday, sunday], '2026-12-08T02:00:00Z');
    expect(missed.level).to.equal('full');
    expect(missed.reason).to.contain('2026-12-06, the first Sunday of the month, was missed');
  });

  it('takes again what is damaged', () => {
    const besides = snapshot('besides', 'incremental', '2026-11-09T02:00:00Z', monday);
    expect(choose([full, monday, sunday, besides], '2026-11-10T02:00:00Z').level).to.equal('incremental');
    expect(choose([full, monday, { ...sunday, usable: false }, besides], '2026-11-10T02:00:00Z').level).to.equal('differential');
  });

  it('does not take again a differential that had nothing to store', () => {
    const stands = { ...monday, unchangedUntil: '2026-11-08T02:00:00Z' };
    expect(choose([full, stands], '2026-11-09T02:00:00Z').level).to.equal('incremental');
    const october = snapshot('october', 'full', '2026-10-20T02:00:00Z', undefined, { unchangedUntil: '2026-11-02T02:00:00Z' });
    expect(choose([october], '2026-11-03T02:00:00Z').level, 'but a full is').to.equal('full');
  });

  it('counts days in the local time zone', () => {
    // Saturday 23:30 UTC is Sunday in Berlin.
    expect(choose([full], '2026-11-07T23:30:00Z').level).to.equal('differential');
    expect(chooseLevel(DEFAULT_SCHEDULE, [full], instant('2026-11-07T23:30:00Z'), 'UTC').level).to.equal('incremental');
    const midnight = snapshot('midnight', 'differential', '2026-11-07T23:30:00Z', monday);
    expect(choose([full, monday, midnight], '2026-11-08T12:00:00Z').level, 'already taken this Sunday').to.equal('incremental');
  });

  it('takes a full when there is nothing to build on', () => {
    expect(choose([], '2026-11-10T02:00:00Z')).to.include({ level: 'full', reason: 'There is no full backup of this unit yet.' });
    expect(choose([monday], '2026-11-03T02:00:00Z').level).to.equal('full');
    const damaged = choose([{ ...full, usable: false }, monday], '2026-11-03T02:00:00Z');
    expect(damaged.level).to.equal('full');
    expect(damaged.reason).to.contain('snapshot full is damaged');
    const next = snapshot('next', 'incremental', '2026-11-03T02:00:00Z', monday);
    expect(choose([full, next], '2026-11-04T02:00:00Z').reason).to.contain('snapshot monday, which next builds on, is missing');
  });

  it('takes a full when the last is too old, whatever the rules say', () => {
    const lazy: SchedulePolicy = { rules: [{ level: 'incremental' }], maxFullAge: '2 months' };
    expect(choose([full], '2027-01-01T01:59:59Z', 'auto', lazy).level).to.equal('incremental');
    const old = choose([full], '2027-01-01T02:00:01Z', 'auto', lazy);
    expect(old).to.include({ level: 'full', reason: 'The last full, full, is older than 2 months.' });
  });

  it('does not trust snapshots that are dated in the future', () => {
    const future = snapshot('future', 'full', '2030-01-01T00:00:00Z');
    expect(choose([future], '2026-11-03T02:00:00Z').reason).to.contain('dated in the future');
    expect(choose([full, future], '2026-11-03T02:00:00Z').level).to.equal('incremental');
    const onFuture = snapshot('on-future', 'incremental', '2026-11-03T02:00:00Z', future);
    expect(choose([full, future, onFuture], '2026-11-04T02:00:00Z').reason).to.contain('its age is not known');
  });

  it('does what is asked for, or a full that says why', () => {
    for (const request of ['full', 'differential', 'incremental', 'synthetic'] as const) {
      const made = choose([full, monday], '2026-11-10T02:00:00Z', request);
      expect(made.level).to.equal(request === 'synthetic' ? 'full' : request);
      expect(made.synthetic).to.equal(request === 'synthetic');
      expect(made.reason).to.contain('was asked for');
      const impossible = choose([], '2026-11-10T02:00:00Z', request);
      expect(impossible).to.include({ level: 'full', synthetic: false });
      if (request !== 'full') expect(impossible.reason).to.contain('a full is needed. There is no full');
    }
    expect(choose([], '2026-11-10T02:00:00Z', 'incremental').reason).to.match(/^An incremental was/);
  });

  it('follows other rules: the last Friday, a synthetic full, days that no rule names', () => {
    const rules: SchedulePolicy = {
      rules: [
        { weekdays: ['friday'], weeksOfMonth: ['last'], level: 'synthetic' },
        { weekdays: ['wednesday'], weeksOfMonth: [2, 4], level: 'differential' },
      ],
      maxFullAge: '1 year',
    };
    const on = (date: string) => choose([snapshot('f', 'full', `${date}T01:00:00Z`)], `${date}T12:00:00Z`, 'auto', rules).reason;
    expect(on('2026-11-27')).to.contain('synthetic full of today, the last Friday of the month, was already taken');
    const day = (date: string) => choose([snapshot('f', 'full', '2026-10-31T01:00:00Z')], `${date}T12:00:00Z`, 'auto', rules);
    expect(day('2026-11-27')).to.include({ level: 'full', synthetic: true });
    expect(day('2026-11-20').level, 'the differential of the 11th').to.equal('differential');
    expect(day('2026-11-04').level).to.equal('incremental');
    expect(day('2026-11-11').reason).to.contain('the second Wednesday of the month');
  });

  it('keeps to the schedule however irregularly the server runs', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 * 24 }), { minLength: 1, maxLength: 60 }), (gaps) => {
        const past: ChainSnapshot[] = [];
        let now = Date.parse('2026-01-01T00:00:00Z');
        for (const gap of gaps) {
          now += gap * 3_600_000;
          const { level } = chooseLevel(DEFAULT_SCHEDULE, past, Temporal.Instant.fromEpochMilliseconds(now), 'UTC');
          expect(level).to.equal(expectedLevel(past, now));
          past.push(snapshot(`s${past.length}`, level, new Date(now).toISOString(), newest(past)));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('takes on any history, however broken, something that can be done', () => {
    fc.assert(
      fc.property(history, fc.constantFrom<LevelRequest>('auto', 'full', 'differential', 'incremental', 'synthetic'), (past, request) => {
        const { level, synthetic, reason } = choose(past, '2026-10-01T00:00:00Z', request);
        expect(reason).to.match(/^[A-Z].*\.$/);
        const dated = past.filter((one) => one.time <= '2026-10-01T00:00:00.000Z');
        if (dated.every((one) => one.level !== 'full' || one.usable === false)) {
          const onFuture = past.some((one) => one.level === 'full' && one.usable !== false && !dated.includes(one));
          if (!onFuture) expect({ level, synthetic }).to.deep.equal({ level: 'full', synthetic: false });
        }
      }),
    );
  });
});

/** The default schedule in UTC, day by day from the beginning, with plain date arithmetic. */
function expectedLevel(past: readonly ChainSnapshot[], now: number): Level {
  const fulls = past.filter((one) => one.level === 'full').map((one) => Date.parse(one.time));
  const lastFull = Math.max(...fulls);
  const twoMonthsAgo = new Date(now);
  twoMonthsAgo.setUTCDate(1);
  twoMonthsAgo.setUTCMonth(twoMonthsAgo.getUTCMonth() - 2);
  const daysOfMonth = new Date(Date.UTC(twoMonthsAgo.getUTCFullYear(), twoMonthsAgo.getUTCMonth() + 1, 0)).getUTCDate();
  twoMonthsAgo.setUTCDate(Math.min(daysOfMonth, new Date(now).getUTCDate()));
  if (fulls.length === 0 || lastFull < twoMonthsAgo.getTime()) return 'full';
  let level: Level = 'incremental';
  for (let begin = Math.floor(lastFull / DAY) * DAY; begin <= now; begin += DAY) {
    const date = new Date(begin);
    if (date.getUTCDay() !== 0) continue;
    const since = past.filter((one) => Date.parse(one.time) >= begin);
    if (date.getUTCDate() <= 7 && !since.some((one) => one.level === 'full')) return 'full';
    if (date.getUTCDate() > 7 && since.every((one) => one.level === 'incremental')) level = 'differential';
  }
  return level;
}

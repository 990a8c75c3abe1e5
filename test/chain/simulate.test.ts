import { expect } from 'chai';
import { simulate } from '../../core/chain/simulate.ts';
import { DEFAULT_RETENTION, DEFAULT_SCHEDULE } from '../../core/config/defaults.ts';
import { Failure } from '../../core/failure.ts';
import { BERLIN, instant } from './histories.ts';

const sizes = { full: 1000, differential: 50, incremental: 10 };

function run(days: number) {
  return simulate(DEFAULT_SCHEDULE, DEFAULT_RETENTION, { days, start: instant('2026-09-01T01:00:00Z'), timeZone: BERLIN, sizes });
}

describe('simulator', () => {
  const rows = run(120);

  it('has a row for each day of the calendar, also where the clocks change', () => {
    expect(rows).to.have.length(120);
    expect(rows[0]).to.include({ date: '2026-09-01', level: 'full', oldest: '2026-09-01', bytes: 1000, deleted: 0 });
    expect(new Set(rows.map((row) => row.date)).size).to.equal(120);
    expect(rows.at(-1)!.date).to.equal('2026-12-29');
  });

  it('follows the default schedule', () => {
    const fulls = rows.filter((row) => row.level === 'full').map((row) => row.date);
    expect(fulls).to.deep.equal(['2026-09-01', '2026-09-06', '2026-10-04', '2026-11-01', '2026-12-06']);
    const weekdays = new Set(rows.filter((row) => row.level === 'differential').map((row) => new Date(row.date).getUTCDay()));
    expect([...weekdays]).to.deep.equal([0]);
  });

  it('holds no more than the retention needs, and accounts for every snapshot', () => {
    let before = 0;
    for (const { date, held, deleted, bytes, oldest } of rows) {
      const count = held.full + held.differential + held.incremental;
      expect(count, date).to.equal(before + 1 - deleted);
      expect(bytes).to.equal(held.full * 1000 + held.differential * 50 + held.incremental * 10);
      expect(held.full).to.be.within(1, 4);
      expect(held.differential).to.be.at.most(5);
      expect(held.incremental).to.be.at.most(10);
      expect(oldest <= date).to.equal(true);
      before = count;
    }
    expect(rows.some((row) => row.deleted > 0)).to.equal(true);
  });

  it('is the same for the same question', () => {
    expect(run(30)).to.deep.equal(rows.slice(0, 30));
  });

  it('refuses what would never end', () => {
    for (const days of [0, -1, 1.5, Number.NaN, 1e9])
      expect(() => run(days))
        .to.throw(Failure)
        .with.property('code', 'usage');
  });
});

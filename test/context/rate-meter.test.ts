import { expect } from 'chai';
import { RateMeter } from '../../core/context/rate-meter.ts';

describe('the pace of a phase', () => {
  const at = (bytes: number, entries: number, phase = 'reading') => ({
    ...{ unit: 'site1', phase, bytes, entries },
    ...{ bytesTotal: 1000, entriesTotal: 100 },
  });
  /** After ten seconds from nothing. */
  const moved = (progress: ReturnType<typeof at>) => {
    const meter = new RateMeter();
    meter.add({ ...progress, bytes: 0, entries: 0 }, 0);
    meter.add(progress, 10);
    return meter;
  };

  it('is unknown at first', () => {
    const meter = new RateMeter();
    meter.add(at(0, 0), 0);
    expect(meter.rate).to.equal(undefined);
    expect(meter.secondsLeft(at(0, 0))).to.equal(undefined);
  });

  it('takes entries and bytes together for the time left', () => {
    const meter = moved(at(100, 50));
    expect(meter.rate).to.deep.equal({ bytes: 10, entries: 5 });
    // Few bytes are nothing beside an entry.
    expect(meter.secondsLeft(at(100, 50))).to.be.closeTo(10, 0.1);
    expect(meter.secondsLeft({ ...at(100, 50), bytesTotal: 200 })).to.be.closeTo(10, 0.1);
    const large = { ...at(100 * 2 ** 30, 50), bytesTotal: 1000 * 2 ** 30 };
    expect(moved(large).secondsLeft(large)).to.be.closeTo(90, 0.1);
  });

  it('takes the entries alone where bytes cost nothing', () => {
    expect(moved(at(100, 50)).secondsLeft({ ...at(100, 50), byEntries: true })).to.equal(10);
    expect(moved(at(999, 10)).secondsLeft({ ...at(999, 10), byEntries: true })).to.equal(90);
  });

  for (const [order, isHugeFirst] of [
    ['a huge file before many small ones', true],
    ['many small ones before a huge file', false],
  ] as const) {
    it(`is never far from the truth for ${order}`, () => {
      const small = { entries: 400_000, bytes: 400_000 * 4096, seconds: 60 };
      const huge = { entries: 1, bytes: 30e9, seconds: 100 };
      const [first, second] = isHugeFirst ? [huge, small] : [small, huge];
      const all = first.seconds + second.seconds;
      const meter = new RateMeter();
      const totals = { entriesTotal: small.entries + huge.entries, bytesTotal: small.bytes + huge.bytes };
      for (let time = 0; time < all; time++) {
        const inFirst = Math.min(1, time / first.seconds);
        const inSecond = Math.max(0, (time - first.seconds) / second.seconds);
        const entries = Math.floor(first.entries * inFirst) + Math.floor(second.entries * inSecond);
        const progress = { unit: 'site1', phase: 'backup', entries, bytes: first.bytes * inFirst + second.bytes * inSecond, ...totals };
        meter.add(progress, time);
        if (time > 2) expect(meter.secondsLeft(progress), `after ${time} s`).to.be.within((all - time) / 2, (all - time) * 2);
      }
    });
  }

  it('knows no time left when more is done than was expected, or nothing moves', () => {
    expect(moved(at(100, 101)).secondsLeft(at(100, 101))).to.equal(undefined);
    expect(moved(at(1001, 50)).secondsLeft(at(1001, 50))).to.equal(undefined);
    expect(moved(at(1001, 50)).secondsLeft({ ...at(1001, 50), byEntries: true })).to.equal(10);
    expect(moved(at(0, 0)).secondsLeft(at(0, 0))).to.equal(undefined);
  });

  it('knows none without a total, and 0 when all is done', () => {
    const { bytesTotal: _, entriesTotal: __, ...unbounded } = at(100, 50);
    expect(moved(at(100, 50)).secondsLeft(unbounded)).to.equal(undefined);
    expect(moved(at(1000, 100)).secondsLeft(at(1000, 100))).to.equal(0);
  });

  it('follows the last seconds, not the whole run', () => {
    const meter = new RateMeter();
    for (let time = 0; time <= 100; time++) meter.add(at(time < 80 ? 0 : (time - 80) * 10, 1), time);
    expect(meter.rate?.bytes).to.equal(10);
  });

  it('begins anew with each phase', () => {
    const meter = moved(at(900, 90));
    meter.add(at(0, 0, 'writing'), 11);
    expect(meter.rate).to.equal(undefined);
  });
});

import { expect } from 'chai';
import { PaceMeter } from '../../core/commands/pace.ts';

describe('the pace of a phase', () => {
  const at = (bytes: number, entries: number, phase = 'reading') => ({
    ...{ unit: 'site1', phase, bytes, entries },
    ...{ bytesTotal: 1000, entriesTotal: 100 },
  });
  /** After ten seconds from nothing. */
  const moved = (progress: ReturnType<typeof at>) => {
    const meter = new PaceMeter();
    meter.add({ ...progress, bytes: 0, entries: 0 }, 0);
    meter.add(progress, 10);
    return meter;
  };

  it('is unknown at first', () => {
    const meter = new PaceMeter();
    meter.add(at(0, 0), 0);
    expect(meter.rate).to.equal(undefined);
    expect(meter.secondsLeft(at(0, 0))).to.equal(undefined);
  });

  it('takes the slower of bytes and entries for the time left', () => {
    const meter = moved(at(100, 50));
    expect(meter.rate).to.deep.equal({ bytes: 10, entries: 5 });
    expect(meter.secondsLeft(at(100, 50))).to.equal(90);
    expect(meter.secondsLeft({ ...at(100, 50), bytesTotal: 200 })).to.equal(10);
  });

  it('takes the entries alone where bytes cost nothing', () => {
    expect(moved(at(100, 50)).secondsLeft({ ...at(100, 50), byEntries: true })).to.equal(10);
    expect(moved(at(999, 10)).secondsLeft({ ...at(999, 10), byEntries: true })).to.equal(90);
  });

  it('knows no time left when more is done than was expected, or nothing moves', () => {
    expect(moved(at(100, 101)).secondsLeft(at(100, 101))).to.equal(undefined);
    expect(moved(at(1001, 50)).secondsLeft(at(1001, 50))).to.equal(undefined);
    expect(moved(at(1001, 50)).secondsLeft({ ...at(1001, 50), byEntries: true })).to.equal(10);
    expect(moved(at(0, 50)).secondsLeft(at(0, 50))).to.equal(undefined);
  });

  it('knows none without a total, and 0 when all is done', () => {
    const { bytesTotal: _, entriesTotal: __, ...unbounded } = at(100, 50);
    expect(moved(at(100, 50)).secondsLeft(unbounded)).to.equal(undefined);
    expect(moved(at(1000, 100)).secondsLeft(at(1000, 100))).to.equal(0);
  });

  it('follows the last seconds, not the whole run', () => {
    const meter = new PaceMeter();
    for (let time = 0; time <= 100; time++) meter.add(at(time < 80 ? 0 : (time - 80) * 10, 1), time);
    expect(meter.rate?.bytes).to.equal(10);
  });

  it('begins anew with each phase', () => {
    const meter = moved(at(900, 90));
    meter.add(at(0, 0, 'writing'), 11);
    expect(meter.rate).to.equal(undefined);
  });
});

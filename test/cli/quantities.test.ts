import { expect } from 'chai';
import { PaceMeter } from '../../core/cli/pace.ts';
import { formatBytes, formatCount, formatDuration } from '../../core/cli/quantities.ts';

describe('quantities for people', () => {
  it('are bytes in the unit that fits', () => {
    expect([0, 1023, 1024, 10 * 1024, 5.25 * 1024 ** 3, 2 ** 70].map(formatBytes)).to.deep.equal([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '10 KiB',
      '5.3 GiB',
      '1048576 PiB',
    ]);
  });

  it('are counts with thousands apart, and durations', () => {
    expect(formatCount(1234567)).to.equal('1,234,567');
    expect([0, 59.4, 59.6, 187, 3600, 7500].map(formatDuration)).to.deep.equal(['0s', '59s', '1m 00s', '3m 07s', '1h 00m', '2h 05m']);
  });
});

describe('the pace of a phase', () => {
  const at = (bytes: number, entries: number, phase = 'reading') => ({
    unit: 'site1',
    phase,
    bytes,
    entries,
    bytesTotal: 1000,
    entriesTotal: 100,
  });

  it('is unknown at first', () => {
    const meter = new PaceMeter();
    meter.add(at(0, 0), 0);
    expect(meter.of(at(0, 0))).to.deep.equal({ bytesPerSecond: 0, entriesPerSecond: 0, secondsLeft: undefined });
  });

  it('takes the slower of bytes and entries for the time left', () => {
    const meter = new PaceMeter();
    meter.add(at(0, 0), 0);
    meter.add(at(100, 50), 10);
    expect(meter.of(at(100, 50))).to.deep.equal({ bytesPerSecond: 10, entriesPerSecond: 5, secondsLeft: 90 });
  });

  it('follows the last seconds, not the whole run', () => {
    const meter = new PaceMeter();
    for (let time = 0; time <= 100; time++) meter.add(at(time < 80 ? 0 : (time - 80) * 10, 1), time);
    expect(meter.of(at(200, 1)).bytesPerSecond).to.equal(10);
  });

  it('begins anew with each phase', () => {
    const meter = new PaceMeter();
    meter.add(at(0, 0), 0);
    meter.add(at(900, 90), 10);
    meter.add(at(0, 0, 'writing'), 11);
    expect(meter.of(at(0, 0, 'writing')).bytesPerSecond).to.equal(0);
  });
});

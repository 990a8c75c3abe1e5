import { expect } from 'chai';
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

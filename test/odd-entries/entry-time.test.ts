import { expect } from 'chai';
import fc from 'fast-check';
import { entryTime } from '../../core/browse/entry-time.ts';

describe('the time of an entry', () => {
  it('is written as JavaScript writes it, wherever that can', () => {
    const most = 8_640_000_000_000_000_000_000n;
    fc.assert(
      fc.property(fc.bigInt({ min: -most, max: most }), (time) => {
        expect(entryTime(time)).to.equal(Temporal.Instant.fromEpochNanoseconds(time).toString({ smallestUnit: 'nanosecond' }));
      }),
    );
  });

  it('is written right also where no date of JavaScript reaches', () => {
    expect(entryTime(140_152_000_000_000n * 1_000_000_000n + 5n)).to.equal('+4443210-01-29T15:06:40.000000005Z');
    expect(entryTime(-(2n ** 63n) * 1_000_000_000n)).to.match(/^-292277022657-01-27T08:29:52\.000000000Z$/);
    expect(entryTime((2n ** 63n - 1n) * 1_000_000_000n)).to.match(/^\+292277026596-12-04T15:30:07\.000000000Z$/);
  });
});

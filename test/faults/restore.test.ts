import { enumerate } from './enumerate.ts';

const SLOW = process.env.SLOW === '1';
const EXTENT = SLOW ? { places: 40, faults: 20 } : { places: 2, faults: 1 };

describe('a restore under every fault', function () {
  this.timeout(SLOW ? 7_200_000 : 180_000);

  it('to a folder: what is called restored is, the rest is named, and the next one completes it', () =>
    enumerate('restore to a folder', EXTENT));

  it('in place: the same, over what stands there', () => enumerate('restore in place', EXTENT));

  it('with threads: the same when they die', () => enumerate('restore with threads', EXTENT));
});

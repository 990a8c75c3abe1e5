import { enumerate } from './enumerate.ts';

const SLOW = process.env.SLOW === '1';

describe('a prune under every fault', function () {
  this.timeout(SLOW ? 7_200_000 : 180_000);

  it('loses no snapshot that it keeps, says so when something is left, and is finished by the next one', () =>
    enumerate('prune', SLOW ? { places: 40, faults: 20 } : { places: 2, faults: 1 }));
});

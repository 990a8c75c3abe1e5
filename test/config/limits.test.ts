import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { limitsOf } from '../../core/config/limits.ts';

const MEBIBYTE = 1024 * 1024;

describe('limits', () => {
  const defaults = {
    ...{ workers: Math.min(4, availableParallelism()), nice: 10, ioClass: 'best-effort', ioLevel: 7 },
    ...{ wait: 60, ownerInterval: '1 hour', ownerShare: 0.1, downloadsFor: '2 days' },
    ...{ readRate: undefined, sendRate: undefined, connections: undefined, load: undefined },
  };

  it('are low priority and nothing else by default', () => {
    expect(limitsOf({ limits: {} })).to.deep.equal(defaults);
  });

  it('keep their defaults when another one is set', () => {
    expect(limitsOf({ limits: { load: 4 } })).to.deep.equal({ ...defaults, load: 4 });
    expect(limitsOf({ limits: { workers: 1, nice: 0, ioClass: 'idle' } })).to.deep.equal({
      ...defaults,
      ...{ workers: 1, nice: 0, ioClass: 'idle' },
    });
  });

  it('take rates with a unit', () => {
    expect(limitsOf({ limits: { readRate: '50 MiB/s', sendRate: '2GiB/s' } })).to.include({
      readRate: 50 * MEBIBYTE,
      sendRate: 2048 * MEBIBYTE,
    });
    expect(limitsOf({ limits: { readRate: '64 KiB/s' } })).to.include({ readRate: 65536 });
  });
});

import { expect } from 'chai';
import { StatBuffer } from '../../../core/linux/stat.ts';
import { Patience, waitUntilSettled } from '../../../core/scan/read/settle.ts';

const TICK = 40_000_000n;

/** A stat with this change time, in nanoseconds since 1970. */
function changedAt(time: bigint): StatBuffer {
  const stat = new StatBuffer();
  stat.bytes.writeBigInt64LE(time / 1_000_000_000n, 96);
  stat.bytes.writeUInt32LE(Number(time % 1_000_000_000n), 104);
  return stat;
}

function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

// Kernels with multigrain timestamps never give two changes one time, so no backup of theirs can show this.
describe('an entry that changed just now', () => {
  it('is waited for until the tick of its change is over', () => {
    // Never a whole second, which would stand for a coarser file system.
    const fresh = now() + 1n;
    expect(waitUntilSettled(changedAt(fresh), new Patience())).to.equal('waited');
    expect(now() - fresh > TICK - 2_000_000n).to.equal(true);
  });

  it('is waited for longer where the file system keeps whole seconds', () => {
    const time = (now() / 1_000_000_000n) * 1_000_000_000n;
    expect(waitUntilSettled(changedAt(time), new Patience())).to.equal('waited');
    expect(now() - time > 1_000_000_000n).to.equal(true);
  });

  it('is taken as it is when the change is older', () => {
    expect(waitUntilSettled(changedAt(now() - 3_000_000_001n), new Patience())).to.equal('settled');
    expect(waitUntilSettled(changedAt(now() - 100_000_001n), new Patience())).to.equal('settled');
  });

  it('is not waited for when its change lies in the future', () => {
    expect(waitUntilSettled(changedAt(now() + 60_000_000_001n), new Patience())).to.equal('unsettled');
  });

  it('is not waited for any more once a unit has kept its worker waiting for a minute', () => {
    const patience = new Patience();
    expect(patience.spend(59_990)).to.equal(true);
    expect(waitUntilSettled(changedAt(now() + 1n), patience)).to.equal('unsettled');
  });
});

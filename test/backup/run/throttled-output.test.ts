import { expect } from 'chai';
import { SendThrottle, type StoredOutput, throttledBy } from '../../../core/backup/run/throttled-output.ts';
import { failureOf } from '../../failure-of.ts';

const RATE = 1000;

describe('writing into the repository at a pace', () => {
  let events: string[];
  let now: bigint;
  const output: StoredOutput = {
    write: async (chunk) => void events.push(`write ${chunk.length}`),
    commit: async () => ({ path: 'packs/one', length: 0, sha256: '' }),
    abort: async () => void events.push('abort'),
  };
  const wait = async (milliseconds: number): Promise<void> => {
    events.push(`wait ${milliseconds}`);
    now += BigInt(milliseconds * 1e6);
  };

  beforeEach(() => {
    events = [];
    now = 1_000_000_000_000n;
  });

  it('waits before each piece until it may go, over all objects together', async () => {
    const pace = new SendThrottle(RATE, new AbortController().signal, () => now, wait);
    await pace.hold(output).write(Buffer.alloc(2500));
    await pace.hold(output).write(Buffer.alloc(100));
    expect(events).to.deep.equal(['write 1000', 'wait 1000', 'write 1000', 'wait 500', 'write 500', 'wait 100', 'write 100']);
    expect(await pace.hold(output).commit()).to.have.property('path', 'packs/one');
  });

  it('ends when the run is cancelled, also in the middle of a wait', async () => {
    const controller = new AbortController();
    const throttled = throttledBy(RATE, controller.signal)(output);
    await throttled.write(Buffer.alloc(RATE));
    const writing = throttled.write(Buffer.alloc(RATE));
    controller.abort();
    expect(await failureOf(() => writing)).to.have.property('code', 'cancelled');
    expect(events).to.deep.equal(['write 1000']);
    await throttled.abort();
    expect(events).to.deep.equal(['write 1000', 'abort']);
  });

  it('is none without a rate', () => {
    expect(throttledBy(undefined, new AbortController().signal)(output)).to.equal(output);
  });
});

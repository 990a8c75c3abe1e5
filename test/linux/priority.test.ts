import { once } from 'node:events';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { lowerPriority } from '../../core/linux/priority.ts';
import { threadPriorities } from './thread-priorities.ts';

const BACKGROUND = { nice: 10, ioClass: 'best-effort', ioLevel: 7 } as const;

/** The priorities that the threads of this process have, each once. */
async function present(): Promise<string[]> {
  return [...new Set(await threadPriorities(process.pid))];
}

describe('the priority of this process', () => {
  const undo: (() => void)[] = [];
  let usual: string[];

  function lower(priority: Parameters<typeof lowerPriority>[0]): () => void {
    const giveBack = lowerPriority(priority);
    undo.unshift(giveBack);
    return giveBack;
  }

  before(async () => {
    usual = await present();
    expect(usual).to.have.length(1);
    expect(getPriority()).to.be.below(10);
  });
  afterEach(() => {
    for (const giveBack of undo.splice(0)) giveBack();
  });

  it('is lowered for all threads and given back to all, also to those that were started meanwhile', async () => {
    const giveBack = lower(BACKGROUND);
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    try {
      await once(worker, 'online');
      expect(await present()).to.deep.equal(['10 best-effort: prio 7']);
      giveBack();
      expect(await present()).to.deep.equal(usual);
    } finally {
      await worker.terminate();
    }
  });

  it('is lowered to the idle class', async () => {
    lower({ nice: 19, ioClass: 'idle', ioLevel: 7 });
    expect(await present()).to.deep.equal(['19 idle']);
  });

  it('is never raised', async () => {
    lower({ nice: 15, ioClass: 'idle', ioLevel: 7 });
    const giveBack = lower({ nice: 5, ioClass: 'best-effort', ioLevel: 0 });
    expect(await present()).to.deep.equal(['15 idle']);
    giveBack();
    expect(await present()).to.deep.equal(['15 idle']);
  });

  it('stays where no more than the usual was asked for', async () => {
    lower({ nice: 0, ioClass: 'best-effort', ioLevel: 0 });
    expect(await present()).to.deep.equal(usual);
  });
});

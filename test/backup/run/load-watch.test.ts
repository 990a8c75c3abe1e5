import { expect } from 'chai';
import { LoadWatch } from '../../../core/backup/run/load-watch.ts';
import type { Notice } from '../../../core/context/notice.ts';

const LIMIT = 4;
const HOUR = 60 * 60 * 1000;

describe('a watch over the load', () => {
  let log: Notice[];
  let calls: string[];
  let load: number;
  let waited: number;
  let look: () => void;
  let controller: AbortController;
  let watch: LoadWatch;

  const codes = () => log.map(({ code }) => code);

  function begin(first: number): void {
    load = first;
    const reporter = { progress: () => {}, log: (line: Notice) => void log.push(line) };
    const work = { pause: () => void calls.push('pause'), resume: () => void calls.push('resume') };
    const wait = (milliseconds: number, signal: AbortSignal): Promise<void> => {
      waited += milliseconds;
      return new Promise((resolve) => {
        look = resolve;
        signal.addEventListener('abort', () => resolve());
      });
    };
    const machine = { load: () => load, wait };
    watch = new LoadWatch(LIMIT, { reporter, signal: controller.signal, machine }, [work]);
  }

  /** Lets the watch look again, with this load. */
  async function lookAgain(next: number): Promise<void> {
    load = next;
    look();
    await Promise.resolve();
    await Promise.resolve();
  }

  /** Whether the run may go on. */
  async function isOpen(): Promise<boolean> {
    let passed = false;
    void watch.pass().then(() => {
      passed = true;
    });
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    return passed;
  }

  beforeEach(() => {
    log = [];
    calls = [];
    waited = 0;
    controller = new AbortController();
  });
  afterEach(() => watch.stop());

  it('lets a run go on up to the limit, and says nothing', async () => {
    begin(LIMIT);
    expect(await isOpen()).to.equal(true);
    await lookAgain(0);
    expect([log, calls]).to.deep.equal([[], []]);
  });

  it('pauses from the first look on, says so once, and goes on when the load is down', async () => {
    begin(LIMIT + 0.1);
    expect(await isOpen()).to.equal(false);
    await lookAgain(9);
    await lookAgain(9);
    expect(codes()).to.deep.equal(['paused']);
    expect(log[0]?.message).to.contain('4.10');
    const passing = watch.pass();
    await lookAgain(LIMIT);
    await passing;
    expect(codes()).to.deep.equal(['paused', 'resumed']);
    expect(calls).to.deep.equal(['pause', 'pause', 'pause', 'resume']);
  });

  it('ends a pause at once when the run is cancelled', async () => {
    begin(9);
    const passing = watch.pass();
    controller.abort();
    await passing;
    expect(calls.at(-1)).to.equal('resume');
    expect(codes()).to.deep.equal(['paused']);
  });

  it('pauses for an hour in all and no longer, whatever the load', async () => {
    begin(9);
    let pausedFor = 0;
    for (let turn = 1; !codes().includes('paused_too_long'); turn++) {
      const before = waited;
      const isShort = turn % 100 === 0;
      await lookAgain(isShort ? 1 : 9);
      if (!isShort) pausedFor += waited - before;
      expect(pausedFor).to.be.at.most(HOUR + 1);
    }
    expect(pausedFor).to.be.within(HOUR - 60_000, HOUR);
    expect(log.at(-1)).to.include({ level: 'warning', code: 'paused_too_long' });
    expect(await isOpen()).to.equal(true);
    expect(calls.at(-1)).to.equal('resume');
  });
});

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { run } from '../../../core/commands/run.ts';
import type { Context, Progress } from '../../../core/context/context.ts';
import { takeLock } from '../../../core/locks/locks.ts';
import { unitBackupLock } from '../../../core/locks/unit-locks.ts';
import type { RunResult } from '../../../core/schemas/run.ts';
import { Sandbox } from '../../commands/sandbox.ts';
import { failureOf } from '../../failure-of.ts';

const FILES = 40;
const FILE_BYTES = 1024 * 1024;

function fill(sandbox: Sandbox): void {
  for (let file = 0; file < FILES; file++) writeFileSync(join(sandbox.shadow, `file-${file}`), randomBytes(FILE_BYTES));
}

describe('a run within limits', function () {
  this.timeout(60_000);
  let sandbox: Sandbox;
  let other: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    other = new Sandbox();
    for (const each of [sandbox, other]) {
      fill(each);
      await each.init();
    }
  });
  afterEach(() => Promise.all([sandbox.remove(), other.remove()]));

  /** Backs up and returns what was told. */
  async function told(level: 'full' | 'incremental'): Promise<Progress[]> {
    const all: Progress[] = [];
    const { context } = sandbox;
    const reporter = { ...context.reporter, progress: (progress: Progress) => void all.push(progress) };
    await run({ units: ['site1'], level }, { ...context, reporter });
    return all;
  }

  /** Starts a backup, which is then to be held back. */
  function start(changes: Partial<Context>): { readonly result: Promise<RunResult>; readonly ended: () => boolean } {
    let ended = false;
    const result = run({ units: ['site1'] }, { ...sandbox.context, ...changes }).finally(() => {
      ended = true;
    });
    result.catch(() => {});
    return { result, ended: () => ended };
  }

  /** Another backup of the same size, that nothing holds back, comes to its end. */
  async function letOtherEnd(): Promise<void> {
    expect(await other.back()).to.include({ status: 'ok' });
    await setImmediate();
  }

  /** A run whose load gets too high when `isTime` says so, and may be put right again. */
  function startWithLoad(isTime: (progress: Progress) => boolean) {
    sandbox.set('limits', { workers: 2, load: 4 });
    let load = 1;
    let look = (): void => {};
    const machine = {
      load: () => load,
      wait: (_: number, signal: AbortSignal) =>
        new Promise<void>((resolve) => {
          look = resolve;
          signal.addEventListener('abort', () => resolve());
        }),
    };
    const change = (to: number): void => {
      load = to;
      look();
    };
    const paused = Promise.withResolvers<void>();
    const { reporter } = sandbox.context;
    const progress = (each: Progress): void => {
      if (each.phase === 'paused') paused.resolve();
      else if (load === 1 && isTime(each)) change(9);
    };
    return { ...start({ reporter: { ...reporter, progress }, machine }), paused: paused.promise, calmDown: () => change(3) };
  }

  it('stands still while the load is too high, workers too, and then makes a whole snapshot', async () => {
    // The first batch has come back; the others wait for a worker.
    const { result, ended, paused, calmDown } = startWithLoad(({ bytes }) => bytes > 0);
    await paused;
    await letOtherEnd();
    expect(ended()).to.equal(false);
    expect(sandbox.objects('snapshots')).to.deep.equal([]);
    calmDown();
    expect((await result).units[0]).to.include({ status: 'ok', warningCount: 0 });
    expect(sandbox.log.map(({ code }) => code)).to.deep.equal(['paused', 'resumed']);
    expect(await sandbox.differences()).to.deep.equal([]);
  });

  it('stands still in the middle of the walk, where nothing is to be read', async () => {
    for (let file = 0; file < 3000; file++) writeFileSync(join(sandbox.shadow, `empty-${file}`), '');
    await sandbox.back();
    const { result, ended, paused, calmDown } = startWithLoad(({ entries }) => entries > 0);
    await paused;
    await letOtherEnd();
    expect(ended()).to.equal(false);
    calmDown();
    expect((await result).units[0]).to.include({ status: 'unchanged' });
  });

  for (const limit of ['readRate', 'sendRate'] as const) {
    it(`keeps to ${limit}, and ends at once when it is cancelled`, async () => {
      // Ten minutes for all of it.
      sandbox.set('limits', { workers: 2, [limit]: '64 KiB/s' });
      const controller = new AbortController();
      const { result, ended } = start({ signal: controller.signal });
      await letOtherEnd();
      expect(ended()).to.equal(false);
      controller.abort();
      expect(await failureOf(() => result)).to.have.property('code', 'cancelled');
      expect(sandbox.objects('snapshots')).to.deep.equal([]);
    });
  }

  it('tells as done what was read, and as total what the last snapshot had', async () => {
    const first = await told('full');
    expect(first[0]).to.include({ unit: 'site1', unitNumber: 1, unitCount: 1, entries: 0, bytes: 0 });
    expect(first.some(({ entriesTotal }) => entriesTotal !== undefined)).to.equal(false);
    const last = first.at(-1) as Progress;
    expect(last.bytes).to.be.at.least(FILES * FILE_BYTES);
    // Ten batches, of which none counts before it is read.
    const seen = first.map(({ bytes }) => bytes);
    expect(seen.filter((bytes) => bytes > 0 && bytes < last.bytes).length).to.be.at.least(5);
    expect(seen).to.deep.equal(seen.toSorted((a, b) => a - b));
    const totals = { entriesTotal: last.entries, bytesTotal: last.bytes };
    expect((await told('full')).at(-1)).to.deep.include({ ...last, ...totals, byEntries: false });
    expect((await told('incremental')).at(-1)).to.deep.include({ ...last, ...totals, byEntries: true });
  });

  it('has only the unit fail that somebody else holds for too long while it pauses', async () => {
    sandbox.set('limits', { workers: 2, load: 4, wait: 0 });
    const held = takeLock(sandbox.stateDirectory, unitBackupLock('site1'), 'a test');
    // It would end the program.
    const unheard: unknown[] = [];
    const note = (reason: unknown): void => void unheard.push(reason);
    process.on('unhandledRejection', note);
    try {
      let looks = 0;
      const machine = { load: () => (looks++ === 0 ? 9 : 1), wait: async () => void (await setTimeout(100)) };
      const { units } = await run({ units: ['site1'] }, { ...sandbox.context, machine });
      expect(units.map(({ status, error }) => [status, error?.code])).to.deep.equal([['failed', 'locked']]);
      expect(unheard).to.deep.equal([]);
    } finally {
      process.off('unhandledRejection', note);
      held.release();
    }
  });
});

import { cpSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { run } from '../../../core/commands/run.ts';
import { takeLock } from '../../../core/locks/locks.ts';
import type { RunRecord } from '../../../core/repository/run-record.ts';
import { Sandbox } from '../../commands/sandbox.ts';
import { failureOf } from '../../failure-of.ts';

const HOUR = 3_600_000;

describe('a backup that an owner asks for', () => {
  let sandbox: Sandbox;
  let time: number;

  beforeEach(async () => {
    sandbox = new Sandbox();
    time = Date.parse('2026-11-01T12:00:00Z');
    sandbox.now = () => new Date(time);
    await sandbox.init();
    await sandbox.back('full');
    time += 2 * HOUR;
  });

  afterEach(() => sandbox.remove());

  const ask = (more: object = {}) => run({ units: ['site1'], policy: 'owner', ...more }, sandbox.context);

  it('is an incremental whatever the schedule wants, and another level is refused', async () => {
    writeFileSync(join(sandbox.shadow, 'file'), 'x');
    for (const level of ['full', 'differential', 'synthetic']) {
      expect(await failureOf(() => ask({ level })), level).to.include({ code: 'owner_limit' });
    }
    expect((await ask()).units[0]).to.include({ status: 'ok', level: 'incremental' });
    for (const units of [[], ['system'], ['site1', 'site2']]) {
      expect(await failureOf(() => ask({ units })), units.join()).to.include({ code: 'usage' });
    }
  });

  it('comes no sooner than the interval after the last one', async () => {
    await ask();
    time += HOUR / 2;
    const failure = await failureOf(() => ask());
    expect(failure).to.include({ code: 'owner_limit', retry: true });
    time += HOUR;
    expect(await ask()).to.include({ status: 'ok' });
  });

  it('does not wait for what an earlier customer of the number asked for', async () => {
    await ask();
    time += HOUR / 2;
    cpSync(sandbox.site, `${sandbox.site}.new`, { recursive: true });
    rmSync(sandbox.site, { recursive: true });
    renameSync(`${sandbox.site}.new`, sandbox.site);
    expect(await ask()).to.include({ status: 'ok' });
    expect(await failureOf(() => ask())).to.include({ code: 'owner_limit' });
  });

  it('takes a share of the room, and none when little is left', async () => {
    writeFileSync(
      join(sandbox.shadow, 'file'),
      Buffer.alloc(100_000, 'x').map((_, at) => (at * 7919) % 251),
    );
    sandbox.set('limits', { workers: 2, ownerShare: 1e-9 });
    const { units, status } = await ask();
    expect(status).to.equal('failed');
    expect(units[0]!.error).to.include({ code: 'owner_limit' });
    time += 2 * HOUR;
    sandbox.set('limits', { workers: 2, ownerShare: 1 });
    expect(await failureOf(() => ask())).to.include({ code: 'owner_limit' });
    expect((await sandbox.back()).status).to.equal('ok');
  });

  it('neither stops nor waits for a run of the server, but for its own unit', async () => {
    const server = takeLock(sandbox.stateDirectory, 'backup', 'a backup');
    expect(await ask()).to.include({ status: 'ok' });
    server.release();
    time += 2 * HOUR;
    const own = takeLock(sandbox.stateDirectory, 'site1.backup', 'a backup');
    expect(await failureOf(() => ask({ wait: 0 }))).to.include({ code: 'locked' });
    const { units, status } = await run({ units: ['site1', 'system'], wait: 0 }, sandbox.context);
    expect(units[0]!.error).to.include({ code: 'locked' });
    expect([status, units[1]!.error]).to.deep.equal(['partial', null]);
    const waiting = run({ units: ['site1', 'system'], wait: 1 }, sandbox.context);
    setTimeout(() => own.release(), 500);
    expect(await waiting).to.include({ status: 'ok' });
  });

  it('leaves the server’s run whole that cannot have the unit, also when that pauses meanwhile, and is named by its record', async () => {
    const own = takeLock(sandbox.stateDirectory, 'site1.backup', 'a backup for the owner');
    sandbox.set('limits', { workers: 1, load: 1 });
    // Node ends the program for one.
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    let looks = 0;
    const machine = { load: () => (looks++ < 3 ? 9 : 0), wait: () => new Promise<void>((resolve) => void setTimeout(resolve, 20)) };
    try {
      const { units, status, run: id } = await run({ units: ['site1', 'system'], wait: 0 }, { ...sandbox.context, machine });
      expect(status).to.equal('partial');
      expect(units.map(({ error }) => error?.code)).to.deep.equal(['locked', undefined]);
      const [file] = globSync(join(sandbox.repository, 'servers/*/runs', `${id}.json`));
      const record = JSON.parse(readFileSync(file as string, 'utf8')) as RunRecord;
      expect(record.units.map(({ name, outcome, failure }) => [name, outcome, failure?.code])).to.deep.equal([
        ['site1', 'failed', 'locked'],
        ['system', 'ok', undefined],
      ]);
      looks = 0;
      const alone = await run({ units: ['site1'], wait: 0 }, { ...sandbox.context, machine });
      expect(alone).to.include({ status: 'failed' });
      expect(unhandled).to.deep.equal([]);
    } finally {
      process.off('unhandledRejection', onUnhandled);
      own.release();
    }
  });
});

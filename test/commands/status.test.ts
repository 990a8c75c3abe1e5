import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { forget } from '../../core/commands/forget.ts';
import { nightlyWith } from '../../core/commands/nightly.ts';
import { run } from '../../core/commands/run.ts';
import { status } from '../../core/commands/status.ts';
import { exitCodeOfResult } from '../../core/schemas/exit-codes.ts';
import { Sandbox } from './sandbox.ts';

const DAY = 86_400_000;

describe('the status', () => {
  let server: Sandbox;
  let later: number;
  beforeEach(async () => {
    later = 0;
    server = new Sandbox();
    server.now = () => new Date(Date.now() + later);
    writeFileSync(join(server.shadow, 'file'), 'content');
    await server.init();
    await nightlyWith(run)({ now: true }, server.context);
  });
  afterEach(() => server.remove());

  const told = () => status({}, server.context);
  const site = async (name = 'site1') => (await told()).units.find(({ unit }) => unit === name);
  const codes = async () => (await told()).problems.map(({ unit, code }) => [unit, code]);

  it('is ok when every unit has a backup of the last night, and tells its chain', async () => {
    const result = await told();
    expect(result).to.include({ status: 'ok' });
    expect(exitCodeOfResult(result)).to.equal(0);
    expect(await site()).to.include({ level: 'full', complete: true, overdue: false, chainLength: 1, outcome: 'ok' });
    expect((await site())?.bytes).to.be.greaterThan(7);
    writeFileSync(join(server.shadow, 'file'), 'changed');
    await server.back('incremental');
    expect(await site()).to.include({ level: 'incremental', chainLength: 2 });
  });

  it('counts a run that found nothing changed as a backup of its time', async () => {
    later = 2 * DAY;
    expect(await codes()).to.deep.include(['site1', 'overdue']);
    await run({}, server.context);
    expect(await site()).to.include({ overdue: false, outcome: 'unchanged', age: 0 });
  });

  it('names what no backup covers, and what is gone from the server until somebody says that it is meant', async () => {
    server.addAccount('site2');
    expect(await told()).to.have.nested.property('coverage.withoutBackup[0]', 'site2');
    expect(await codes()).to.deep.equal([['site2', 'never_backed_up']]);
    await run({ units: ['site2'] }, server.context);
    renameSync(join(server.folder, 'virtual/site2'), join(server.folder, 'gone'));
    const result = await told();
    expect(result.coverage.vanished).to.deep.equal(['site2']);
    expect(exitCodeOfResult(result)).to.equal(3);
    await forget({ unit: 'site2' }, server.context);
    expect((await told()).coverage.vanished).to.deep.equal([]);
  });

  it('does not take the backups of an earlier account of the name for those of the one that lives', async () => {
    renameSync(server.site, join(server.folder, 'earlier'));
    server.addAccount('site1');
    expect(await site()).to.include({ snapshot: null, unitId: null });
  });

  it('says that a root is missing, and which backup failed for what reason', async () => {
    renameSync(server.shadow, join(server.folder, 'away'));
    await run({}, server.context);
    const found = (await told()).problems.filter(({ unit }) => unit === 'site1').map(({ code }) => code);
    expect(found).to.include('root_missing');
    expect(found.some((code) => code === 'failed' || code === 'incomplete')).to.equal(true);
  });

  it('falls back to the last snapshot that can be restored when an object of the newest is missing', async () => {
    const before = (await site())?.snapshot;
    writeFileSync(join(server.shadow, 'file'), 'changed');
    await server.back('full');
    rmSync(server.objects('packs').at(-1) as string);
    expect(await codes()).to.deep.include(['site1', 'not_restorable']);
    expect((await site())?.snapshot).to.equal(before);
  });

  it('keeps to the last complete backup beside one that lacks something', async () => {
    const before = (await site())?.snapshot;
    mkdirSync(join(server.shadow, 'mounted'));
    const { execaSync } = await import('execa');
    execaSync('mount', ['-t', 'tmpfs', 'status', join(server.shadow, 'mounted')]);
    try {
      writeFileSync(join(server.shadow, 'file'), 'changed');
      await run({}, server.context);
    } finally {
      execaSync('umount', [join(server.shadow, 'mounted')]);
    }
    expect(await site()).to.include({ complete: false, lastComplete: before, outcome: 'partial' });
    expect(await codes()).to.deep.include(['site1', 'incomplete']);
  });

  it('says that nights are missed when nothing starts them any more', async () => {
    later = 3 * DAY;
    expect(await codes()).to.deep.include([null, 'night_missed']);
  });
});

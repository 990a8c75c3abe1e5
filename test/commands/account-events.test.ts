import { globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import { takeRetentionLock } from '../../core/commands/hold.ts';
import { lastBackup } from '../../core/commands/last-backup.ts';
import type { BackUp } from '../../core/commands/nightly.ts';
import { prune } from '../../core/commands/prune.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { status } from '../../core/commands/status.ts';
import { watch } from '../../core/commands/watch.ts';
import { Failure } from '../../core/failure.ts';
import { jobs } from '../../core/jobs/job-commands.ts';
import { takeLock } from '../../core/locks/locks.ts';
import { readHolds } from '../../core/repository/holds.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { MailSink } from '../notify/sinks.ts';
import { MAIN } from '../program.ts';
import { Sandbox } from './sandbox.ts';

const DAY = 86_400_000;

describe('the last backup of an account', () => {
  let server: Sandbox;
  let mails: MailSink;
  let clock: number;
  beforeEach(async () => {
    server = new Sandbox();
    mails = new MailSink(server.folder);
    server.set('notify', { mail: ['root'] });
    clock = Date.now() - 5 * DAY;
    server.now = () => new Date(clock);
    writeFileSync(join(server.shadow, 'file'), 'content');
    await server.init();
    await run({ units: ['site1'] }, server.context);
    clock += DAY;
  });
  afterEach(() => server.remove());

  const deleting = (backUp: BackUp = run) => lastBackup('site1', backUp, server.context);
  const holds = async () => readHolds(await openRepository(server.context.settings, 'read', () => {}));
  const gone = () => rmSync(server.site, { recursive: true });

  it('has what changed last, and is held for the time that is set', async () => {
    writeFileSync(join(server.shadow, 'file'), 'the last words');
    const result = await deleting();
    expect(result).to.include({ status: 'ok' });
    expect(Date.parse(result.until ?? '') - clock).to.be.within(27 * DAY, 32 * DAY);
    gone();
    server.set('retention', { levels: { full: '1 day', differential: '1 day', incremental: '1 day' }, guardShare: 1 });
    clock += 20 * DAY;
    await prune({}, server.context);
    const to = join(server.folder, 'restored');
    await restore({ unit: 'site1', to }, server.context);
    expect(readFileSync(join(to, 'shadow/file'), 'utf8')).to.equal('the last words');
    clock += 20 * DAY;
    await prune({}, server.context);
    expect(await holds()).to.deep.equal([]);
    expect(mails.mails).to.deep.equal([]);
  });

  it('is held once, however often the panel tells of the deletion, before and after the files are gone', async () => {
    await deleting();
    await deleting();
    expect(await holds()).to.have.length(1);
    gone();
    expect(await deleting()).to.include({ status: 'ok' });
    expect(await holds()).to.have.length(1);
    expect(mails.mails).to.deep.equal([]);
  });

  it('lets nobody miss an account that was deleted, and goes on missing one that was not', async () => {
    await deleting();
    await watch({}, server.context);
    gone();
    expect((await status({}, server.context)).coverage.vanished).to.deep.equal(['site1']);
    await watch({}, server.context);
    expect((await status({}, server.context)).coverage.vanished).to.deep.equal([]);
    // Told of a deletion that did not happen, long ago.
    const other = server.addAccount('site2');
    await run({ units: ['site2'] }, server.context);
    await lastBackup('site2', run, server.context);
    clock += 3 * DAY;
    await watch({}, server.context);
    rmSync(other, { recursive: true });
    await watch({}, server.context);
    expect((await status({}, server.context)).coverage.vanished).to.deep.equal(['site2']);
  });

  it('says at once that it failed, and holds the one before', async () => {
    const failing: BackUp = async () => {
      throw new Failure('disk_full', 'no room is left');
    };
    const result = await deleting(failing);
    expect(result).to.include({ status: 'partial', message: 'its last backup failed: no room is left' });
    expect((await holds()).map(({ snapshot }) => snapshot)).to.deep.equal([result.snapshot]);
    const [mail] = mails.take();
    expect(mail?.headers.get('subject')).to.contain('site1 (example.test) is being deleted without a last backup');
    expect(mail?.text).to.contain('no room is left').and.to.contain(`${result.snapshot} is held until`);
  });

  it('says that nothing is held of an account without backups, or without a repository', async () => {
    server.addAccount('site2');
    const failing: BackUp = async () => {
      throw new Failure('io_error', 'the disk is gone');
    };
    expect(await lastBackup('site2', failing, server.context)).to.include({ status: 'failed', snapshot: null });
    renameSync(server.repository, `${server.repository}-away`);
    expect(await deleting()).to.include({ status: 'failed', snapshot: null });
    expect(mails.take().map(({ text }) => text.includes('No backup of it is held.'))).to.deep.equal([true, true]);
  });

  it('leaves a hold of what there was when the process is ended meanwhile', async () => {
    let held: string[] = [];
    const killed: BackUp = async () => {
      held = (await holds()).map(({ snapshot }) => snapshot);
      return run({ units: ['site1'], level: 'incremental' }, server.context);
    };
    writeFileSync(join(server.shadow, 'file'), 'the last words');
    const { snapshot } = await deleting(killed);
    expect(held).to.have.length(1).and.not.to.include(snapshot);
    expect((await holds()).map(({ snapshot }) => snapshot)).to.deep.equal([snapshot]);
  });

  it('waits for no run of the server, which may take hours', async () => {
    const lock = takeLock(server.context.settings.stateDirectory, 'backup', 'a backup');
    try {
      writeFileSync(join(server.shadow, 'file'), 'the last words');
      expect(await deleting()).to.include({ status: 'ok' });
    } finally {
      lock.release();
    }
  });

  it('is held later where a prune is under way when the account goes', async () => {
    const lock = takeRetentionLock(server.context.settings.stateDirectory, 'a prune');
    const { status: ended } = await deleting();
    expect(ended).to.equal('failed');
    gone();
    await watch({}, server.context);
    expect(await holds()).to.deep.equal([]);
    lock.release();
    await watch({}, server.context);
    expect(await holds()).to.have.length(1);
    await watch({}, server.context);
    expect(await holds()).to.have.length(1);
  });

  it('is held also where an earlier hold cannot be removed', async function () {
    await deleting(() => Promise.reject(new Failure('io_error', 'the disk is slow')));
    const [first] = globSync(join(server.repository, 'servers/*/holds/*.json'));
    if ((await execa('chattr', ['+i', first as string], { reject: false })).exitCode !== 0) return this.skip();
    writeFileSync(join(server.shadow, 'file'), 'the last words');
    const result = await deleting().finally(() => execa('chattr', ['-i', first as string]));
    expect(result).to.include({ status: 'ok' });
    expect((await holds()).map(({ snapshot }) => snapshot))
      .to.include(result.snapshot)
      .and.to.have.length(2);
  });

  it('is held for each of two accounts that had the same name', async () => {
    await deleting();
    gone();
    await watch({}, server.context);
    server.addAccount('site1');
    await run({ units: ['site1'] }, server.context);
    expect(await deleting()).to.include({ status: 'ok' });
    expect(await holds()).to.have.length(2);
  });

  it('holds what there is when the panel tells of a deletion only afterwards', async () => {
    gone();
    expect(await deleting()).to.include({ status: 'partial' });
    expect(await holds()).to.have.length(1);
    expect(mails.mails[0]?.text).to.contain('when its files were gone');
  });

  it('is asked to stop when its time is over, and says so', async () => {
    const slow: BackUp = (_request, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Failure('cancelled', 'stopped'))));
    const result = await lastBackup('site1', slow, server.context, 20);
    expect(result).to.include({ status: 'partial', message: 'its last backup failed: it took more than 5 minutes' });
    expect(await holds()).to.have.length(1);
  });

  it('is not made where the setting does not want it, and nothing is held then either', async () => {
    server.set('accounts', { lastBackup: false, keepDeleted: false });
    const never: BackUp = () => expect.fail('it was made');
    expect(await deleting(never)).to.include({ status: 'ok', snapshot: null });
    expect(await holds()).to.deep.equal([]);
  });

  it('is made by the program itself; and so is, as a job, the first one of a new account, once', async () => {
    server.addAccount('site2');
    const account = async (event: string, unit: string) => {
      const args = [MAIN, '--config', server.settingsFile, 'account', event, unit, '--json'];
      const { stdout, exitCode } = await execa(process.execPath, args, { reject: false });
      return { ...JSON.parse(stdout), exitCode };
    };
    const { job, exitCode } = await account('created', 'site2');
    expect(exitCode).to.equal(0);
    expect(job).to.match(/^[0-9]{8}T/);
    const snapshots = () => globSync(join(server.repository, 'servers/*/units/site2-*/snapshots/*.json'));
    const live = async () => (await jobs({ live: true }, server.context)).jobs;
    while ((await live()).length > 0) await wait(100);
    expect(snapshots()).to.have.length(1);
    expect(await account('created', 'site2')).to.include({ job: null, message: 'it has a backup already' });
    expect(await account('created', 'site9')).to.have.nested.property('error.code', 'unit_unknown');
    server.set('enabled', false);
    server.addAccount('site3');
    expect(await account('created', 'site3')).to.include({ job: null });
    expect(await account('deleting', 'site2')).to.include({ status: 'ok', exitCode: 0 });
    expect(await holds()).to.have.length(1);
  });
});

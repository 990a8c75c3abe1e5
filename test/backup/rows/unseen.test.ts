import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { ls } from '../../../core/commands/ls.ts';
import { restore } from '../../../core/commands/restore.ts';
import { openRepository } from '../../../core/repository/open-repository.ts';
import type { SnapshotRecord } from '../../../core/repository/record.ts';
import type { UnitOutcome } from '../../../core/schemas/run.ts';
import { type Level, Sandbox } from '../../commands/sandbox.ts';
import { MAIN } from '../../program.ts';

/** Starts a program as a root that may not read what others have closed. */
const WITHOUT_OVERRIDE = ['--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all'];

describe('what a run does not see', function () {
  this.timeout(120_000);
  let server: Sandbox;
  let mounts: string[];

  beforeEach(async () => {
    server = new Sandbox();
    mounts = [];
    mkdirSync(join(server.shadow, 'home/deep'), { recursive: true });
    for (const name of ['a', 'deep/b', 'deep/c']) writeFileSync(join(server.shadow, 'home', name), `first ${name}`);
    mkdirSync(join(server.folder, 'outside'));
    writeFileSync(join(server.folder, 'outside/secret'), 'of somebody else');
    await server.init();
  });

  afterEach(async () => {
    for (const mount of mounts.reverse()) execFileSync('umount', [mount]);
    await server.remove();
  });

  function bind(from: string, to: string): void {
    execFileSync('mount', ['--bind', from, to]);
    mounts.push(to);
  }

  function unbind(): void {
    execFileSync('umount', [mounts.pop() as string]);
  }

  /** Backs up as a root that may not look everywhere. */
  async function backBlind(level: Level = 'incremental'): Promise<UnitOutcome> {
    const main = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN];
    const { stdout } = await execa(
      'setpriv',
      [...WITHOUT_OVERRIDE, ...main, '--config', server.settingsFile, '--json', 'run', 'site1', '--level', level],
      { reject: false },
    );
    return JSON.parse(stdout).units[0];
  }

  async function names(path: string): Promise<string[]> {
    const { entries } = await ls({ unit: 'site1', folder: path }, server.context);
    return entries.map((entry) => entry.path.slice(path.length + 1));
  }

  async function newest(): Promise<SnapshotRecord> {
    const repository = await openRepository(server.context.settings, 'read', () => {});
    const [unit] = await repository.units.all();
    return (await repository.snapshots(unit!.unit)).at(-1) as SnapshotRecord;
  }

  const codes = ({ warnings }: UnitOutcome) => warnings.map(({ code, path }) => `${code} ${path}`);

  it('keeps the earlier state of a directory over which something is mounted, of every level, until it is seen again', async () => {
    await server.back();
    writeFileSync(join(server.shadow, 'home/deep/b'), 'second');
    await server.back('incremental');
    bind(join(server.folder, 'outside'), join(server.shadow, 'home/deep'));
    for (const level of ['incremental', 'incremental', 'differential', 'synthetic'] as const) {
      const outcome = await server.back(level);
      expect(outcome, level).to.include({ status: 'partial', deleted: 0 });
      expect(codes(outcome), level).to.deep.equal(['mount_skipped shadow/home/deep']);
      expect(await names('shadow/home/deep'), level).to.deep.equal(['b', 'c']);
      expect((await newest()).complete, level).to.equal(false);
      expect((await newest()).counts.entries, level).to.equal(9);
    }
    // A state that was kept can be restored: its packs are still there.
    unbind();
    expect(await server.differences()).to.deep.equal([]);
    rmSync(join(server.shadow, 'home/deep/c'));
    expect(await server.back('incremental')).to.include({ status: 'ok', deleted: 1 });
    expect(await names('shadow/home/deep')).to.deep.equal(['b']);
    expect((await newest()).complete).to.equal(true);
    expect((await server.back('incremental')).status).to.equal('unchanged');
  });

  it('leaves out a file that is mounted over another one, keeps what was there, and ends the same each time', async () => {
    await server.back();
    bind(join(server.folder, 'outside/secret'), join(server.shadow, 'home/a'));
    for (const level of ['incremental', 'incremental', 'full', 'incremental'] as const) {
      const outcome = await server.back(level);
      expect(outcome.status, level).to.equal('partial');
      expect(codes(outcome), level).to.deep.equal(['mount_skipped shadow/home/a']);
      if (level === 'full') expect(await names('shadow/home')).to.deep.equal(['deep']);
      unbind();
      if (level !== 'full') expect(readFileSync(join(server.shadow, 'home/a'), 'utf8')).to.equal('first a');
      bind(join(server.folder, 'outside/secret'), join(server.shadow, 'home/a'));
    }
    unbind();
    expect((await server.back('incremental')).status).to.equal('ok');
    expect(await server.differences()).to.deep.equal([]);
  });

  it('keeps the earlier state of what cannot be listed or looked at, and says so each night', async () => {
    for (const folder of ['listed', 'closed']) {
      mkdirSync(join(server.shadow, folder));
      for (const name of ['x', 'y']) writeFileSync(join(server.shadow, folder, name), `${folder} ${name}`);
    }
    await server.back();
    execFileSync('chown', ['-R', '1001:1001', join(server.shadow, 'listed'), join(server.shadow, 'closed')]);
    // Others may read the names in one, and not even those in the other.
    execFileSync('chmod', ['0704', join(server.shadow, 'listed')]);
    execFileSync('chmod', ['0700', join(server.shadow, 'closed')]);
    // Of these no backup knows.
    for (const folder of ['listed', 'closed']) writeFileSync(join(server.shadow, folder, 'z'), 'newer');
    for (let night = 0; night < 3; night++) {
      const outcome = await backBlind();
      expect(outcome.status).to.equal('partial');
      expect(codes(outcome)).to.have.members([
        'unreadable shadow/closed',
        'unreadable shadow/listed/x',
        'unreadable shadow/listed/y',
        'unreadable shadow/listed/z',
      ]);
      expect(await names('shadow/listed')).to.deep.equal(['x', 'y']);
      expect(await names('shadow/closed')).to.deep.equal(['x', 'y']);
      expect((await newest()).complete).to.equal(false);
    }
    const { deleted, warnings } = await restore({ unit: 'site1', delete: true }, server.context);
    expect(deleted).to.equal(0);
    expect(warnings.map(({ code, path }) => `${code} ${path}`)).to.have.members(['unseen_kept shadow/closed', 'unseen_kept shadow/listed']);
    rmSync(join(server.shadow, 'listed/x'));
    rmSync(join(server.shadow, 'closed/y'));
    expect(await server.back('incremental')).to.include({ status: 'ok', deleted: 2 });
    expect(await server.differences()).to.deep.equal([]);
  });

  it('records the rules of the run, and makes a snapshot when they alone have changed', async () => {
    await server.back();
    expect((await newest()).excluded?.patterns).to.deep.equal([]);
    expect((await newest()).excluded?.paths).to.include('shadow/var/lib/mysql');
    server.set('exclude', ['nothing-has-this-name/']);
    expect((await server.back('incremental')).status).to.equal('ok');
    expect((await newest()).excluded?.patterns).to.deep.equal(['nothing-has-this-name/']);
    expect((await server.back('incremental')).status).to.equal('unchanged');
    expect(globSync(join(server.repository, 'servers/*/units/site1-*/snapshots/*'))).to.have.lengthOf(2);
    expect(await server.differences()).to.deep.equal([]);
  });
});

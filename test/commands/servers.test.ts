import { cpSync, existsSync, globSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import { adopt } from '../../core/commands/adopt.ts';
import { diff } from '../../core/commands/diff.ts';
import { find } from '../../core/commands/find.ts';
import { history } from '../../core/commands/history.ts';
import { hold } from '../../core/commands/hold.ts';
import { init } from '../../core/commands/init.ts';
import { list } from '../../core/commands/list.ts';
import { ls } from '../../core/commands/ls.ts';
import { plan } from '../../core/commands/plan.ts';
import { prune } from '../../core/commands/prune.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { servers } from '../../core/commands/servers.ts';
import { verify } from '../../core/commands/verify.ts';
import { failureOf } from '../failure-of.ts';
import { changeSigned } from '../repository/sign.ts';
import { Sandbox } from './sandbox.ts';

const ANOTHER_MACHINE = '0'.repeat(64);
const DAY = 24 * 60 * 60 * 1000;

describe('the servers of a repository', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    writeFileSync(join(sandbox.shadow, 'file'), 'of site1');
    await sandbox.init();
  });

  afterEach(() => sandbox.remove());

  const folders = () => readdirSync(join(sandbox.repository, 'servers')).sort();
  const runOf = (units: string[] = []) => run({ units }, sandbox.context);
  const codes = () => sandbox.log.map(({ code }) => code);
  const change = (file: string, changes: object) => changeSigned(file, sandbox.stateDirectory, changes);

  /** From now on this is another machine than the one that wrote so far, which was called lost.test. */
  function replaceMachine(): string {
    const [file] = globSync(join(sandbox.repository, 'servers/*/server.json')) as [string];
    change(file, { machine: ANOTHER_MACHINE, name: 'lost.test' });
    rmSync(sandbox.stateDirectory, { recursive: true });
    return basename(dirname(file));
  }

  describe('after the first run of a machine that takes the place of a lost one', () => {
    let lost: string;

    beforeEach(async () => {
      await sandbox.back();
      lost = replaceMachine();
      renameSync(sandbox.site, join(sandbox.folder, 'lost'));
      await runOf();
    });

    it('the new server says that it is one, and what else there is', async () => {
      expect(folders()).to.have.length(2);
      expect(sandbox.log.find(({ code }) => code === 'server_founded')?.message).to.contain(`${lost} (lost.test)`);
      const { servers: all } = await servers({}, sandbox.context);
      expect(all.map(({ server, here }) => [server === lost, here])).to.deep.equal([
        [true, false],
        [false, true],
      ]);
      expect(all[0]).to.include({ name: 'lost.test', units: 1 });
      expect(all[0]?.lastRun)
        .to.equal(all[0]?.firstRun)
        .and.to.match(/^\d{4}-/);
      sandbox.log.length = 0;
      await list({}, sandbox.context);
      expect(codes()).to.include('server_others');
    });

    it('the backups of the lost one are reached as before, and that is said', async () => {
      const to = join(sandbox.folder, 'out');
      await restore({ unit: 'site1', to }, sandbox.context);
      expect(readFileSync(join(to, 'shadow/file'), 'utf8')).to.equal('of site1');
      expect(codes()).to.include('server_foreign');
      expect((await list({ unit: 'site1' }, sandbox.context)).snapshots).to.have.length(1);
    });

    for (const name of ['lost.test', 'its id']) {
      it(`every verb that reads takes the server by ${name === 'its id' ? name : 'its name'}`, async () => {
        const request = { unit: 'site1', server: name === 'its id' ? lost : name };
        const { context } = sandbox;
        const { snapshots } = await list({ server: request.server }, context);
        expect(snapshots.map(({ unit, current }) => [unit, current])).to.deep.equal([['site1', false]]);
        expect((await ls({ ...request, folder: 'shadow' }, context)).entries).to.have.length(1);
        expect((await find({ ...request, pattern: 'file' }, context)).found).to.have.length(1);
        expect((await history({ ...request, path: 'shadow/file' }, context)).events).to.have.length(1);
        expect((await diff(request, context)).differences).to.deep.equal([]);
        expect((await plan({ ...request, to: join(sandbox.folder, 'planned') }, context)).entries).to.be.greaterThan(3);
        expect(await verify(request, context)).to.include({ status: 'ok', snapshots: 1 });
        expect(await verify({ server: request.server }, context)).to.include({ status: 'ok', snapshots: 1 });
        expect(await restore({ ...request, to: join(sandbox.folder, 'to') }, context)).to.include({ status: 'ok' });
      });
    }

    it('but no owner gets what is another server’s', async () => {
      renameSync(join(sandbox.folder, 'lost'), sandbox.site);
      const request = { unit: 'site1', policy: 'owner' } as const;
      expect(await failureOf(() => restore(request, sandbox.context))).to.include({ code: 'unit_unknown' });
      expect(await failureOf(() => restore({ ...request, server: lost }, sandbox.context))).to.include({ code: 'owner_not_allowed' });
    });

    it('a name that several have, or none, is an error that names them', async () => {
      expect(await failureOf(() => list({ server: 'nobody' }, sandbox.context))).to.include({ code: 'server_unknown' });
      const [own] = folders().filter((server) => server !== lost) as [string];
      change(join(sandbox.repository, 'servers', own, 'server.json'), { name: 'lost.test' });
      const failure = await failureOf(() => list({ server: 'lost.test' }, sandbox.context));
      expect(failure).to.include({ code: 'server_unknown' });
      expect(failure.affected).to.have.members([own, lost]);
    });

    it('adopting it makes this machine go on with its backups, once it is silent or somebody says yes', async () => {
      renameSync(join(sandbox.folder, 'lost'), sandbox.site);
      expect(await failureOf(() => adopt({ server: 'lost.test' }, sandbox.context))).to.include({ code: 'needs_confirmation' });
      const now = sandbox.now;
      sandbox.now = () => new Date(Date.now() + 3 * DAY);
      expect(await adopt({ server: 'lost.test' }, sandbox.context)).to.include({ server: lost, name: 'lost.test' });
      sandbox.now = now;
      expect(await sandbox.back('incremental')).to.include({ status: 'unchanged' });
      const { servers: all } = await servers({}, sandbox.context);
      expect(all.find(({ here }) => here)).to.include({ server: lost });
    });

    it('one that was just taken over still runs, whenever its last backup was', async () => {
      sandbox.now = () => new Date(Date.now() + 3 * DAY);
      await adopt({ server: lost }, sandbox.context);
      const failure = await failureOf(() => adopt({ server: lost }, sandbox.context));
      expect(failure).to.include({ code: 'needs_confirmation' });
      expect(failure.message).to.contain('it began at');
      sandbox.now = () => new Date();
    });

    it('and the machine that wrote as it before is refused from then on', async () => {
      await adopt({ server: lost, yes: true }, sandbox.context);
      for (const file of globSync(join(sandbox.repository, 'servers', lost, 'machines/*.json'))) {
        change(file, { machine: ANOTHER_MACHINE, name: 'new.test' });
      }
      const failure = await failureOf(() => runOf());
      expect(failure).to.include({ code: 'server_contested' });
      expect(failure.message).to.contain('new.test took it over');
    });
  });

  describe('a clone', () => {
    /** As if the machine that wrote so far had another name: this one is a clone of it then. */
    function renameOriginal(): void {
      for (const file of globSync(join(sandbox.repository, 'servers/*/server.json'))) change(file, { name: 'original.test' });
    }

    for (const state of ['with the state', 'without the state']) {
      it(`that has another name, ${state} of the original, is refused before it writes, and told both ways out`, async () => {
        await sandbox.back();
        const snapshot = (await list({}, sandbox.context)).snapshots[0]?.id as string;
        renameOriginal();
        if (state === 'without the state') rmSync(sandbox.stateDirectory, { recursive: true });
        const before = readdirSync(sandbox.repository, { recursive: true }).sort();
        for (const act of [
          () => runOf(),
          () => prune({}, sandbox.context),
          () => hold({ snapshot, reason: 'x' }, sandbox.context),
          () => init({}, sandbox.context),
        ]) {
          const failure = await failureOf(act);
          expect(failure).to.include({ code: 'server_contested' });
          expect(failure.advice).to.contain('adopt').and.to.contain('init --new-server');
        }
        expect(readdirSync(sandbox.repository, { recursive: true }).sort()).to.deep.equal(before);
        sandbox.log.length = 0;
        expect((await list({}, sandbox.context)).snapshots.map(({ current }) => current)).to.deep.equal([false]);
        expect(codes()).to.include('server_contested');
      });
    }

    it('begins as a new server when that is said, and the original’s folder stays as it is', async () => {
      await sandbox.back();
      renameOriginal();
      const [original] = folders();
      const before = readdirSync(join(sandbox.repository, 'servers', original as string), { recursive: true }).sort();
      await init({ newServer: true }, sandbox.context);
      expect(folders()).to.have.length(2);
      expect(await sandbox.back()).to.include({ status: 'ok', level: 'full' });
      expect(readdirSync(join(sandbox.repository, 'servers', original as string), { recursive: true }).sort()).to.deep.equal(before);
    });

    it('is no machine whose name keeps changing, once two new ones were adopted: then its name says nothing, but its state', async () => {
      await sandbox.back();
      const [server] = folders() as [string];
      const names = ['one.test', 'two.test', 'three.test'];
      /** As if this machine had had these names when it began and when it was adopted. */
      const rename = () => {
        const machines = globSync(join(sandbox.repository, 'servers', server, 'machines/*.json')).sort();
        for (const [index, file] of [join(sandbox.repository, 'servers', server, 'server.json'), ...machines].entries()) {
          change(file, { name: names[index] });
        }
      };
      for (const _ of ['two.test', 'three.test']) {
        rename();
        expect(await failureOf(() => sandbox.back())).to.include({ code: 'server_contested' });
        await adopt({ server, yes: true }, sandbox.context);
        expect(await sandbox.back()).to.include({ status: 'unchanged' });
      }
      rename();
      for (let night = 0; night < 2; night++) expect(await sandbox.back()).to.include({ status: 'unchanged' });
      expect((await list({ unit: 'site1' }, sandbox.context)).snapshots.map(({ current }) => current)).to.deep.equal([true]);
      rmSync(sandbox.stateDirectory, { recursive: true });
      expect(await failureOf(() => sandbox.back())).to.include({ code: 'server_contested' });
    });

    it('of a machine whose hardware has a number is known by that', async function () {
      if (!existsSync('/sys/class/dmi/id/product_uuid')) this.skip();
      await sandbox.back();
      for (const file of globSync(join(sandbox.repository, 'servers/*/server.json'))) change(file, { product: ANOTHER_MACHINE });
      expect(await failureOf(() => runOf())).to.include({ code: 'server_contested' });
    });

    it('that is the same in everything is noticed by the runs that it made, whichever of the two comes next', async () => {
      await sandbox.back();
      const copy = join(sandbox.folder, 'state of the clone');
      cpSync(sandbox.stateDirectory, copy, { recursive: true });
      sandbox.set('stateDirectory', copy);
      await sandbox.back();
      sandbox.set('stateDirectory', sandbox.stateDirectory);
      const failure = await failureOf(() => sandbox.back());
      expect(failure).to.include({ code: 'server_contested' });
      expect(failure.message).to.contain('of which the state directory here knows nothing');
      await adopt({ server: folders()[0] as string, yes: true }, sandbox.context);
      await sandbox.back();
      sandbox.set('stateDirectory', copy);
      expect(await failureOf(() => sandbox.back())).to.include({ code: 'server_contested' });
    });
  });

  it('are not taken for others after a crash between two writes, nor after a run with a clock that was ahead', async () => {
    await sandbox.back();
    const [newest] = globSync(join(sandbox.repository, 'servers/*/runs/*')) as [string];
    await sandbox.back();
    const runs = globSync(join(sandbox.repository, 'servers/*/runs/*')).sort();
    rmSync(runs.at(-1) as string);
    expect(runs[0]).to.equal(newest);
    await sandbox.back();
    sandbox.now = () => new Date(Date.now() + 365 * DAY);
    await sandbox.back();
    sandbox.now = () => new Date();
    for (let again = 0; again < 4; again++) expect(await sandbox.back()).to.include({ status: 'unchanged' });
  });

  for (const adopted of [false, true]) {
    it(`go on after any number of runs with a clock that was ahead${adopted ? ', adopted meanwhile' : ''}`, async () => {
      await sandbox.back();
      sandbox.now = () => new Date(Date.now() + 365 * DAY);
      for (let ahead = 0; ahead < 4; ahead++) await sandbox.back();
      sandbox.now = () => new Date();
      if (adopted) await adopt({ server: folders()[0] as string, yes: true }, sandbox.context);
      for (let again = 0; again < 4; again++) expect(await sandbox.back()).to.include({ status: 'unchanged' });
    });
  }

  it('are taken over also from a machine whose clock was ahead when it took over', async () => {
    await sandbox.back();
    const [server] = folders() as [string];
    sandbox.now = () => new Date(Date.now() + 365 * DAY);
    await adopt({ server, yes: true }, sandbox.context);
    const [record] = globSync(join(sandbox.repository, 'servers', server, 'machines/*.json')) as [string];
    change(record, { machine: ANOTHER_MACHINE, name: 'ahead.test' });
    sandbox.now = () => new Date();
    expect(await failureOf(() => sandbox.back())).to.include({ code: 'server_contested' });
    await adopt({ server, yes: true }, sandbox.context);
    expect(await sandbox.back()).to.include({ status: 'unchanged' });
  });
});

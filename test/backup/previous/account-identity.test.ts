import {
  chmodSync,
  chownSync,
  cpSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { renderResult } from '../../../core/cli/results.ts';
import { find } from '../../../core/commands/find.ts';
import { history } from '../../../core/commands/history.ts';
import { join as joinUnits } from '../../../core/commands/join.ts';
import { keys } from '../../../core/commands/keys.ts';
import { list } from '../../../core/commands/list.ts';
import { ls } from '../../../core/commands/ls.ts';
import { restore } from '../../../core/commands/restore.ts';
import { run } from '../../../core/commands/run.ts';
import { verify } from '../../../core/commands/verify.ts';
import { newIdentity } from '../../../core/crypto/identity.ts';
import { LocalBackend } from '../../../core/repository/backends/local.ts';
import { mountLoopFileSystem } from '../../accounts/loop-file-system.ts';
import { Sandbox } from '../../commands/sandbox.ts';
import { failureOf } from '../../failure-of.ts';

describe('an account', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    mkdirSync(join(sandbox.shadow, 'home'));
    writeFileSync(join(sandbox.shadow, 'home/file'), 'x'.repeat(50_000));
    await sandbox.init();
    await sandbox.back('full');
    sandbox.log.length = 0;
  });

  afterEach(() => sandbox.remove());

  const siteinfo = () => join(sandbox.site, 'info/current/siteinfo');
  const codes = () => sandbox.log.map(({ code }) => code);
  const listed = async (request = {}) => (await list(request, sandbox.context)).snapshots;
  const unitIds = async () => new Set((await listed()).map(({ unitId }) => unitId));

  async function moveToNewDisk(): Promise<void> {
    const elsewhere = join(sandbox.folder, 'old disk');
    renameSync(sandbox.site, elsewhere);
    await execa('cp', ['-a', elsewhere, sandbox.site]);
    rmSync(elsewhere, { recursive: true });
  }

  /** Deletes the account and makes another of the same name, domain, administrator and contents. */
  function makeAnew(): void {
    const info = readFileSync(siteinfo());
    rmSync(sandbox.site, { recursive: true });
    mkdirSync(join(sandbox.site, 'info/current'), { recursive: true });
    mkdirSync(join(sandbox.shadow, 'home'), { recursive: true });
    writeFileSync(siteinfo(), info);
    writeFileSync(join(sandbox.shadow, 'home/file'), 'of the next customer');
  }

  it('that was copied to another disk with its times goes on with its chain, is told so, and nothing is stored again', async () => {
    const [before] = await listed();
    await moveToNewDisk();
    const outcome = await sandbox.back('incremental');
    expect(outcome).to.include({ status: 'ok', level: 'incremental' });
    expect(outcome.bytesStored).to.be.lessThan(10_000);
    expect(codes()).to.include('unit_continued');
    expect((await unitIds()).size).to.equal(1);
    expect((await listed({ unit: 'site1' })).map(({ current }) => current)).to.deep.equal([true, true]);
    expect(await restore({ unit: 'site1', at: before?.id as string }, sandbox.context)).to.include({ status: 'ok', current: true });
    sandbox.log.length = 0;
    await sandbox.back('incremental');
    expect(codes()).to.deep.equal([]);
  });

  it('that was restored from its own backup into a new folder goes on, too', async () => {
    rmSync(sandbox.site, { recursive: true });
    await restore({ unit: 'site1', recreate: true }, sandbox.context);
    expect(await sandbox.back('incremental')).to.include({ level: 'incremental' });
    expect((await unitIds()).size).to.equal(1);
  });

  const DOUBTS: Record<string, () => void> = {
    'that was made anew under the same name, domain and administrator': makeAnew,
    'whose owner may write to the panel’s file': () => {
      chownSync(siteinfo(), 12_345, 12_345);
    },
    'whose folder of the panel’s files others may write to': () => chmodSync(join(sandbox.site, 'info'), 0o777),
    'whose panel’s file is a link': () => {
      renameSync(siteinfo(), `${siteinfo()}.real`);
      symlinkSync('siteinfo.real', siteinfo());
    },
    'whose panel’s file was written at another time': () => {
      const at = new Date(1_700_000_000_000);
      utimesSync(siteinfo(), at, at);
    },
  };
  for (const [what, make] of Object.entries(DOUBTS)) {
    it(`${what} is another one in doubt: a new unit, said with the reason and the way to join them`, async () => {
      const [old] = await listed();
      if (make !== makeAnew) await moveToNewDisk();
      make();
      expect(await sandbox.back()).to.include({ level: 'full' });
      const said = sandbox.log.find(({ code }) => code === 'unit_renewed');
      expect(said?.message)
        .to.contain(`apiscp-backup join ${old?.unitId}`)
        .and.to.match(/\(.+\)/);
      expect((await listed({ unit: 'site1' })).map(({ unitId }) => unitId)).to.not.include(old?.unitId);
      expect((await listed()).map(({ current }) => current)).to.deep.equal([false, true]);
    });
  }

  it('whose backups this server has no key for is another one in doubt, and nothing wrong is said of these backups', async () => {
    await keys({ recipients: [(await newIdentity()).recipient] }, sandbox.context);
    await sandbox.back('full');
    rmSync(sandbox.stateDirectory, { recursive: true });
    await moveToNewDisk();
    expect(await sandbox.back()).to.include({ level: 'full' });
    const said = sandbox.log.find(({ code }) => code === 'unit_renewed');
    expect(said?.message).to.contain('this server has no key to read info/current/siteinfo');
  });

  describe('that was made anew', () => {
    let old: { readonly id: string; readonly unitId: string };

    beforeEach(async () => {
      old = (await listed())[0] as typeof old;
      makeAnew();
      await sandbox.back();
    });

    it('leaves the earlier one in reach by a flag, by the unit’s id, and by what the list shows', async () => {
      const { context } = sandbox;
      const request = { unit: 'site1', earlier: true };
      expect(await listed(request)).to.have.length(2);
      for (const given of [request, { unit: old.unitId }, { unit: 'site1', at: old.id }]) {
        expect(await ls({ ...given, folder: 'shadow/home' }, context)).to.include({ unitId: old.unitId, current: false });
        const to = join(sandbox.folder, `out ${JSON.stringify(given)}`.replaceAll('/', ''));
        await restore({ ...given, to }, context);
        expect(readFileSync(join(to, 'shadow/home/file'), 'utf8')).to.match(/^x+$/);
      }
      expect((await history({ ...request, path: 'shadow/home/file' }, context)).unitId).to.equal(old.unitId);
      expect((await find({ ...request, pattern: 'file' }, context)).found).to.have.length(1);
      const people = renderResult('list', await list({}, context));
      expect(people)
        .to.contain(old.unitId)
        .and.to.match(/^site1 /m);
    });

    it('is never overwritten by the earlier one’s, unless they are joined', async () => {
      for (const given of [{ unit: 'site1', at: old.id }, { unit: 'site1', earlier: true }, { unit: old.unitId }]) {
        expect(await failureOf(() => restore(given, sandbox.context))).to.include({ code: 'usage' });
      }
      expect(readFileSync(join(sandbox.shadow, 'home/file'), 'utf8')).to.equal('of the next customer');
    });

    it('never gives its owner what the earlier one left', async () => {
      const request = { unit: 'site1', policy: 'owner' } as const;
      for (const given of [{ at: old.id }, { earlier: true }]) {
        expect((await failureOf(() => restore({ ...request, ...given }, sandbox.context))).code).to.not.equal('internal');
      }
    });

    it('has the earlier one’s backups as its own once an administrator joins them', async () => {
      expect(await joinUnits({ unit: old.unitId }, sandbox.context)).to.include({ joined: old.unitId });
      const mine = await listed({ unit: 'site1' });
      expect(mine.map(({ current }) => current)).to.deep.equal([true, true]);
      const { events } = await history({ unit: 'site1', path: 'shadow/home/file' }, sandbox.context);
      expect(events.map(({ event }) => event)).to.deep.equal(['changed', 'first']);
      expect(await restore({ unit: 'site1', at: old.id }, sandbox.context)).to.include({ status: 'ok', current: true });
      expect(readFileSync(join(sandbox.shadow, 'home/file'), 'utf8')).to.match(/^x+$/);
      expect(await failureOf(() => joinUnits({ unit: old.unitId }, sandbox.context))).to.include({ code: 'usage' });
      expect(await verify({ unit: 'site1' }, sandbox.context)).to.include({ status: 'ok', snapshots: 2 });
    });

    it('and once more has all that were joined before, too, whichever way', async () => {
      const [, second] = await listed();
      await joinUnits({ unit: old.unitId }, sandbox.context);
      makeAnew();
      await sandbox.back();
      await joinUnits({ unit: second?.unitId as string }, sandbox.context);
      expect((await listed({ unit: 'site1' })).map(({ current }) => current)).to.deep.equal([true, true, true]);
      expect(await verify({ unit: 'site1' }, sandbox.context)).to.include({ status: 'ok', snapshots: 3 });
      expect(await restore({ unit: 'site1', at: old.id }, sandbox.context)).to.include({ status: 'ok', current: true });
      expect(readFileSync(join(sandbox.shadow, 'home/file'), 'utf8')).to.match(/^x+$/);
      expect(await failureOf(() => joinUnits({ unit: old.unitId }, sandbox.context))).to.include({ code: 'usage' });
    });
  });

  it('that was made anew and joined before its first backup goes on in the earlier unit', async () => {
    const [old] = await listed();
    makeAnew();
    await joinUnits({ unit: old?.unitId as string }, sandbox.context);
    expect(await sandbox.back('incremental')).to.include({ level: 'incremental' });
    expect((await unitIds()).size).to.equal(1);
  });

  it('is one unit only, however often its folder goes back and forth', async () => {
    const away = join(sandbox.folder, 'away');
    cpSync(sandbox.site, away, { recursive: true, preserveTimestamps: true });
    for (let turn = 0; turn < 2; turn++) {
      await moveToNewDisk();
      await sandbox.back('incremental');
    }
    expect((await unitIds()).size).to.equal(1);
  });

  describe('on a file system that does not know when a folder was born', () => {
    let old: { readonly id: string; readonly unitId: string };
    const accounts = () => join(sandbox.folder, 'virtual');

    beforeEach(async () => {
      // Inodes of 128 bytes have no room for it.
      await mountLoopFileSystem(accounts(), 20, ['-I', '128']);
      sandbox.addAccount('site1');
      mkdirSync(join(sandbox.shadow, 'home'));
      writeFileSync(join(sandbox.shadow, 'home/file'), 'of the first customer');
      await sandbox.back();
      old = (await listed()).at(-1) as typeof old;
      sandbox.log.length = 0;
    });

    afterEach(() => execa('umount', [accounts()]));

    /** Until the next folder has the inode of the one before, which is what it gets as a rule. */
    function makeAnewInPlace(): void {
      const { ino } = statSync(sandbox.site);
      for (let attempt = 0; attempt < 20; attempt++) {
        makeAnew();
        if (statSync(sandbox.site).ino === ino) return;
      }
      throw new Error('the inode was not given again');
    }

    it('the next customer never has what the one before left, be it before or after the own first backup', async () => {
      makeAnewInPlace();
      const owners = { unit: 'site1', policy: 'owner' } as const;
      expect((await list(owners, sandbox.context)).snapshots).to.deep.equal([]);
      expect(await failureOf(() => restore({ ...owners, at: old.id, to: join(accounts(), 'to') }, sandbox.context))).to.include({
        code: 'unit_unknown',
      });
      expect((await listed()).map(({ current }) => current)).to.not.include(true);
      await sandbox.back();
      expect(codes()).to.include('unit_renewed');
      expect((await listed()).filter(({ current }) => current)).to.have.length(1);
      expect(await failureOf(() => restore({ unit: 'site1', at: old.id }, sandbox.context))).to.include({ code: 'usage' });
    });

    it('the same account goes on, also with what a joining said', async () => {
      expect(await sandbox.back()).to.include({ status: 'unchanged' });
      expect(codes()).to.deep.equal([]);
      makeAnewInPlace();
      await joinUnits({ unit: old.unitId }, sandbox.context);
      await sandbox.back();
      expect(codes()).to.not.include('unit_renewed');
      expect((await listed({ unit: 'site1' })).map(({ current }) => current)).to.deep.equal([true, true]);
    });
  });

  /** Has the repository refuse what `isRefused` picks, as a disk or a server does on a bad day, while `action` runs. */
  async function onABadDay<T>(isRefused: (name: string) => boolean, action: () => Promise<T>): Promise<T> {
    const { read, openDirectly } = LocalBackend.prototype;
    const refuse = (name: string): void => {
      if (isRefused(name)) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    };
    LocalBackend.prototype.read = async function (name, ...range) {
      refuse(name);
      return read.call(this, name, ...range);
    };
    LocalBackend.prototype.openDirectly = function (name) {
      refuse(name);
      return openDirectly.call(this, name);
    };
    try {
      return await action();
    } finally {
      Object.assign(LocalBackend.prototype, { read, openDirectly });
    }
  }

  const refusedOnABadDay: [string, () => Promise<void>, RegExp][] = [
    ['its unit', async () => {}, /units\/site1-[^/]*\/unit\.json$/],
    ['a note about it that the state has no copy of', moveAndForget, /\/notes\//],
    ['its last backup, just when it has moved', moveWithoutCopies, /units\/site1-[^/]*\/manifests\//],
  ];
  for (const [what, prepare, name] of refusedOnABadDay) {
    it(`does not begin anew for a day on which the repository does not give ${what}`, async () => {
      await prepare();
      sandbox.addAccount('site2');
      const { units } = await onABadDay(
        (object) => name.test(object),
        () => run({}, sandbox.context),
      );
      expect(units.find(({ unit }) => unit === 'site1')).to.have.nested.property('error.code', 'io_error');
      expect(units.find(({ unit }) => unit === 'site2')).to.include({ status: 'ok' });
      expect(await sandbox.back('incremental'))
        .to.have.property('status')
        .that.is.oneOf(['ok', 'unchanged']);
      expect((await listed({ unit: 'site1', earlier: true })).map(({ current }) => current)).to.not.include(false);
    });
  }

  /** The state directory has a copy of the last backup's manifest, which would do. */
  async function moveWithoutCopies(): Promise<void> {
    await moveToNewDisk();
    for (const copy of globSync(join(sandbox.stateDirectory, '**/*.mf.zst'))) rmSync(copy);
  }

  async function moveAndForget(): Promise<void> {
    await moveAndGoOn();
    for (const copy of globSync(join(sandbox.stateDirectory, 'repositories/*/kept'))) rmSync(copy, { recursive: true });
  }

  async function moveAndGoOn(): Promise<void> {
    await moveToNewDisk();
    await sandbox.back('incremental');
  }

  it('goes on by the copy in the state when the repository does not give a note about it', async () => {
    await moveAndGoOn();
    const { units } = await onABadDay(
      (object) => object.includes('/notes/'),
      () => run({}, sandbox.context),
    );
    expect(units.find(({ unit }) => unit === 'site1')).to.include({ status: 'unchanged', level: 'incremental' });
    expect((await listed({ unit: 'site1', earlier: true })).map(({ current }) => current)).to.not.include(false);
  });
});

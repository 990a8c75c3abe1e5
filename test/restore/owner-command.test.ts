import { execFileSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { init } from '../../core/commands/init.ts';
import { list } from '../../core/commands/list.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { verify } from '../../core/commands/verify.ts';
import { defaultSettings } from '../../core/config/defaults.ts';
import type { Context } from '../../core/context/context.ts';

type Request = Omit<Parameters<typeof restore>[0], 'unit'> & { unit?: string };

const IDS = { uid: 2001, gid: 2000 };

describe('the command restore as an owner asks for it', () => {
  let work: string;
  let context: Context;
  let account: string;
  let messages: string[];
  const mounts: string[] = [];

  function makeAccount(name: string, domain = 'example.com'): string {
    const folder = join(work, 'virtual', name);
    for (const path of ['shadow/home/alice/mail', 'shadow/etc', 'info/current', 'fst', '.work'])
      mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, 'info/current/siteinfo'), `[siteinfo]\ndomain = ${domain}\nadmin_user = alice\n`);
    writeFileSync(join(folder, 'shadow/etc/passwd'), 'of the panel');
    writeFileSync(join(folder, 'shadow/home/alice/page'), `page of ${name}`);
    writeFileSync(join(folder, 'shadow/home/alice/mail/1'), 'a mail');
    execFileSync('mknod', [join(folder, 'shadow/home/alice/mail/deleted'), 'c', '0', '0']);
    execFileSync('chown', ['-R', `${IDS.uid}:${IDS.gid}`, join(folder, 'shadow/home/alice')]);
    return folder;
  }

  beforeEach(async () => {
    work = mkdtempSync(join(tmpdir(), 'restore-owner-command-'));
    account = makeAccount('site1');
    makeAccount('site2', 'other.example');
    mkdirSync(join(work, 'system'));
    messages = [];
    context = {
      settings: {
        ...defaultSettings(),
        ...{ repository: join(work, 'repository'), stateDirectory: join(work, 'state'), accountsRoot: join(work, 'virtual') },
        ...{ systemRoot: join(work, 'system'), limits: { workers: 2 } },
      },
      reporter: { progress: () => {}, log: ({ code }) => messages.push(code) },
      signal: new AbortController().signal,
      now: () => new Date(),
    };
    await init({}, context);
    await run({ units: ['site1', 'site2'] }, context);
  });

  afterEach(() => {
    for (const mount of mounts.splice(0).reverse()) execFileSync('umount', [mount]);
    rmSync(work, { recursive: true, force: true });
  });

  const ask = (request: Request) => restore({ unit: 'site1', policy: 'owner', ...request }, context);
  const codeOf = async (asked: ReturnType<typeof restore>) => (await asked.catch((thrown) => thrown)).code;
  const mail = (folder = join(account, 'shadow')) => join(folder, 'home/alice/mail');

  function mountAccount(): void {
    const options = `lowerdir=${join(work, 'system')},upperdir=${join(account, 'shadow')},workdir=${join(account, '.work')}`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, join(account, 'fst')]);
    mounts.push(join(account, 'fst'));
  }

  it("gives the owner's files back in place", async () => {
    rmSync(mail(), { recursive: true });
    const result = await ask({ paths: ['shadow/home/alice'] });
    expect(result).to.deep.include({ status: 'ok', warnings: [] });
    expect(lstatSync(mail())).to.include(IDS);
    expect(readFileSync(join(mail(), '1'), 'utf8')).to.equal('a mail');
  });

  it('means everything that owners may have when no paths are named, and nothing else', async () => {
    rmSync(mail(), { recursive: true });
    writeFileSync(join(account, 'info/current/siteinfo'), '[siteinfo]\ndomain = example.com\nadmin_user = alice\nplan = new\n');
    writeFileSync(join(account, 'shadow/etc/passwd'), 'newer');
    const result = await ask({});
    expect(result.warnings.map(({ code, path }) => [code, path])).to.deep.equal([['owner_not_allowed', 'shadow/etc']]);
    expect(existsSync(join(mail(), '1'))).to.equal(true);
    expect(readFileSync(join(account, 'info/current/siteinfo'), 'utf8')).to.contain('plan');
    expect(readFileSync(join(account, 'shadow/etc/passwd'), 'utf8')).to.equal('newer');
  });

  it('refuses other paths before it changes anything', async () => {
    rmSync(mail(), { recursive: true });
    for (const path of [
      'info',
      'info/current/siteinfo',
      'shadow/etc',
      'shadow/etc/passwd',
      '/shadow/dev',
      'shadow/proc/1',
      'shadow-copy',
      'etc',
    ]) {
      expect(await codeOf(ask({ paths: ['shadow/home', path] })), path).to.equal('owner_not_allowed');
    }
    expect(await codeOf(ask({ paths: ['shadow/home', '/'] }))).to.equal('usage');
    expect(existsSync(mail())).to.equal(false);
  });

  it('knows no snapshot of a neighbour (case 14)', async () => {
    const { snapshots } = await list({ unit: 'site2' }, context);
    expect(await codeOf(ask({ at: snapshots[0]!.id }))).to.equal('snapshot_unknown');
    for (const unit of ['system', snapshots[0]!.unitId]) expect(await codeOf(ask({ unit })), unit).to.equal('usage');
  });

  it('gives a new customer of the same name and domain nothing of the one before (case 15)', async () => {
    renameSync(account, join(work, 'gone'));
    makeAccount('site1');
    expect(await codeOf(ask({}))).to.equal('unit_unknown');
    // An administrator gets it, and is told.
    expect((await restore({ unit: 'site1', dryRun: true }, context)).status).to.equal('ok');
    expect(messages).to.deep.equal(['unit_renewed']);
    rmSync(account, { recursive: true });
    expect(await codeOf(ask({}))).to.equal('unit_unknown');
  });

  it("says that it cannot know whose an account is without the administrator's home", async () => {
    renameSync(join(account, 'shadow/home/alice'), join(account, 'shadow/home/elsewhere'));
    expect(await codeOf(ask({ paths: ['shadow/home/alice/page'] }))).to.equal('unsupported');
    mkdirSync(join(account, 'shadow/home/alice'));
    expect(await codeOf(ask({ paths: ['shadow/home/alice/page'] })), 'of root').to.equal('unsupported');
  });

  for (const mounted of [false, true]) {
    describe(`to a folder of the account, ${mounted ? 'mounted' : 'not mounted'}`, () => {
      beforeEach(() => {
        if (mounted) mountAccount();
      });
      const tree = () => join(account, mounted ? 'fst' : 'shadow');

      it("makes it as the owner's own and private", async () => {
        for (const name of ['fst', 'shadow']) {
          const to = join(account, name, 'home/alice', `from-${name}`);
          expect(await ask({ paths: ['shadow/home/alice/mail'], to, dryRun: true })).to.deep.include({ status: 'ok', warnings: [] });
          expect(existsSync(join(tree(), 'home/alice', `from-${name}`))).to.equal(false);
          expect(await ask({ paths: ['shadow/home/alice/mail'], to })).to.deep.include({ status: 'ok', warnings: [] });
          const made = join(tree(), 'home/alice', `from-${name}`);
          expect(lstatSync(made)).to.deep.include({ ...IDS, mode: 0o040700 });
          for (const path of ['shadow', 'shadow/home', 'shadow/home/alice/mail/1'])
            expect(lstatSync(join(made, path)), path).to.include(IDS);
          expect(readdirSync(join(made, 'shadow/home/alice/mail'))).to.deep.equal(['1']);
          expect((await ask({ paths: ['shadow/home/alice/mail'], to, overwrite: 'changed' })).status).to.equal('ok');
        }
      });

      it('goes nowhere else (case 16)', async () => {
        const home = join(tree(), 'home/alice');
        writeFileSync(join(home, 'file'), '');
        mkdirSync(join(home, 'roots'));
        mkdirSync(join(home, 'bound'));
        mkdirSync(join(work, 'outside'));
        chownSync(join(work, 'outside'), IDS.uid, IDS.gid);
        execFileSync('mount', ['--bind', join(work, 'outside'), join(home, 'bound')]);
        mounts.push(join(home, 'bound'));
        symlinkSync(join(work, 'outside'), join(home, 'link'));
        symlinkSync('/nowhere', join(home, 'dangling'));
        const inHome = [
          'file',
          'file/x',
          'roots',
          'roots/x',
          'bound',
          'bound/x',
          'link',
          'link/x',
          'dangling',
          'missing/x',
          '../../etc/x',
          './x',
          '/x',
        ];
        const inAccount = ['', 'home', 'home/new', 'etc/new', 'new'].map((path) => join(account, 'fst', path));
        const elsewhere = [
          '/',
          '/etc',
          'relative',
          work,
          account,
          join(account, 'info/new'),
          join(work, 'virtual/site2/shadow/home/alice/new'),
          join(work, 'virtual/site10/fst/home/alice/x'),
        ];
        for (const to of [...inHome.map((path) => `${account}/fst/home/alice/${path}`), ...inAccount, ...elsewhere]) {
          for (const dryRun of [true, false])
            expect(await codeOf(ask({ paths: ['shadow/home'], to, dryRun })), to).to.equal('owner_not_allowed');
        }
        expect(readdirSync(join(work, 'outside'))).to.deep.equal([]);
        expect(readdirSync(join(home, 'roots'))).to.deep.equal([]);
      });
    });
  }

  describe('and an administrator by the id of a unit', () => {
    it("gets an earlier customer's files in a folder only", async () => {
      const { unitId } = (await list({ unit: 'site1' }, context)).snapshots[0]!;
      renameSync(account, join(work, 'gone'));
      makeAccount('site1', 'new.example');
      writeFileSync(join(account, 'shadow/home/alice/page'), 'of the new one');
      await run({ units: ['site1'] }, context);
      expect(await codeOf(restore({ unit: unitId }, context))).to.equal('usage');
      expect(readFileSync(join(account, 'shadow/home/alice/page'), 'utf8')).to.equal('of the new one');
      const result = await restore({ unit: unitId, to: join(work, 'old') }, context);
      expect(result).to.include({ status: 'ok', unit: 'site1', unitId, current: false });
      expect(readFileSync(join(work, 'old/shadow/home/alice/page'), 'utf8')).to.equal('page of site1');
      expect((await list({ unit: unitId }, context)).snapshots.map((each) => each.unitId)).to.deep.equal([unitId]);
      expect(await verify({ unit: unitId }, context)).to.include({ status: 'ok', snapshots: 1 });
    });

    it('restores the one that lives now in its place', async () => {
      const { unitId } = (await list({ unit: 'site1' }, context)).snapshots[0]!;
      rmSync(mail(), { recursive: true });
      expect((await restore({ unit: unitId }, context)).status).to.equal('ok');
      expect(existsSync(join(mail(), '1'))).to.equal(true);
    });
  });
});

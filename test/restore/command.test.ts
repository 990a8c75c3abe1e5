import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { init } from '../../core/commands/init.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { defaultSettings } from '../../core/config/defaults.ts';
import type { Context } from '../../core/context/context.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { failureOf } from '../failure-of.ts';
import { describeTree } from './tree-description.ts';

describe('the command restore', () => {
  let work: string;
  let context: Context;
  let account: string;
  let files: Record<string, unknown>;

  beforeEach(async () => {
    work = mkdtempSync(join(tmpdir(), 'restore-command-'));
    account = join(work, 'virtual/site1');
    mkdirSync(join(account, 'shadow/home/user'), { recursive: true });
    mkdirSync(join(account, 'info/current'), { recursive: true });
    writeFileSync(join(account, 'info/current/siteinfo'), '[siteinfo]\ndomain = example.com\n');
    for (let i = 0; i < 50; i++) writeFileSync(join(account, `shadow/home/user/f${i}`), `file ${i} `.repeat(i * 100));
    files = describeTree(account);
    context = {
      settings: {
        ...defaultSettings(),
        ...{ repository: join(work, 'repository'), stateDirectory: join(work, 'state'), accountsRoot: join(work, 'virtual') },
        ...{ systemRoot: join(work, 'system'), limits: { workers: 2 } },
      },
      now: () => new Date(),
      reporter: { progress: () => {}, log: () => {} },
      signal: new AbortController().signal,
    };
    mkdirSync(join(work, 'system'));
    await init({}, context);
    await run({ units: ['site1'] }, context);
  });

  afterEach(() => {
    rmSync(work, { recursive: true, force: true });
  });

  it('gives a real backup back in place and elsewhere', async () => {
    rmSync(join(account, 'shadow/home/user/f7'));
    writeFileSync(join(account, 'shadow/home/user/f8'), 'damaged');
    const result = await restore({ unit: 'site1' }, context);
    expect(result.warnings).to.deep.equal([]);
    expect(result.status).to.equal('ok');
    expect(describeTree(account)).to.deep.equal(files);
    const elsewhere = await restore({ unit: 'site1', paths: ['/shadow/home/'], to: join(work, 'new/folder') }, context);
    expect(elsewhere.status).to.equal('ok');
    expect(describeTree(join(work, 'new/folder/shadow/home'))).to.deep.equal(describeTree(join(account, 'shadow/home')));
  });

  it('looks at a key that is named before anything else, also where nothing is encrypted: a path may stand in its place', async () => {
    const key = join(work, 'key');
    writeFileSync(join(account, 'shadow/home/user/f8'), 'of today');
    for (const named of [
      { identity: 'shadow/home/user/f8' },
      { passphraseFile: 'shadow/home/user/f8' },
      { identity: join(account, 'shadow/home/user/f8') },
    ]) {
      const { code } = await failureOf(() => restore({ unit: 'site1', ...named }, context));
      expect(code).to.equal(named.identity?.startsWith('/') === true ? 'identity_wrong' : 'usage');
    }
    expect(readFileSync(join(account, 'shadow/home/user/f8'), 'utf8')).to.equal('of today');
    writeFileSync(key, `${(await newIdentity()).secret}\n`);
    expect((await restore({ unit: 'site1', identity: key }, context)).status).to.equal('ok');
  });

  it('brings back an account whose folder is gone when told so, and does it again', async () => {
    renameSync(account, join(work, 'gone'));
    for (const dryRun of [true, false]) {
      const refused = await restore({ unit: 'site1', dryRun }, context).catch((thrown) => thrown);
      expect(refused.code).to.equal('unit_unknown');
      expect(refused.advice).to.contain('--recreate');
    }
    expect((await restore({ unit: 'site1', dryRun: true, recreate: true }, context)).status).to.equal('ok');
    expect(readdirSync(join(work, 'virtual'))).to.deep.equal([]);
    expect((await restore({ unit: 'site1', recreate: true }, context)).status).to.equal('ok');
    expect(describeTree(account)).to.deep.equal(files);
    expect((await restore({ unit: 'site1' }, context)).status).to.equal('ok');
  });

  it('does not give an account to the next customer who gets its name', async () => {
    renameSync(account, join(work, 'gone'));
    mkdirSync(join(account, 'info/current'), { recursive: true });
    writeFileSync(join(account, 'info/current/siteinfo'), '[siteinfo]\ndomain = other.example\n');
    const error = await restore({ unit: 'site1' }, context).catch((thrown) => thrown);
    expect(error.code).to.equal('unit_unknown');
    expect(readdirSync(account)).to.deep.equal(['info']);
  });

  it('refuses folders that it must not fill, also by another name', async () => {
    symlinkSync(join(work, 'repository'), join(work, 'alias'));
    for (const to of ['/', '//', 'relative', join(work, 'repository'), join(work, 'alias/new'), join(work, 'state/x'), '/usr/..']) {
      const error = await restore({ unit: 'site1', to }, context).catch((thrown) => thrown);
      expect(error.code, to).to.equal('usage');
    }
  });

  it('restores nothing by a manifest that is not the recorded one, but for the copy in the state directory', async () => {
    const units = join(work, 'repository/servers');
    const manifest = readdirSync(units, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.mf.zst')) as string;
    const file = join(units, manifest);
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.alloc(bytes.length));
    const { status, failed } = await restore({ unit: 'site1', to: join(work, 'by-copy') }, context);
    expect({ status, failed }).to.deep.equal({ status: 'ok', failed: 0 });
    for (const copy of globSync(join(work, 'state/**/*.mf.zst'))) rmSync(copy);
    for (const at of [20, bytes.length - 60]) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
      rmSync(file);
      writeFileSync(file, altered);
      const error = await restore({ unit: 'site1', to: join(work, 'to') }, context).catch((thrown) => thrown);
      expect(error.code).to.equal('repository_damaged');
    }
  });

  it('says what is wrong with a unit, a snapshot or a path', async () => {
    const codeOf = async (request: Parameters<typeof restore>[0]) => (await restore(request, context).catch((thrown) => thrown)).code;
    expect(await codeOf({ unit: 'site2' })).to.equal('unit_unknown');
    expect(await codeOf({ unit: 'site1', at: '20200101T000000000Z-00000000' })).to.equal('snapshot_unknown');
    expect(await codeOf({ unit: 'site1', paths: ['nowhere'] })).to.equal('path_unknown');
  });

  it('leaves every file old or new when it is killed, and completes the next time (case 34)', async () => {
    const script = join(import.meta.dirname, 'restore-and-report.ts');
    for (let i = 0; i < 50; i++) writeFileSync(join(account, `shadow/home/user/f${i}`), 'old');
    for (const delay of [0, 3, 10]) {
      const settings = join(work, 'settings.json');
      writeFileSync(settings, JSON.stringify(context.settings));
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, settings], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      setTimeout(() => child.kill('SIGKILL'), delay);
      await once(child, 'exit');
      for (const name of readdirSync(join(account, 'shadow/home/user'))) {
        if (name.startsWith('.apiscp-backup-')) continue;
        const expected = `file ${name.slice(1)} `.repeat(Number(name.slice(1)) * 100);
        expect([expected, 'old']).to.include(readFileSync(join(account, 'shadow/home/user', name), 'utf8'));
      }
    }
    expect((await restore({ unit: 'site1' }, context)).status).to.equal('ok');
    expect(describeTree(account)).to.deep.equal(files);
  });
});

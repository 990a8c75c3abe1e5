import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { defaultSettings } from '../../core/config/defaults.ts';
import { FakePanel } from './fake-panel.ts';
import { createRepository, type RealSettings, useRealCore } from './real-core.ts';

describe('the panel with the real core', function () {
  // Each call starts a Node of its own, from source.
  this.timeout(120_000);
  let panel: FakePanel;
  let settings: RealSettings;

  beforeEach(() => {
    panel = new FakePanel();
    settings = useRealCore(panel);
  });
  afterEach(() => panel.remove());

  const json = async (...words: string[]) => {
    const { stdout, stderr } = await panel.cpcmd('-o', 'json', ...words);
    return { answer: JSON.parse(stdout), stderr };
  };

  it('tells both versions, from the front end too', async () => {
    const direct = await json('backup:version');
    expect(direct.answer).to.include({ name: 'apiscp-backup', formatVersion: 1 });
    expect(direct.stderr).to.equal('');
    expect(JSON.parse((await panel.frontend('-o', 'json', 'backup:version')).stdout)).to.deep.equal(direct.answer);
  });

  it('sets, shows and resets the destination, and writes nothing when nothing changes', async () => {
    const scope = (command: string, ...value: string[]) => panel.cpcmd(`scope:${command}`, 'backups.destination', ...value);
    expect((await scope('set', '/srv/new')).stdout).to.equal('1');
    expect(JSON.parse(readFileSync(panel.settingsFile, 'utf8'))).to.deep.equal({ ...settings, repository: '/srv/new' });
    expect((await scope('get')).stdout).to.equal('/srv/new');
    const { ino, mtimeNs } = statSync(panel.settingsFile, { bigint: true });
    expect((await scope('set', '/srv/new')).stdout).to.equal('1');
    expect(statSync(panel.settingsFile, { bigint: true })).to.include({ ino, mtimeNs });
    // The settings are root's alone: the front end shows no guess, and does not fail.
    const info = await panel.frontend('-o', 'json', 'scope:info', 'backups.destination');
    expect(JSON.parse(info.stdout)).to.include({ value: null, default: defaultSettings().repository });
    expect(info.stderr).to.equal('');
    expect((await scope('set', 'null')).stdout).to.equal('1');
    expect((await scope('get')).stdout).to.equal(defaultSettings().repository);
  });

  it('refuses a destination that the core refuses, and keeps the settings', async () => {
    const before = readFileSync(panel.settingsFile);
    for (const value of ['relative/path', "''", '--config', 'sftp ://x']) {
      const { stdout, stderr } = await panel.cpcmd('scope:set', 'backups.destination', value);
      expect(stdout, value).to.equal('');
      expect(stderr).to.match(/^ERROR: /m);
    }
    expect(readFileSync(panel.settingsFile).equals(before)).to.equal(true);
  });

  it('sets a destination and copies of every kind, with how each is reached, and refuses by name what is none', async () => {
    const LOCATIONS = ['s3:https://s3.example.com/backups/server-1', 'sftp:me@host.example.com:2222:/srv/b', 'rclone:remote:a/b'];
    const quoted = (location: string) => `"${location}"`;
    const set = (scope: string, value: string) => panel.cpcmd('scope:set', `backups.${scope}`, value);
    const written = () => JSON.parse(readFileSync(panel.settingsFile, 'utf8'));
    const [location = ''] = LOCATIONS;
    expect(await set('destination', quoted(location))).to.include({ stdout: '1', stderr: '' });
    expect(written().repository).to.equal(location);
    expect((await set('s3', '[credentialsFile:/etc/apiscp-backup/s3,region:eu-central-1]')).stdout).to.equal('1');
    const copies = LOCATIONS.slice(1).map((location, at) => `[name:c${at},repository:${quoted(location)}]`);
    expect(await set('copies', `[${copies.join(',')}]`)).to.include({ stdout: '1', stderr: '' });
    expect(written()).to.deep.include({ s3: { credentialsFile: '/etc/apiscp-backup/s3', region: 'eu-central-1' } });
    expect((await json('scope:get', 'backups.copies')).answer.map(({ repository }: { repository: string }) => repository)).to.deep.equal(
      LOCATIONS.slice(1),
    );
    const before = written();
    const WRONG: [string, string, string][] = [
      ['destination', 'ftp:host:/x', 'the scheme "ftp" is unknown'],
      ['destination', 's3:https://key:word@s3.example.com/bucket', 'a key does not belong into it'],
      ['s3', '[secretAccessKey:x]', 'secretAccessKey'],
      ['copies', '[[name:x,repository:"webdav:https://x"]]', 'the scheme "webdav" is unknown'],
    ];
    for (const [scope, value, said] of WRONG) {
      const { stdout, stderr } = await set(scope, value.startsWith('[') ? value : quoted(value));
      expect(stdout, value).to.equal('');
      expect(stderr, value).to.contain(said).and.to.not.contain('key:word');
    }
    expect(written()).to.deep.equal(before);
  });

  it('sets limits as the guide writes them, takes one away again, and refuses a rate that is none', async () => {
    const set = (value: string) => panel.cpcmd('scope:set', 'backups.limits', value);
    expect((await set('[load:4,readRate:50MiB/s]')).stdout).to.equal('1');
    const { limits } = JSON.parse(readFileSync(panel.settingsFile, 'utf8'));
    expect(limits).to.deep.equal({ load: 4, readRate: '50MiB/s' });
    expect((await set('[load:4]')).stdout).to.equal('1');
    expect((await json('scope:get', 'backups.limits')).answer).to.deep.equal({ load: 4 });
    const refused = await set('[readRate:fast]');
    expect(refused.stdout).to.equal('');
    expect(refused.stderr).to.contain('/limits/readRate');
    expect((await set('null')).stdout).to.equal('1');
    expect((await json('scope:get', 'backups.limits')).answer).to.deep.equal(defaultSettings().limits);
  });

  it('says what is wrong with a request, as the core says it', async () => {
    const { answer, stderr } = await json('backup:run', 'site1', 'sometimes');
    expect(answer.error.code).to.equal('usage');
    expect(answer.error.message).to.contain('level');
    expect(stderr).to.contain('ERROR: The request is wrong: ');
    expect((await json('backup:list')).answer.error.code).to.equal('repository_missing');
  });

  it('backs up, lists, verifies and restores', async () => {
    const page = join(panel.accounts, 'site1/shadow/var/www/html/index.php');
    mkdirSync(join(page, '..'), { recursive: true });
    writeFileSync(page, '<?php phpinfo();');
    await createRepository(panel);
    const run = await json('backup:run', 'all');
    expect(run.answer.status, run.stderr).to.equal('ok');
    const { snapshots } = (await json('backup:list', 'one.example')).answer;
    expect(snapshots[0]).to.include({ unit: 'site1', level: 'full' });
    expect((await json('backup:verify', 'all')).answer).to.include({ status: 'ok' });
    rmSync(page);
    const restored = await json('backup:restore', 'site1', '[shadow/var/www]');
    expect(restored.answer.status, restored.stderr).to.equal('ok');
    expect(readFileSync(page, 'utf8')).to.equal('<?php phpinfo();');
  });

  it('finds again what was there, for a site its own', async () => {
    for (const [site, user, id] of [
      ['site1', 'alice', 2001],
      ['site2', 'bob', 2002],
    ] as const) {
      const home = join(panel.accounts, site, 'shadow/home', user);
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, 'page'), user);
      for (const path of [home, join(home, 'page')]) chownSync(path, id, id);
    }
    await createRepository(panel);
    await panel.cpcmd('backup:run', 'all');
    const [theirs] = (await json('backup:list', 'site2')).answer.snapshots;
    const page = join(panel.accounts, 'site1/shadow/home/alice/page');
    writeFileSync(page, 'changed');
    const paths = (list: { path: string }[]) => list.map(({ path }) => path);
    const changed = (await json('-d', 'site1', 'backup:diff')).answer;
    expect(paths(changed.differences)).to.deep.equal(['shadow/home/alice/page']);
    expect(changed.from.text).to.contain('latest');
    expect(paths((await json('-d', 'site1', 'backup:ls', 'null', 'shadow/home')).answer.entries)).to.deep.equal(['shadow/home/alice']);
    expect(paths((await json('-d', 'site1', 'backup:find', 'null', 'page')).answer.found)).to.deep.equal(['shadow/home/alice/page']);
    expect((await json('backup:history', 'site1', 'shadow/home/alice/page')).answer.events[0]).to.include({ event: 'first' });
    const planned = (await json('-d', 'site1', 'backup:plan', '[shadow/home/alice/page]', '[at:today]')).answer;
    expect(paths(planned.plan.overwrite)).to.deep.equal(['shadow/home/alice/page']);
    expect(readFileSync(page, 'utf8')).to.equal('changed');
    const foreign = (await json('-d', 'site1', 'backup:ls', 'null', 'null', `[at:${theirs.id}]`)).answer;
    expect(foreign.error.code).to.equal('snapshot_unknown');
    const unknown = (await json('-d', 'site1', 'backup:ls', 'null', 'shadow/home', '[at:someday]')).answer;
    expect(unknown.error.message).to.contain('yesterday 14:00');
  });

  it('lets a site restore its own, and nothing of a neighbour', async () => {
    for (const [site, user, id] of [
      ['site1', 'alice', 2001],
      ['site2', 'bob', 2002],
    ] as const) {
      const home = join(panel.accounts, site, 'shadow/home', user);
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, 'file'), user);
      writeFileSync(join(home, 'of-root'), 'of root');
      for (const path of [home, join(home, 'file')]) chownSync(path, id, id);
    }
    await createRepository(panel);
    await panel.cpcmd('backup:run', 'all');
    const [theirs] = (await json('backup:list', 'site2')).answer.snapshots;
    const own = join(panel.accounts, 'site1/shadow/home/alice/file');
    rmSync(own);
    const restored = await json('-d', 'site1', 'backup:restore', '[shadow/home/alice/file]');
    expect(restored.answer.status, restored.stderr).to.equal('ok');
    expect(readFileSync(own, 'utf8')).to.equal('alice');
    const aside = await json('-d', 'site1', 'backup:restore', '[shadow/home]', '[to:/home/alice/aside]');
    expect(aside.answer.warnings.map(({ code, path }: Record<string, string>) => [code, path])).to.deep.equal([
      ['owner_not_allowed', 'shadow/home/alice/of-root'],
    ]);
    expect(statSync(join(own, '../aside/shadow/home/alice/file'))).to.include({ uid: 2001, gid: 2001 });
    const foreign = await json('-d', 'site1', 'backup:restore', '[shadow/home]', `[at:${theirs.id}]`);
    expect(foreign.answer.error.code).to.equal('snapshot_unknown');
    const listed = (await json('-d', 'site1', 'backup:list')).answer.snapshots;
    expect(new Set(listed.map(({ unit }: { unit: string }) => unit))).to.deep.equal(new Set(['site1']));
  });

  it('leaves what takes long to jobs when the front end asks, and gives a site its files through a pipe or in its home', async () => {
    const home = join(panel.accounts, 'site1/shadow/home/alice');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'file'), 'alice');
    for (const path of [home, join(home, 'file')]) chownSync(path, 2001, 2001);
    await createRepository(panel);
    const front = async (...words: string[]) => JSON.parse((await panel.frontend('-o', 'json', ...words)).stdout);
    const ended = async (job: string, ...as: string[]) => {
      for (;;) {
        const view = await front(...as, 'backup:job', job);
        if (view.ended !== null) return view;
      }
    };
    const run = await front('backup:run', 'all');
    expect(run).to.include({ method: 'run', role: 'administrator', joined: false });
    expect(await ended(run.job)).to.nested.include({ state: 'ok', 'result.status': 'ok' });

    const { job, pipe } = await front('-d', 'site1', 'backup:download', '[shadow/home]', '[pipe:true]');
    const { stdout } = await execa('bash', ['-c', 'zstd -dc "$1" | tar -t', 'bash', pipe]);
    expect(stdout.split('\n')).to.include('shadow/home/alice/file');
    expect(await ended(job, '-d', 'site1')).to.nested.include({ state: 'ok', user: 'alice', 'result.file': null });
    expect(existsSync(pipe)).to.equal(false);
    expect((await front('-d', 'site2', 'backup:job', job)).error.code).to.equal('job_unknown');
    expect((await front('-d', 'site1', 'backup:jobs')).jobs.map((view: { job: string }) => view.job)).to.deep.equal([job]);

    const { answer } = await json('-d', 'site1', 'backup:download', '[shadow/home]');
    expect(answer.status).to.equal('ok');
    const kept = join(home, 'backup-downloads', basename(answer.file));
    expect(statSync(kept)).to.include({ uid: 2001, gid: 2001 });
  });

  it('holds a site to its quota, which does not hold root', async () => {
    const home = join(panel.accounts, 'site1/shadow/home/alice');
    mkdirSync(home, { recursive: true });
    const file = join(home, 'file');
    writeFileSync(file, Buffer.alloc(100_000, 1));
    for (const path of [home, file]) chownSync(path, 2001, 2001);
    await createRepository(panel);
    await panel.cpcmd('backup:run', 'all');
    const quota = (values: object) => writeFileSync(join(panel.accounts, 'site1/info/quota.json'), JSON.stringify(values));
    const restoreTo = async (name: string) =>
      (await json('-d', 'site1', 'backup:restore', '[shadow/home]', `[to:/home/alice/${name}]`)).answer;
    quota({ qhard: 1000, qused: 950 });
    expect((await restoreTo('a')).error)
      .to.include({ code: 'disk_full' })
      .and.to.have.property('message')
      .that.contains('leaves 51200');
    expect(existsSync(join(home, 'a/shadow'))).to.equal(false);
    // What a file replaces makes room.
    expect((await json('-d', 'site1', 'backup:restore', '[shadow/home]')).answer.status).to.equal('ok');
    quota({ fhard: 10, fused: 10 });
    expect((await restoreTo('b')).error).to.include({ code: 'disk_full' });
    quota({ qhard: 1000, qused: 800, fhard: 10, fused: 1 });
    expect((await restoreTo('c')).status).to.equal('ok');
    quota({ qhard: 0, qused: 5000 });
    expect((await restoreTo('d')).status).to.equal('ok');
  });
});

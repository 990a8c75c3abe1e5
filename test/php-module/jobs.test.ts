import { existsSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const ID = '20261126T012345678Z-1f3a9c2e';
const JOB = [{ result: { job: ID, state: 'waiting' } }];
const OK = [{ result: { status: 'ok', unit: 'site1', current: true } }];

describe('jobs in the panel', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());
  beforeEach(() => {
    const done = { run: OK, restore: OK, restoreDatabase: OK, verify: OK, repair: OK, prune: OK, copy: OK, download: OK };
    panel.answer({ ...done, start: JOB, job: JOB, jobs: JOB, cancel: JOB, log: JOB });
  });

  const asked = () => panel.notes.map(({ request }) => [request.method, request.params]);

  const LONG: [string[], string, object][] = [
    [['backup:run', 'site1', 'full'], 'run', { units: ['site1'], level: 'full' }],
    [['backup:run', 'all'], 'run', { level: 'auto' }],
    [['-d', 'site1', 'backup:run'], 'run', { policy: 'owner', units: ['site1'] }],
    [['-d', 'site1', 'backup:run', 'null', 'incremental'], 'run', { policy: 'owner', units: ['site1'] }],
    [['backup:restore', 'site2', '[shadow/a]'], 'restore', { unit: 'site2', paths: [{ path: 'shadow/a' }] }],
    [['backup:restore-database', 'site1', '[mysql/a]'], 'restoreDatabase', { unit: 'site1', databases: ['mysql/a'] }],
    [
      ['-d', 'site1', 'backup:restore-database', '[mysql/a]'],
      'restoreDatabase',
      { unit: 'site1', policy: 'owner', databases: ['mysql/a'] },
    ],
    [['backup:verify', 'site1', '[quick:true]'], 'verify', { quick: true, unit: 'site1' }],
    [['backup:repair', 'site2'], 'repair', { unit: 'site2' }],
    [['backup:repair', 'site1', '[dryRun:true]'], 'repair', { unit: 'site1', dryRun: true }],
    [['backup:prune', 'site1', '[yes:true,fromCopy:offsite]'], 'prune', { units: ['site1'], yes: true, fromCopy: 'offsite' }],
    [['backup:copy', 'offsite'], 'copy', { copies: ['offsite'] }],
    [['backup:copy', 'all'], 'copy', []],
    [
      ['backup:download', 'site2', '[info]', '[to:/root/found]'],
      'download',
      { unit: 'site2', paths: [{ path: 'info' }], to: { path: '/root/found' } },
    ],
  ];
  for (const [words, method, params] of LONG) {
    it(`do what ${words.join(' ')} asks of the front end, and answer with their id; cpcmd waits`, async () => {
      const user = words[0] === '-d' ? 'alice' : 'admin';
      const { stdout } = await panel.frontend('-o', 'json', ...words);
      expect(JSON.parse(stdout)).to.deep.equal({ job: ID, state: 'waiting' });
      expect(JSON.parse((await panel.cpcmd('-o', 'json', ...words)).stdout)).to.include({ status: 'ok' });
      expect(asked()).to.deep.equal([
        ['start', { method, request: params, user }],
        [method, params],
      ]);
    });
  }

  it('are made, or not, as the option background says', async () => {
    await panel.cpcmd('backup:run', 'site1', 'null', '[background:true]');
    await panel.frontend('backup:run', 'site1', 'null', '[background:false]');
    await panel.cpcmd('backup:restore', 'site1', '[shadow/a]', '[background:true]');
    await panel.frontend('backup:restore', 'site1', '[shadow/a]', '[dryRun:true]');
    await panel.frontend('backup:prune', 'all', '[simulate:90d]');
    expect(asked().map(([method]) => method)).to.deep.equal(['start', 'run', 'start', 'restore', 'simulate']);
  });

  it('are asked about by whom they may be', async () => {
    for (const command of ['job', 'cancel', 'log']) {
      await panel.cpcmd(`backup:${command}`, ID);
      await panel.frontend('-d', 'site1', `backup:${command}`, ID);
    }
    await panel.cpcmd('backup:jobs', '[live:true]');
    await panel.frontend('-d', 'site2', 'backup:jobs');
    const own = { job: ID, policy: 'owner', unit: 'site1' };
    expect(asked()).to.deep.equal([
      ...['job', 'cancel', 'log'].flatMap((method) => [
        [method, { job: ID }],
        [method, own],
      ]),
      ['jobs', { live: true }],
      ['jobs', { policy: 'owner', unit: 'site2' }],
    ]);
  });

  it('and what they told come in pages', async () => {
    await panel.frontend('backup:jobs', `[limit:5,after:${ID}]`);
    await panel.frontend('-d', 'site1', 'backup:log', ID, '[after:20000,limit:100]');
    expect(asked()).to.deep.equal([
      ['jobs', { limit: 5, after: ID }],
      ['log', { job: ID, policy: 'owner', unit: 'site1', after: 20_000, limit: 100 }],
    ]);
    for (const words of [['[after:x]'], ['[after:-1]'], ['[]'], ['[after:]'], ['null', 'x']]) {
      expect((await panel.cpcmd('backup:log', ID, ...words)).exitCode, words.join(' ')).to.equal(1);
    }
    expect(asked()).to.have.length(2);
  });

  it('are started through the front end’s own way by nobody else', async () => {
    for (const as of [[], ['-d', 'site1']]) {
      expect((await panel.frontend(...as, 'backup:later', 'prune', '[all]')).stderr).to.contain('not permitted');
    }
    expect((await panel.cpcmd('-d', 'site1', 'backup:later', 'prune', '[all]')).stderr).to.contain('not permitted');
    expect(asked()).to.deep.equal([]);
  });

  it('make an owner’s download in a folder of the home, where nothing else can be meant', async () => {
    const home = join(panel.accounts, 'site1/fst/home/alice');
    await panel.cpcmd('-d', 'site1', 'backup:download', '[shadow/home]');
    mkdirSync(join(home, 'mine'));
    await panel.cpcmd('-d', 'site1', 'backup:download', '[shadow]', '[to:/home/alice/mine]');
    const params = { unit: 'site1', policy: 'owner' };
    expect(asked()).to.deep.equal([
      ['download', { ...params, paths: [{ path: 'shadow/home' }], to: { path: join(home, 'backup-downloads') } }],
      ['download', { ...params, paths: [{ path: 'shadow' }], to: { path: join(home, 'mine') } }],
    ]);
    // Dumps of databases the owner may have as files; restored they are as databases.
    const dump = 'databases/mysql/one_wp.sql';
    await panel.cpcmd('-d', 'site1', 'backup:download', dump, '[to:/home/alice/mine]');
    expect(asked().at(-1)).to.deep.equal(['download', { ...params, paths: [{ path: dump }], to: { path: join(home, 'mine') } }]);
    const { stdout: refused } = await panel.cpcmd('-d', 'site1', '-o', 'json', 'backup:restore', `[${dump}]`);
    expect(JSON.parse(refused).error.code).to.equal('owner_path');
    symlinkSync('/tmp', join(home, 'link'));
    for (const to of ['/home/alice/link', '/home/bob/x', '/home/alice/mine/deeper', '/tmp/x']) {
      const { stdout } = await panel.cpcmd('-d', 'site1', '-o', 'json', 'backup:download', '[shadow]', `[to:${to}]`);
      expect(JSON.parse(stdout), to).to.have.nested.property('error.code', 'owner_target');
    }
    expect(asked()).to.have.length(3);
  });

  it('hand a download to a FIFO for one reader, which goes when no job comes of it', async () => {
    const { stdout } = await panel.frontend('-d', 'site1', '-o', 'json', 'backup:download', '[shadow/home]', '[pipe:true]');
    const { job, pipe } = JSON.parse(stdout) as { job: string; pipe: string };
    try {
      expect(job).to.equal(ID);
      expect(pipe).to.match(/^\/tmp\/id-site1-[0-9a-f]{32}$/);
      expect(statSync(pipe).isFIFO()).to.equal(true);
      expect(statSync(pipe).mode & 0o777).to.equal(0o600);
      expect(statSync(pipe).uid).to.not.equal(0);
      const request = { unit: 'site1', policy: 'owner', paths: [{ path: 'shadow/home' }], fifo: pipe };
      expect(asked()).to.deep.equal([['start', { method: 'download', request, user: 'alice' }]]);
    } finally {
      rmSync(pipe);
    }
    panel.answer({ start: [{ error: { code: -32000, message: 'm', data: { code: 'too_many_jobs', message: 'full', retry: true } } }] });
    const refused = await panel.frontend('-d', 'site1', '-o', 'json', 'backup:download', '[shadow/home]', '[pipe:true]');
    expect(JSON.parse(refused.stdout)).to.have.nested.property('error.code', 'too_many_jobs');
    const { fifo } = panel.notes[0]!.request.params.request as { fifo: string };
    expect(existsSync(fifo)).to.equal(false);
  });
});

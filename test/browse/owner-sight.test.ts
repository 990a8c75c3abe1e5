import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { diff } from '../../core/commands/diff.ts';
import { find } from '../../core/commands/find.ts';
import { history } from '../../core/commands/history.ts';
import { list } from '../../core/commands/list.ts';
import { ls } from '../../core/commands/ls.ts';
import { restore } from '../../core/commands/restore.ts';
import { run } from '../../core/commands/run.ts';
import { verify } from '../../core/commands/verify.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

const ALICE = 2001;
const policy = 'owner' as const;

/** What of root's stands in the account, closed to its owner, and words that then must not be told. */
const SECRETS = ['of-root', 'within', 'master'];

describe('what an account owner is shown', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    const put = (path: string, mode: number, owner: number, text = path): void => {
      const file = join(sandbox.shadow, path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, text);
      chmodSync(file, mode);
      chownSync(file, owner, owner);
    };
    put('etc/master', 0o600, 0);
    put('etc/passwd', 0o644, 0);
    put('home/admin1/page', 0o600, ALICE);
    put('home/admin1/of-root', 0o600, 0);
    put('home/admin1/readable', 0o644, 0);
    put('home/admin1/closed/within', 0o644, 0);
    chmodSync(join(sandbox.shadow, 'home/admin1/closed'), 0o700);
    chownSync(join(sandbox.shadow, 'home/admin1'), ALICE, ALICE);
    await sandbox.init();
    await sandbox.back();
    for (const file of ['etc/master', 'home/admin1/of-root', 'home/admin1/closed/within', 'home/admin1/page']) {
      writeFileSync(join(sandbox.shadow, file), 'changed, and longer than before');
    }
    await sandbox.back();
  });
  afterEach(() => sandbox.remove());

  const silent = (answer: unknown): void => {
    for (const secret of SECRETS) expect(JSON.stringify(answer)).to.not.contain(secret);
  };
  const paths = (rows: readonly { path: string }[]) => rows.map(({ path }) => path);

  it('by ls is what that one could open', async () => {
    const listed = await ls({ unit: 'site1', policy, folder: 'shadow', recursive: true }, sandbox.context);
    silent(listed);
    expect(paths(listed.entries)).to.deep.equal([
      'shadow/etc',
      'shadow/etc/passwd',
      'shadow/home',
      'shadow/home/admin1',
      'shadow/home/admin1/page',
      'shadow/home/admin1/readable',
    ]);
    expect(paths((await ls({ unit: 'site1', policy }, sandbox.context)).entries)).to.deep.equal(['shadow']);
    for (const folder of ['shadow/etc/master', 'shadow/home/admin1/closed', 'shadow/home/admin1/closed/within', 'info']) {
      const failure = await failureOf(() => ls({ unit: 'site1', policy, folder }, sandbox.context));
      expect(failure.code, folder).to.equal('path_unknown');
    }
  });

  it('by find, history and diff is the same', async () => {
    const found = await find({ unit: 'site1', policy, pattern: '*' }, sandbox.context);
    silent(found);
    expect(paths(found.found)).to.include.members(['shadow/etc/passwd', 'shadow/home/admin1/page']);
    const own = await history({ unit: 'site1', policy, path: 'shadow/home/admin1/page' }, sandbox.context);
    expect(own.events).to.have.length(2);
    for (const path of ['shadow/etc/master', 'shadow/home/admin1/of-root', 'shadow/home/admin1/closed/within']) {
      expect((await failureOf(() => history({ unit: 'site1', policy, path }, sandbox.context))).code).to.equal('path_unknown');
      const folder = await failureOf(() => find({ unit: 'site1', policy, pattern: '*', folder: path }, sandbox.context));
      expect(folder.code).to.equal('path_unknown');
    }
    const { snapshots } = await list({ unit: 'site1', policy }, sandbox.context);
    const between = await diff({ unit: 'site1', policy, from: snapshots[0]!.id, to: snapshots[1]!.id }, sandbox.context);
    silent(between);
    expect(paths(between.differences)).to.deep.equal(['shadow/home/admin1/page']);
    const live = await diff({ unit: 'site1', policy, from: snapshots[0]!.id, live: true }, sandbox.context);
    silent(live);
    expect(paths(live.differences)).to.deep.equal(['shadow/home/admin1/page']);
  });

  it('by plan and restore are no names that are closed', async () => {
    for (const dryRun of [true, false]) {
      const to = join(sandbox.shadow, `home/admin1/out-${dryRun}`);
      silent(await restore({ unit: 'site1', policy, paths: ['shadow/home'], to, dryRun }, sandbox.context));
    }
  });

  it('is what it may open by an ACL, and was closed when it was closed once', async () => {
    const file = join(sandbox.shadow, 'home/admin1/of-root');
    await execa('setfacl', ['-m', `u:${ALICE}:r`, file]);
    chmodSync(join(sandbox.shadow, 'home/admin1/closed'), 0o755);
    await sandbox.back();
    const now = paths((await ls({ unit: 'site1', policy, folder: 'shadow/home/admin1' }, sandbox.context)).entries);
    expect(now).to.include('shadow/home/admin1/of-root').and.to.include('shadow/home/admin1/closed');
    const found = paths((await find({ unit: 'site1', policy, pattern: 'within' }, sandbox.context)).found);
    expect(found, 'it was closed in an earlier snapshot').to.deep.equal([]);
  });

  it('is nothing of other units, not even that they are damaged', async () => {
    const other = sandbox.addAccount('site2');
    writeFileSync(join(other, 'file'), 'x');
    await run({}, sandbox.context);
    const [unit] = (await execa('find', [sandbox.repository, '-path', '*site2*', '-name', 'unit.json'])).stdout.split('\n');
    expect(readFileSync(unit!, 'utf8')).to.contain('site2');
    writeFileSync(unit!, 'broken');
    sandbox.log.length = 0;
    const { context } = sandbox;
    await list({ unit: 'site1', policy }, context);
    await ls({ unit: 'site1', policy, folder: 'shadow' }, context);
    await verify({ unit: 'site1', policy }, context);
    await restore({ unit: 'site1', policy, dryRun: true }, context);
    expect(sandbox.log).to.deep.equal([]);
    await list({}, context);
    expect(JSON.stringify(sandbox.log), 'the administrator hears of it').to.contain('site2');
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { find } from '../../core/commands/find.ts';
import { list } from '../../core/commands/list.ts';
import { ls } from '../../core/commands/ls.ts';
import { prune } from '../../core/commands/prune.ts';
import { METHODS } from '../../core/commands/registry.ts';
import { verify } from '../../core/commands/verify.ts';
import { loadUsableSettings } from '../../core/config/settings.ts';
import type { Notice } from '../../core/context/notice.ts';
import { openContext } from '../../core/context/open-context.ts';
import type { MethodName } from '../../core/schemas/messages.ts';
import { failureOf } from '../failure-of.ts';
import { Sandbox } from './sandbox.ts';

describe('what frees or rescues', () => {
  let sandbox: Sandbox;
  let mounted: string[];

  beforeEach(async () => {
    sandbox = new Sandbox();
    mounted = [];
    await sandbox.init();
    for (let number = 0; number < 3; number++) {
      writeFileSync(join(sandbox.shadow, 'file'), `content ${number}`);
      await sandbox.back('full');
    }
  });

  afterEach(async () => {
    for (const place of mounted) execFileSync('umount', [place]);
    await sandbox.remove();
  });

  function mountReadOnly(place: string): void {
    execFileSync('mount', ['--bind', place, place]);
    mounted.push(place);
    execFileSync('mount', ['-o', 'remount,ro,bind', place]);
  }

  async function expectReadable(): Promise<void> {
    expect(await sandbox.differences()).to.deep.equal([]);
    expect(await verify({}, sandbox.context)).to.include({ status: 'ok' });
    expect((await list({}, sandbox.context)).snapshots).to.have.length(3);
    expect((await ls({ unit: 'site1' }, sandbox.context)).entries).to.have.length(2);
    expect((await find({ unit: 'site1', pattern: 'file' }, sandbox.context)).found).to.have.length(1);
  }

  it('reads and gives back with a read-only repository and a read-only state', async () => {
    mountReadOnly(sandbox.repository);
    mountReadOnly(sandbox.stateDirectory);
    await expectReadable();
  });

  it('reads and gives back without a state, also where none can be made', async () => {
    const parent = join(sandbox.folder, 'readonly');
    mkdirSync(parent);
    mountReadOnly(parent);
    sandbox.set('stateDirectory', join(parent, 'state'));
    await expectReadable();
  });

  it('deletes with a read-only state', async () => {
    sandbox.set('retention', { keepLast: 0, guardShare: 1 });
    mountReadOnly(sandbox.stateDirectory);
    expect((await prune({}, sandbox.context)).units[0]).to.include({ status: 'ok', deleted: 2 });
  });

  it('deletes, and gives back elsewhere, on a full disk', async () => {
    const disk = join(sandbox.folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
    mounted.push(disk);
    execFileSync('cp', ['-a', sandbox.repository, sandbox.stateDirectory, disk]);
    sandbox.set('repository', join(disk, 'repository'));
    sandbox.set('stateDirectory', join(disk, 'state'));
    sandbox.set('retention', { keepLast: 0, guardShare: 1 });
    execFileSync('sh', ['-c', `cat /dev/zero > ${disk}/filler 2>/dev/null || true`]);
    expect(await sandbox.differences()).to.deep.equal([]);
    expect((await prune({}, sandbox.context)).units[0]).to.include({ status: 'ok', deleted: 2 });
  });

  const WRONG: readonly object[] = [
    { exclude: 'cache/' },
    { exclude: [''] },
    { exclude: ['*.[oa'] },
    { retention: { keepDaily: -1 } },
    { schedule: { maxFullAge: 'soon' } },
    { limits: { load: 0, workers: 'all' } },
    { readBack: 'yes' },
    { includeSubvolumes: null },
    { exlude: ['cache/'] },
    {
      copies: [
        { name: 'a', repository: '/srv/x' },
        { name: 'b', repository: '/srv/x/y' },
      ],
    },
  ];
  for (const wrong of WRONG) {
    it(`reads and gives back with ${JSON.stringify(wrong)} in the settings, says so, and deletes by no patterns that it cannot tell`, async () => {
      writeFileSync(join(sandbox.shadow, 'new'), 'x');
      const written = JSON.parse(readFileSync(sandbox.settingsFile, 'utf8'));
      writeFileSync(sandbox.settingsFile, JSON.stringify({ ...written, ...wrong }));
      const isPattern = JSON.stringify(wrong).includes('[oa');
      const log: Notice[] = [];
      const reporter = { progress: () => {}, log: (line: Notice) => void log.push(line) };
      const ask = async (method: MethodName, request: object) => {
        const context = openContext(sandbox.settingsFile, reporter, new AbortController().signal, method);
        return METHODS.get(method)?.perform(request, context) as Promise<Record<string, unknown>>;
      };
      const [newest] = ((await ask('list', { unit: 'site1' })).snapshots as { id: string }[]).slice(-1);
      await ask('ls', { unit: 'site1' });
      await ask('find', { unit: 'site1', pattern: 'file' });
      await ask('history', { unit: 'site1', path: 'shadow/file' });
      await ask('diff', { unit: 'site1', live: true });
      await ask('plan', { unit: 'site1', paths: [] });
      await ask('hold', { snapshot: newest?.id, reason: 'why' });
      await ask('release', { snapshot: newest?.id });
      await ask('servers', {});
      expect(await ask('verify', {})).to.include({ status: 'ok' });
      expect(await ask('restore', { unit: 'site1', delete: true })).to.include({ failed: 0, deleted: 'exclude' in wrong ? 0 : 1 });
      expect(log.every(({ code, level }) => code === 'invalid_settings' && level === 'warning')).to.equal(true);
      expect(log.map(({ message }) => message).join()).to.contain(isPattern ? '[oa' : Object.keys(wrong)[0]);
      // What backs up or deletes by the settings does neither while they are wrong. (A pattern says nothing of what is deleted.)
      for (const method of isPattern ? (['run'] as const) : (['run', 'prune'] as const)) {
        expect((await failureOf(() => ask(method, { units: [] }))).code).to.equal('invalid_settings');
      }
    });
  }

  it('does not take a wrong place for another', async () => {
    const written = JSON.parse(readFileSync(sandbox.settingsFile, 'utf8'));
    for (const [wrong, named] of [
      [{ repository: 'backups', exclude: 1 }, '/repository'],
      [{ accountsRoots: '/srv/virtual' }, '"accountsRoots"'],
    ] as const) {
      writeFileSync(sandbox.settingsFile, JSON.stringify({ ...written, ...wrong }));
      expect((await failureOf(async () => loadUsableSettings(sandbox.settingsFile))).message).to.contain(named);
    }
  });
});

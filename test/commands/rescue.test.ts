import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { find } from '../../core/commands/find.ts';
import { list } from '../../core/commands/list.ts';
import { ls } from '../../core/commands/ls.ts';
import { prune } from '../../core/commands/prune.ts';
import { verify } from '../../core/commands/verify.ts';
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
});

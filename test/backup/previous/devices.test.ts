import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { diff } from '../../../core/commands/diff.ts';
import { Sandbox } from '../../commands/sandbox.ts';

function sh(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' }).trim();
}

describe('a file system that comes back with another device number', function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let loops: string[];
  let mounts: string[];

  beforeEach(async () => {
    sandbox = new Sandbox();
    loops = [];
    mounts = [];
    await sandbox.init();
  });

  afterEach(async () => {
    for (const place of mounts.reverse()) execFileSync('umount', ['-l', place]);
    for (const loop of loops) execFileSync('losetup', ['-d', loop]);
    await sandbox.remove();
  });

  function image(name: string, type: string): string {
    const file = join(sandbox.folder, name);
    writeFileSync(file, '');
    truncateSync(file, 400 * 1024 * 1024);
    sh(`mkfs.${type}`, '-q', file);
    return file;
  }

  function attach(file: string, device = '-f'): string {
    const loop = sh('losetup', ...(device === '-f' ? ['-f', '--show', file] : [device, file])) || device;
    loops.push(loop);
    return loop;
  }

  function detach(loop: string): void {
    sh('losetup', '-d', loop);
    loops.splice(loops.indexOf(loop), 1);
  }

  function mount(device: string, place: string, ...options: readonly string[]): void {
    mkdirSync(place, { recursive: true });
    sh('mount', ...options, device, place);
    mounts.push(place);
  }

  function unmount(place: string): void {
    sh('umount', place);
    mounts.splice(mounts.indexOf(place), 1);
  }

  function fill(folder: string): void {
    mkdirSync(join(folder, 'home'), { recursive: true });
    for (let number = 0; number < 50; number++) writeFileSync(join(folder, 'home', String(number)), `file ${number}`);
    linkSync(join(folder, 'home/1'), join(folder, 'home/second name'));
  }

  for (const type of ['ext4', 'xfs', 'btrfs']) {
    it(`is the same ${type}: nothing has changed, nothing is read, what changes is still one file`, async () => {
      const file = image('disk.img', type);
      const first = attach(file);
      mount(first, sandbox.shadow);
      fill(sandbox.shadow);
      await sandbox.back('full');
      const before = statSync(sandbox.shadow).dev;

      // Keeps the number of the first device, for another file system.
      unmount(sandbox.shadow);
      const others = image('other.img', 'ext4');
      if (type === 'btrfs') mount(attach(others), join(sandbox.folder, 'elsewhere'));
      detach(first);
      const second = attach(others, first);
      mount(attach(file), sandbox.shadow);
      if (type !== 'btrfs') {
        mount(second, join(sandbox.folder, 'elsewhere'));
        expect(statSync(sandbox.shadow).dev).to.not.equal(before);
        expect(statSync(join(sandbox.folder, 'elsewhere')).dev).to.equal(before);
      }

      const live = await diff({ unit: 'site1', live: true }, sandbox.context);
      expect(live.differences).to.deep.equal([]);
      expect(await sandbox.back('incremental')).to.include({ status: 'unchanged', bytesRead: 0 });

      unlinkSync(join(sandbox.shadow, 'home/second name'));
      linkSync(join(sandbox.shadow, 'home/2'), join(sandbox.shadow, 'home/another name'));
      expect(await sandbox.back('incremental')).to.include({ status: 'ok' });
      expect(await sandbox.differences()).to.deep.equal([]);
      expect(await sandbox.back('differential')).to.include({ status: 'unchanged' });
      expect(await sandbox.differences()).to.deep.equal([]);
    });
  }

  for (const type of ['ext4', 'xfs']) {
    it(`is the same ${type} under a new id, as a copy by blocks has it: nothing is read`, async () => {
      const file = image('disk.img', type);
      const loop = attach(file);
      mount(loop, sandbox.shadow);
      mkdirSync(join(sandbox.shadow, 'folder'));
      fill(join(sandbox.shadow, 'folder'));
      await sandbox.back('full');
      unmount(sandbox.shadow);
      if (type === 'xfs') sh('xfs_admin', '-U', 'generate', loop);
      else sh('tune2fs', '-f', '-U', 'random', loop);
      mount(loop, sandbox.shadow);

      expect(await sandbox.back('incremental')).to.include({ bytesRead: 0, changed: 0 });
      writeFileSync(join(sandbox.shadow, 'folder/new'), 'new');
      expect(await sandbox.back('incremental')).to.include({ status: 'ok', bytesRead: 3 });
      expect(await sandbox.back('differential')).to.include({ status: 'unchanged' });
      expect(await sandbox.differences()).to.deep.equal([]);
    });
  }

  it('is told from another one that has its number now', async () => {
    const files = [image('a.img', 'ext4'), image('b.img', 'ext4')] as const;
    const first = attach(files[0]);
    mount(first, sandbox.shadow);
    fill(sandbox.shadow);
    await sandbox.back('full');
    const number = statSync(sandbox.shadow).dev;
    unmount(sandbox.shadow);
    detach(first);

    mount(attach(files[1], first), sandbox.shadow);
    expect(statSync(sandbox.shadow).dev).to.equal(number);
    fill(sandbox.shadow);
    writeFileSync(join(sandbox.shadow, 'home/1'), 'of another disk');
    const outcome = await sandbox.back('incremental');
    expect(outcome).to.include({ status: 'ok' });
    expect(outcome.changed).to.be.greaterThan(50);
    expect(await sandbox.differences()).to.deep.equal([]);
  });
});

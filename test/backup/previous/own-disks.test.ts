import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { restore } from '../../../core/commands/restore.ts';
import { Sandbox } from '../../commands/sandbox.ts';

/** What fusermount, which is set-uid, does for a tenant. */
const MAY_MOUNT = ['--inh-caps=+dac_override,+sys_admin', '--ambient-caps=+dac_override,+sys_admin'];

describe('an account that does not lie on one file system', function () {
  this.timeout(120_000);
  let server: Sandbox;
  let mounts: string[];

  beforeEach(async () => {
    server = new Sandbox();
    mounts = [];
    mkdirSync(join(server.shadow, 'home/u'), { recursive: true });
    writeFileSync(join(server.shadow, 'home/u/index.html'), 'good');
    await server.init();
  });

  afterEach(async () => {
    for (const mount of mounts.reverse()) execFileSync('umount', [mount]);
    await server.remove();
  });

  function mount(args: readonly string[], at: string): void {
    execFileSync('mount', [...args, at], { stdio: 'ignore' });
    mounts.push(at);
  }

  /** Gives `folder` a file system of its own with what is in it; false where it cannot be mounted. */
  function moveToDisk(folder: string, type: 'ext4' | 'btrfs'): boolean {
    const image = join(server.folder, `${type}.img`);
    writeFileSync(image, '');
    truncateSync(image, 300 * 1024 * 1024);
    execFileSync(`mkfs.${type}`, ['-q', image]);
    const old = `${folder}.old`;
    renameSync(folder, old);
    mkdirSync(folder);
    try {
      mount(['-o', 'loop', image], folder);
    } catch {
      return false;
    }
    cpSync(old, folder, { recursive: true });
    rmSync(old, { recursive: true });
    return true;
  }

  const page = (): string => readFileSync(join(server.shadow, 'home/u/index.html'), 'utf8');

  async function restoreAll(newer = 2): Promise<void> {
    writeFileSync(join(server.shadow, 'home/u/index.html'), 'hacked');
    writeFileSync(join(server.shadow, 'home/u/newer'), '');
    writeFileSync(join(server.site, 'info/newer'), '');
    const foreseen = await restore({ unit: 'site1', delete: true, dryRun: true }, server.context);
    const done = await restore({ unit: 'site1', delete: true }, server.context);
    expect(done.warnings).to.deep.equal([]);
    expect(done.status).to.equal('ok');
    expect(page()).to.equal('good');
    expect(existsSync(join(server.shadow, 'home/u/newer'))).to.equal(false);
    for (const key of ['written', 'unchanged', 'deleted', 'failed'] as const) expect(foreseen[key], key).to.equal(done[key]);
    expect(done.deleted).to.equal(newer);
    for (const root of [server.shadow, join(server.site, 'info')]) {
      expect(readdirSync(root).filter((name) => name.startsWith('.'))).to.deep.equal([]);
    }
  }

  it('is backed up and restored in place where shadow is a disk of its own', async function () {
    if (!moveToDisk(server.shadow, 'ext4')) this.skip();
    expect((await server.back()).status).to.equal('ok');
    await restoreAll();
  });

  it('is so where shadow and info are bound, mounted account or not', async () => {
    for (const root of ['shadow', 'info']) {
      renameSync(join(server.site, root), join(server.folder, root));
      mkdirSync(join(server.site, root));
      mount(['--bind', join(server.folder, root)], join(server.site, root));
    }
    expect((await server.back()).status).to.equal('ok');
    await restoreAll();
    for (const folder of ['fst', 'work', 'template']) mkdirSync(join(server.site, folder));
    // The work folder has to lie where the upper one is.
    mkdirSync(join(server.folder, 'overlay-work'));
    const layers = `lowerdir=${join(server.site, 'template')},upperdir=${join(server.folder, 'shadow')}`;
    mount(['-t', 'overlay', 'overlay', '-o', `${layers},workdir=${join(server.folder, 'overlay-work')}`], join(server.site, 'fst'));
    await restoreAll();
  });

  it('has its subvolumes left out and named, or with the setting backed up and restored in place', async function () {
    if (!moveToDisk(server.shadow, 'btrfs')) this.skip();
    const volume = join(server.shadow, 'home/u/projects');
    execFileSync('btrfs', ['subvolume', 'create', volume], { stdio: 'ignore' });
    mkdirSync(join(volume, 'deep'));
    writeFileSync(join(volume, 'deep/thesis'), 'a year of work');
    for (let night = 0; night < 2; night++) {
      const { status, warnings } = await server.back();
      expect([status, ...warnings.map(({ code, path }) => `${code} ${path}`)]).to.deep.equal([
        'partial',
        'mount_skipped shadow/home/u/projects',
      ]);
    }
    server.set('includeSubvolumes', true);
    expect(await server.back()).to.include({ status: 'ok', warningCount: 0 });
    expect((await server.back()).status).to.equal('unchanged');
    expect(await server.differences()).to.deep.equal([]);
    writeFileSync(join(volume, 'deep/thesis'), 'lost');
    writeFileSync(join(volume, 'newer'), '');
    await restoreAll(3);
    expect(readFileSync(join(volume, 'deep/thesis'), 'utf8')).to.equal('a year of work');
    expect(readdirSync(volume)).to.deep.equal(['deep']);
  });

  it("has a tenant's FUSE mount left out and named, the same each time, and restored around", async function () {
    const at = join(server.shadow, 'home/u/drive');
    mkdirSync(at);
    mkdirSync(join(server.folder, 'elsewhere'));
    for (const folder of [at, join(server.folder, 'elsewhere')]) execFileSync('chown', ['1001:1001', folder]);
    execFileSync('chmod', ['711', server.folder]);
    await server.back();
    const started = spawnSync('setpriv', [
      '--reuid=1001',
      '--regid=1001',
      '--clear-groups',
      ...MAY_MOUNT,
      'bindfs',
      '--no-allow-other',
      join(server.folder, 'elsewhere'),
      at,
    ]);
    if (started.status !== 0) this.skip();
    mounts.push(at);
    try {
      for (let night = 0; night < 3; night++) {
        const { status, warnings, deleted } = await server.back('incremental');
        expect([status, deleted, ...warnings.map(({ code, path }) => `${code} ${path}`)]).to.deep.equal([
          ...['partial', 0],
          'mount_skipped shadow/home/u/drive',
        ]);
      }
      writeFileSync(join(server.shadow, 'home/u/index.html'), 'hacked');
      const { deleted, failed, warnings } = await restore({ unit: 'site1', delete: true }, server.context);
      expect({ deleted, failed }).to.deep.equal({ deleted: 0, failed: 1 });
      expect(warnings.map(({ path }) => path)).to.include('shadow/home/u/drive');
      expect(page()).to.equal('good');
    } finally {
      await execa('umount', ['-l', mounts.pop() as string]);
    }
  });
});

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa, execaSync } from 'execa';
import { ROOT } from '../program.ts';
import { installPanel } from '../stand-in-panel/install.ts';
import { mountOwnDevices } from './own-devices.ts';

const SLOW = process.env.SLOW === '1';
/** A folder with the root of an EL8 or EL9, where one can be had. Without it the oldest Debian of the archives is fetched: C library 2.31, PHP 7.4. */
const { EL_ROOT } = process.env;
const OLDEST = ['--variant=minbase', '--include=php-cli,cron,libatomic1', 'bullseye'];
const PROGRAM = '/usr/libexec/apiscp-backup/apiscp-backup';
/** Calls of Linux that came after 4.18, which EL8 has. */
const NEWER =
  'clone3,close_range,openat2,faccessat2,pidfd_open,pidfd_send_signal,epoll_pwait2,io_uring_setup,process_madvise,mount_setattr';

(SLOW ? describe : describe.skip)('in the root of an old system', function () {
  this.timeout(600_000);
  let folder: string;
  let root: string;
  const mounts: string[] = [];
  const mount = (...args: string[]) => {
    execaSync('mount', args);
    mounts.push(args.at(-1) as string);
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'old-root-'));
    root = join(folder, 'root');
    if (EL_ROOT === undefined) execaSync('debootstrap', [...OLDEST, root]);
    else {
      mount('-t', 'tmpfs', 'old-root', folder);
      for (const name of ['upper', 'work', 'root']) mkdirSync(join(folder, name));
      mount('-t', 'overlay', 'overlay', '-o', `lowerdir=${EL_ROOT},upperdir=${folder}/upper,workdir=${folder}/work`, root);
    }
    mkdirSync(join(root, 'proc'), { recursive: true });
    mount('--bind', '/proc', join(root, 'proc'));
    mountOwnDevices(join(root, 'dev'));
    mounts.push(join(root, 'dev'));
    mkdirSync(join(root, 'source/dist'), { recursive: true });
    for (const name of ['php-module', 'scopes', 'packaging', 'dist/apiscp-backup'])
      cpSync(join(ROOT, name), join(root, 'source', name), { recursive: true });
    for (const name of ['shadow/var/www', 'info/current']) mkdirSync(join(root, 'home/virtual/site1', name), { recursive: true });
    writeFileSync(join(root, 'home/virtual/site1/info/current/siteinfo'), '[DEFAULT]\ndomain = example.test\nadmin_user = admin\n');
    mkdirSync(join(root, 'etc/apiscp-backup'), { recursive: true, mode: 0o700 });
    // No database server is in here.
    writeFileSync(join(root, 'etc/apiscp-backup/config.json'), '{"databases": {"method": "none"}}', { mode: 0o600 });
  });
  after(() => {
    for (const place of mounts.reverse()) execaSync('umount', ['-l', place], { reject: false });
    rmSync(folder, { recursive: true, force: true });
  });

  const file = () => join(root, 'home/virtual/site1/shadow/var/www/file');
  const run = async (command: string, ...args: string[]) => {
    const ended = await execa('chroot', [root, command, ...args], {
      reject: false,
      extendEnv: false,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    expect(ended.exitCode, `${command} ${args.join(' ')}: ${ended.stdout} ${ended.stderr}`).to.be.oneOf([0, 3]);
    return ended.stdout;
  };

  it('makes a backup and restores it, also where newer calls of the kernel are refused', async () => {
    const program = '/source/dist/apiscp-backup';
    await run(program, 'init');
    for (const refused of [[], ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${NEWER}`, '-e', `inject=${NEWER}:error=ENOSYS`]]) {
      writeFileSync(file(), `content ${refused.length}`);
      const started = (...args: string[]) =>
        execa([...refused, 'chroot'][0] as string, [...refused, 'chroot'].slice(1).concat(root, program, ...args));
      await started('run');
      rmSync(file());
      await started('restore', 'site1');
      expect(readFileSync(file(), 'utf8')).to.equal(`content ${refused.length}`);
      await started('verify');
    }
  });

  it('is installed there, and works through the panel', async function () {
    if (!existsSync(join(root, 'usr/bin/php'))) this.skip();
    const home = '/usr/local/apnscp';
    const { cpcmd } = installPanel({
      home: join(root, home),
      accountsRoot: '/home/virtual',
      core: PROGRAM,
      settingsFile: '/etc/apiscp-backup/config.json',
    });
    for (const name of ['apiscp-backup', 'boot.php']) rmSync(join(root, home, 'config/custom', name), { recursive: true });
    expect(await run('/source/packaging/install')).to.contain('put version');
    expect(await run('/source/packaging/install')).to.equal('everything is as it should be');
    const panel = async (...args: string[]) => JSON.parse(await run(cpcmd.slice(root.length), '-o', 'json', ...args));
    const wrong = (await panel('backup:doctor')).checks.filter(({ result }: { result: string }) => result === 'problem');
    expect(wrong.filter(({ check }: { check: string }) => check !== 'space')).to.deep.equal([]);
    writeFileSync(file(), 'of the panel');
    expect(await panel('backup:run', 'all')).to.include({ status: 'ok' });
    rmSync(file());
    expect(await panel('backup:restore', 'site1', '[shadow/var/www]')).to.include({ status: 'ok' });
    expect(readFileSync(file(), 'utf8')).to.equal('of the panel');
    await run('/usr/libexec/apiscp-backup/packaging/install', '--uninstall');
    expect(existsSync(join(root, PROGRAM))).to.equal(false);
    expect(existsSync(join(root, 'var/backups/apiscp-backup/repository.json'))).to.equal(true);
  });
});

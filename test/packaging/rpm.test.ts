import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { PROGRAM } from '../../core/version.ts';
import { ROOT } from '../program.ts';
import { StandInRoot } from './stand-in-root.ts';

/** The newest symbol versions that EL8 has, by the library's prefix. */
const EL8 = { GLIBC_: '2.28', GLIBCXX_: '3.4.25', CXXABI_: '1.3.11' };

const SLOW = process.env.SLOW === '1';

const PACKAGE = `/apiscp-backup-${PROGRAM.version}-1.x86_64.rpm`;

const isNewer = (version: string, than: string) => version.localeCompare(than, 'en', { numeric: true }) > 0;

describe('the RPM', () => {
  let server: StandInRoot;
  before(async () => {
    server = new StandInRoot();
    await execa(join(ROOT, 'packaging/build-rpm'));
    const [rpm] = globSync(join(ROOT, 'dist/*.rpm'));
    copyFileSync(rpm as string, server.at(PACKAGE));
    rmSync(rpm as string);
  });
  after(() => server.remove());

  const rpm = (...args: string[]) => server.run('rpm', ...args, '--dbpath', '/var/lib/rpm-of-test', '--nodeps', '--noplugins');

  it('says what is in it, and rpmlint finds nothing that is not explained', async () => {
    const { stdout: provides } = await server.run('rpm', '-qp', '--provides', PACKAGE);
    const bundled = readFileSync(join(ROOT, 'dist/bundled-packages'), 'utf8').trim().split('\n');
    expect(bundled).to.have.length.above(50);
    for (const line of bundled) {
      const [name, version] = line.split(' ') as [string, string];
      expect(provides).to.contain(`bundled(${name === 'node' ? 'nodejs' : `nodejs-${name}`}) = ${version.replace('-', '~')}\n`);
    }
    for (const library of ['ssh2', 'mysql2', 'pg', 'koffi', '@aws-sdk/client-s3', 'execa'])
      expect(provides).to.contain(`(nodejs-${library})`);
    const notices = readFileSync(join(ROOT, 'dist/THIRD-PARTY-NOTICES'), 'utf8');
    for (const line of bundled) expect(notices).to.contain(`\n${line}\n`);
    // To read the package itself takes long.
    const read = SLOW ? [server.at(PACKAGE)] : [];
    const lint = await execa('rpmlint', ['-r', 'packaging/rpmlintrc', 'packaging/apiscp-backup.spec', ...read], {
      cwd: ROOT,
      reject: false,
    });
    // Without the package its filters are not used.
    const found = lint.stdout.split('\n').filter((line) => /: [EW]: /.test(line) && (SLOW || !line.includes('unused-rpmlintrc-filter')));
    expect(found).to.deep.equal([]);
  });

  it('asks for nothing that EL8 does not have', async () => {
    const parts = ['dist/apiscp-backup', 'dist/xattr.node', 'dist/koffi.node'].map((part) => join(ROOT, part));
    const { stdout } = await execa('objdump', ['-T', ...parts], { maxBuffer: 1e9 });
    for (const [prefix, newest] of Object.entries(EL8)) {
      const versions = [...stdout.matchAll(new RegExp(`\\b${prefix}([\\d.]+)`, 'g'))].map(([, version]) => version as string);
      expect(versions).not.to.have.length(0);
      expect(versions.filter((version) => isNewer(version, newest))).to.deep.equal([]);
    }
    const { stdout: requires } = await server.run('rpm', '-qp', '--requires', PACKAGE);
    expect(requires).to.contain('libatomic.so.1()(64bit)').and.to.contain('libstdc++.so.6');
  });

  it('installs what works: a night, the doctor through the panel; and leaves backups and settings when it goes', async () => {
    mkdirSync(server.at('/run/systemd/system'), { recursive: true });
    for (const folder of ['shadow', 'info/current']) mkdirSync(server.at(`/home/virtual/site1/${folder}`), { recursive: true });
    server.write('/home/virtual/site1/info/current/siteinfo', '[DEFAULT]\ndomain = example.test\n');
    server.write('/home/virtual/site1/shadow/file', 'content');
    // No database server is in here.
    server.write('/etc/apiscp-backup/config.json', '{"databases": {"method": "none"}}', 0o600);
    // It takes the place of what the installer put there, whose units would go before the package's.
    await server.install('--no-init');
    const { stderr, exitCode } = await rpm('-i', PACKAGE);
    expect(server.has('/usr/local/lib/systemd/system/apiscp-backup.timer')).to.equal(false);
    expect(stderr).not.to.contain('scriptlet failed');
    expect(exitCode).to.equal(0);
    const night = await server.run('apiscp-backup', 'nightly', '--now', '--json');
    expect(JSON.parse(night.stdout).steps[0]).to.include({ step: 'run', status: 'ok' });
    const doctor = await server.run(`${server.panel}/bin/cpcmd`, '-o', 'json', 'backup:doctor');
    const wrong = JSON.parse(doctor.stdout).checks.filter(({ result }: { result: string }) => result === 'problem');
    // Nobody fires the timer here, and the disk of the machine may be full.
    expect(
      wrong.map(({ check }: { check: string }) => check).filter((check: string) => check !== 'schedule' && check !== 'space'),
    ).to.deep.equal([]);
    const status = await server.run(`${server.panel}/bin/cpcmd`, '-o', 'json', 'backup:status');
    expect(JSON.parse(status.stdout).coverage).to.deep.include({ withoutBackup: [], vanished: [] });
    expect(server.has('/etc/systemd/system/timers.target.wants/apiscp-backup.timer')).to.equal(true);
    writeFileSync(server.at('/etc/apiscp-backup/config.json'), '{"enabled": false}');
    await server.run('systemctl', 'disable', 'apiscp-backup.timer');
    rmSync(server.at(`${server.custom}/apiscp-backup`));
    // As an upgrade does it: what is lost is mended, and what somebody decided stays.
    expect((await rpm('-U', '--replacepkgs', PACKAGE)).exitCode).to.equal(0);
    expect(server.has(`${server.custom}/apiscp-backup/php-module/boot.php`)).to.equal(true);
    expect(server.read('/etc/apiscp-backup/config.json')).to.equal('{"enabled": false}');
    expect(server.has('/etc/systemd/system/timers.target.wants/apiscp-backup.timer')).to.equal(false);
    expect((await rpm('-e', 'apiscp-backup')).exitCode).to.equal(0);
    expect(server.read('/etc/apiscp-backup/config.json')).to.equal('{"enabled": false}');
    expect(server.has('/var/backups/apiscp-backup/repository.json')).to.equal(true);
    for (const gone of [`${server.custom}/apiscp-backup`, '/usr/libexec/apiscp-backup', '/usr/local/sbin/apiscp-backup'])
      expect(server.has(gone), gone).to.equal(false);
    expect(readFileSync(server.at(`${server.custom}/boot.php`), 'utf8')).not.to.contain('apiscp-backup');
    expect(server.has('/etc/systemd/system/timers.target.wants/apiscp-backup.timer')).to.equal(false);
  });
});

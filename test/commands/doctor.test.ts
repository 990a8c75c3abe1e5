import {
  chmodSync,
  chownSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { copy } from '../../core/commands/copy.ts';
import { doctor } from '../../core/commands/doctor.ts';
import { keys } from '../../core/commands/keys.ts';
import { nightlyWith } from '../../core/commands/nightly.ts';
import { METHODS } from '../../core/commands/registry.ts';
import { run } from '../../core/commands/run.ts';
import { openContext } from '../../core/context/open-context.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { accountEvent } from '../../core/jobs/account-event.ts';
import type { DoctorRequest, DoctorResult } from '../../core/schemas/doctor.ts';
import { PROGRAM } from '../../core/version.ts';
import { Sandbox } from './sandbox.ts';

const SCOPES = [
  'accounts',
  'copies',
  'databases',
  'destination',
  'enabled',
  'exclude',
  'include-subvolumes',
  'limits',
  'notify',
  'recovery',
  'retention',
  'schedule',
  'encryption',
  'self-service',
  's3',
  'sftp',
  'rclone',
].map((name) => `backups.${name}`);

describe('the doctor', () => {
  let server: Sandbox;
  beforeEach(async () => {
    server = new Sandbox();
    await server.init();
    await nightlyWith(run)({ now: true }, server.context);
    write('usr/local/apnscp/config/custom/boot.php', '<?php\n// >>> apiscp-backup\n');
    write('usr/local/apnscp/config/custom/apiscp-backup/php-module/boot.php', '<?php');
    write('usr/local/apnscp/config/custom/apiscp-backup/php-module/Backup_Module.php', `const VERSION = '${PROGRAM.version}';`);
    for (const name of HOOKS) hook(name);
    write('etc/cron.d/apiscp-backup', '');
    for (const name of ['var/lib/mysql/mysql-grants', 'var/log/mailer_table']) write(name, '');
  });
  afterEach(() => server.remove());

  const write = (path: string, text: string) => {
    mkdirSync(join(server.folder, path, '..'), { recursive: true });
    writeFileSync(join(server.folder, path), text);
  };
  const HOOKS = ['createDomain', 'deleteDomain'];
  const hook = (name: string) => {
    write(`usr/local/apnscp/config/custom/hooks/${name}.sh`, '#!/bin/bash\n# >>> apiscp-backup\n');
    chmodSync(join(server.folder, `usr/local/apnscp/config/custom/hooks/${name}.sh`), 0o755);
  };
  const context = () => {
    const opened = openContext(server.settingsFile, { progress: () => {}, log: () => {} }, new AbortController().signal, 'doctor');
    return Object.assign(opened, { now: server.now });
  };
  const found = async (request: DoctorRequest = {}) =>
    (await doctor(request, context())).checks.filter(({ result }) => result !== 'ok').map(({ check }) => check);
  /** Where tests lie, the repository is on the disk of the accounts, and a disk of the machine may be full. */
  const withoutSpace = async (request?: DoctorRequest) => (await found(request)).filter((check) => check !== 'space');

  it('finds nothing where nothing is wrong, and gives advice with everything else', async () => {
    expect(await withoutSpace({ module: PROGRAM.version, scopes: SCOPES })).to.deep.equal([]);
    for (const { result, advice } of (await doctor({}, context())).checks) expect(advice === null).to.equal(result === 'ok');
  });

  it('names a destination that is not there, and one that cannot be written to', async () => {
    execaSync('mount', ['--bind', server.repository, server.repository]);
    execaSync('mount', ['-o', 'remount,bind,ro', server.repository]);
    try {
      expect(await withoutSpace()).to.deep.equal(['destination']);
    } finally {
      execaSync('umount', [server.repository]);
    }
    rmSync(server.repository, { recursive: true });
    expect(await withoutSpace()).to.deep.equal(['destination']);
  });

  it('looks at each copy: not made yet, in order, read-only, gone, another repository', async () => {
    const place = join(server.folder, 'offsite');
    server.set('copies', [{ name: 'offsite', repository: place }]);
    const ofCopies = async () => (await doctor({}, context())).checks.filter(({ check }) => check === 'copy');
    const [first] = await ofCopies();
    expect(first).to.include({ result: 'ok' });
    expect(first!.message).to.contain('the first copy makes it');
    await copy({}, server.context);
    expect((await ofCopies())[0]).to.include({ result: 'ok', message: `the copy offsite: ${place} can be read and written to` });
    expect(await doctor({}, context()).then(({ checks }) => checks.map(({ message }) => message))).to.include(
      'the copy offsite is on the file system of the repository',
    );
    const names = globSync(join(place, '**'));
    execaSync('mount', ['--bind', place, place]);
    execaSync('mount', ['-o', 'remount,bind,ro', place]);
    try {
      expect((await ofCopies())[0]!.message).to.contain('cannot be written to (EROFS)');
    } finally {
      execaSync('umount', [place]);
    }
    expect(globSync(join(place, '**'))).to.deep.equal(names);
    renameSync(place, `${place}-away`);
    expect(await withoutSpace()).to.deep.equal(['copy']);
    expect((await ofCopies())[0]!.message).to.contain('and it was made before');
    const other = new Sandbox();
    try {
      await other.init();
      server.set('copies', [{ name: 'offsite', repository: other.repository }]);
      expect((await ofCopies())[0]!.message).to.contain('holds another repository');
    } finally {
      await other.remove();
    }
    server.set('copies', [{ name: 'offsite', repository: 'sftp:root@127.0.0.1:1:/nowhere', sftp: { knownHostsFile: '/none' } }]);
    expect((await ofCopies())[0]).to.include({ result: 'problem' });
  });

  it('says of a place where the repository was that it is not mounted, and not that another one should be made', async () => {
    const ofDestination = async () => (await doctor({}, context())).checks.find(({ check }) => check === 'destination')!;
    renameSync(server.repository, `${server.repository}-away`);
    for (const make of [() => {}, () => mkdirSync(server.repository)]) {
      make();
      const { message, advice } = await ofDestination();
      expect(message).to.match(/^there is no.*, where the repository [0-9a-f]{32} was$/);
      expect(advice).to.contain('Mount').and.contain('would begin another one');
    }
  });

  it('says what to do where root may not write', async () => {
    execaSync('chattr', ['+i', server.repository]);
    try {
      const [found] = (await doctor({}, context())).checks.filter(({ check }) => check === 'destination');
      expect(found!.message).to.contain('cannot be written to (EPERM)');
      expect(found!.advice).to.contain('no_root_squash').and.contain('chattr -i');
    } finally {
      execaSync('chattr', ['-i', server.repository]);
    }
  });

  it('names accounts on a file system without ACLs, and a process that may not read attributes in trusted', async () => {
    const [image, place] = [join(server.folder, 'image'), join(server.folder, 'virtual')];
    execaSync('truncate', ['-s', '120M', image]);
    execaSync('mkfs.btrfs', ['-q', '-M', image]);
    execaSync('mount', ['-o', 'loop,noacl', image, place]);
    try {
      const attributes = (await doctor({}, context())).checks.find(({ check }) => check === 'attributes')!;
      expect(attributes).to.include({ result: 'problem' });
      expect(attributes.message).to.contain('takes no ACLs');
      expect(attributes.advice).to.contain('Mount it with the option acl');
    } finally {
      execaSync('umount', [place]);
    }
    const program = [
      process.execPath,
      join(import.meta.dirname, '../../core/main.ts'),
      '--config',
      server.settingsFile,
      'doctor',
      '--json',
    ];
    const { stdout } = execaSync('setpriv', ['--bounding-set', '-sys_admin', '--inh-caps', '-all', ...program], { reject: false });
    const limited = (JSON.parse(stdout) as DoctorResult).checks.find(({ check }) => check === 'attributes')!;
    expect(limited).to.include({ result: 'problem' });
    expect(limited.advice).to.contain('CAP_SYS_ADMIN');
  });

  it('names a disk that is full', async () => {
    execaSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,nr_inodes=100', 'doctor', server.stateDirectory]);
    try {
      writeFileSync(join(server.stateDirectory, 'fill'), Buffer.alloc(63 * 1024));
      expect(await found()).to.include('space');
    } finally {
      execaSync('umount', [server.stateDirectory]);
    }
  });

  it('names a schedule that nothing starts, and one whose timer does not fire', async () => {
    rmSync(join(server.folder, 'etc/cron.d/apiscp-backup'));
    expect(await withoutSpace()).to.deep.equal(['schedule']);
    mkdirSync(join(server.folder, 'run/systemd/system'), { recursive: true });
    mkdirSync(join(server.folder, 'etc/systemd/system/timers.target.wants'), { recursive: true });
    symlinkSync('x', join(server.folder, 'etc/systemd/system/timers.target.wants/apiscp-backup.timer'));
    write('etc/systemd/system/timers.target.wants/x', '');
    expect(await withoutSpace()).to.include('telling');
    symlinkSync('x', join(server.folder, 'etc/systemd/system/timers.target.wants/apiscp-backup-watch.timer'));
    write('var/lib/systemd/timers/stamp-apiscp-backup.timer', '');
    expect(await withoutSpace()).to.deep.equal([]);
    for (const unit of ['etc/systemd/system/apiscp-backup.timer', 'run/systemd/system/apiscp-backup.service']) {
      symlinkSync('/dev/null', join(server.folder, unit));
      const schedule = (await doctor({}, context())).checks.find(({ check }) => check === 'schedule');
      expect(schedule?.message).to.contain('is masked');
      expect(schedule?.advice).to.contain(`systemctl unmask ${unit.split('/').at(-1)}`);
      rmSync(join(server.folder, unit));
    }
    utimesSync(join(server.folder, 'var/lib/systemd/timers/stamp-apiscp-backup.timer'), 1, 1);
    expect(await withoutSpace()).to.deep.equal(['schedule']);
  });

  it('names a module of another version, a panel that was not restarted, hidden Scopes, a module of the panel’s own, and lines that are lost', async () => {
    expect(await withoutSpace({ module: '0.0.1' })).to.deep.equal(['version']);
    expect(await withoutSpace({ scopes: SCOPES.slice(1) })).to.deep.equal(['scopes']);
    const files = globSync(join(import.meta.dirname, '../../scopes/*.php')).map((file) => readFileSync(file, 'utf8'));
    const all = files.flatMap((text) => /^\tconst SCOPE = '(backups\.[a-z0-9-]+)';$/m.exec(text)?.[1] ?? []);
    expect(all.sort()).to.deep.equal([...SCOPES].sort());
    const hidden = (await doctor({ scopes: [] }, context())).checks.find(({ check }) => check === 'scopes');
    for (const scope of all) expect(hidden!.message).to.contain(scope);
    write('usr/local/apnscp/lib/modules/backup.php', '<?php // the panel’s own module of this name');
    expect(await withoutSpace()).to.deep.equal(['panel']);
    rmSync(join(server.folder, 'usr/local/apnscp/lib'), { recursive: true });
    write('usr/local/apnscp/config/custom/boot.php', '<?php');
    write('usr/local/apnscp/config/custom/apiscp-backup/php-module/Backup_Module.php', "const VERSION = '9.9.9';");
    expect(await withoutSpace()).to.deep.equal(['panel', 'version']);
  });

  it('says by which ways the panel tells of accounts, when it did, and that none is there', async () => {
    const hooks = async (hooked?: boolean) =>
      (await doctor(hooked === undefined ? {} : { hooked }, context())).checks.find(({ check }) => check === 'hooks')!;
    expect(await hooks(false)).to.include({ result: 'ok' });
    expect((await hooks(false)).message).to.contain('scripts (not heard yet) and its module (this panel tells modules');
    server.set('accounts', { firstBackup: false });
    await accountEvent({ event: 'created', unit: 'site1' }, server.context, METHODS);
    expect((await hooks(true)).message).to.match(/scripts \(last heard 20.*\) and its module \(not heard yet\)/);
    chmodSync(join(server.folder, 'usr/local/apnscp/config/custom/hooks/deleteDomain.sh'), 0o644);
    expect(await withoutSpace()).to.deep.equal(['hooks']);
    expect((await hooks()).message)
      .to.contain('deleteDomain.sh')
      .and.to.not.contain('createDomain.sh');
    await accountEvent({ event: 'created', unit: 'site1', by: 'module' }, server.context, METHODS);
    expect(await hooks(true)).to.include({ result: 'ok' });
    // Where that cannot be kept, the account is backed up all the same.
    rmSync(join(server.stateDirectory, 'heard-events.json'));
    mkdirSync(join(server.stateDirectory, 'heard-events.json'));
    expect(await accountEvent({ event: 'created', unit: 'site1' }, server.context, METHODS)).to.include({ status: 'ok' });
    expect((await hooks(true)).message).to.contain('cannot be started');
  });

  it('names what keeps people from being told, and who can read the backups', async () => {
    server.set('notify', { mail: false });
    expect(await withoutSpace()).to.deep.equal(['telling']);
    server.set('notify', { webhooks: [{ url: join(server.folder, 'no-file') }] });
    expect(await withoutSpace()).to.deep.equal(['telling']);
    server.set('notify', { mail: true });
    expect(await withoutSpace()).to.deep.equal([]);
    writeFileSync(join(server.stateDirectory, 'problems.json'), '{"since":{},"told":null,"tries":1,"undelivered":{"mail":"no sendmail"}}');
    const { checks } = await doctor({}, context());
    expect(checks.find(({ check }) => check === 'telling')?.message).to.contain('mail: no sendmail');
    expect(checks.find(({ check }) => check === 'key')?.message).to.contain('not encrypted');
  });

  it('says where the key of the server is, and names one that is lost', async () => {
    await keys({ recipients: [(await newIdentity()).recipient], serverCanRead: true }, server.context);
    const ofKeys = async () => (await doctor({}, context())).checks.filter(({ check }) => check === 'key');
    const [file] = globSync(join(server.stateDirectory, '**/identities'));
    const [there, ...others] = await ofKeys();
    expect(there).to.include({ result: 'ok' });
    expect(there!.message).to.contain(file!);
    expect(others).to.deep.equal([]);
    for (const [mode, owner, text] of [
      [0o644, 0, 'is not root’s alone (mode 644)'],
      [0o600, 65534, 'belongs to the user 65534'],
    ] as const) {
      chmodSync(file!, mode);
      chownSync(file!, owner, 0);
      const [open] = await ofKeys();
      expect(open).to.include({ result: 'problem' });
      expect(open!.message).to.contain(file!).and.contain(text);
      expect(open!.advice).to.match(/^ch(mod|own) .*identities/);
    }
    rmSync(file!);
    expect(await withoutSpace()).to.deep.equal(['key']);
    expect((await ofKeys())[0]!.message).to.contain('this server cannot read its backups');
  });

  it('names settings that cannot be used, and looks at the rest', async () => {
    writeFileSync(server.settingsFile, JSON.stringify({ retention: 7, repository: server.repository, systemRoot: server.folder }));
    const { checks } = await doctor({}, context());
    expect(checks.filter(({ check, result }) => check === 'settings' && result === 'problem')).to.have.length(1);
    writeFileSync(server.settingsFile, 'not JSON');
    expect(await found()).to.deep.equal(['settings']);
  });

  it('names a clock that is behind what was recorded, and exports that are old', async () => {
    server.now = () => new Date(Date.now() - 3_600_000);
    expect(await withoutSpace()).to.include('clock');
    server.now = () => new Date();
    utimesSync(join(server.folder, 'var/log/mailer_table'), 1, 1);
    expect(await withoutSpace()).to.deep.equal(['exports']);
  });
});

import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { expect } from 'chai';
import { OTHERS_LINES, StandInRoot } from './stand-in-root.ts';

const PROGRAM = '/usr/libexec/apiscp-backup/apiscp-backup';
const DONE = 0;
const SOMETHING_LEFT = 3;

describe('the installer', () => {
  let server: StandInRoot;
  beforeEach(() => {
    server = new StandInRoot();
  });
  afterEach(() => server.remove());

  const versionOfModule = () => server.read(`${server.custom}/apiscp-backup/php-module/Backup_Module.php`).match(/VERSION = '(.*)'/)?.[1];
  const commands = () => server.run(`${server.panel}/bin/cpcmd`, 'misc:list-commands', 'backup:*');

  it('puts everything in its place, says what is left to do, and changes nothing the second time', async () => {
    const before = await server.inventory();
    const dry = await server.install('--dry-run');
    expect(dry.stdout).to.contain(`would write ${PROGRAM}`);
    expect(await server.inventory()).to.equal(before);
    const { exitCode, stderr } = await server.install();
    expect(stderr).to.equal('');
    // No systemd that could restart the panel.
    expect(exitCode).to.equal(SOMETHING_LEFT);
    expect(server.linkOf('/usr/local/sbin/apiscp-backup')).to.equal(PROGRAM);
    expect(server.read('/etc/cron.d/apiscp-backup')).to.contain(`${PROGRAM} nightly`);
    expect(server.has('/var/lib/apiscp-backup/repositories/one')).to.equal(true);
    expect((await server.run('stat', '-c', '%a %U', '/etc/apiscp-backup')).stdout).to.equal('700 root');
    const strange = await server.run('find', server.custom, '/usr/libexec/apiscp-backup', '-newer', '/source', '!', '-user', 'root');
    expect(strange.stdout).to.equal('');
    expect((await commands()).stdout).to.contain('backup:run');
    const after = await server.inventory();
    const again = await server.install();
    expect(again.stdout).to.equal('everything is as it should be');
    expect(again.exitCode).to.equal(DONE);
    expect(await server.inventory()).to.equal(after);
  });

  it('leaves what others wrote in boot.php, and adds its lines once, wherever that file ends', async () => {
    for (const others of [OTHERS_LINES, `${OTHERS_LINES}?>\n`, `${OTHERS_LINES}return;\n`, `${OTHERS_LINES}__halt_compiler(); rest`]) {
      server.write(`${server.custom}/boot.php`, others);
      await server.install();
      const boot = server.read(`${server.custom}/boot.php`);
      const lines = boot.match(/\/\/ >>> apiscp-backup[\s\S]*\/\/ <<< apiscp-backup\n/g) ?? [];
      expect(lines).to.have.length(1);
      expect(boot.replace(lines[0] as string, '').trimEnd()).to.equal(others.trimEnd());
      expect((await commands()).stdout, others).to.contain('backup:run');
      await server.install('--uninstall');
      expect(server.read(`${server.custom}/boot.php`).trimEnd()).to.equal(others.trimEnd());
    }
    expect((await server.run(`${server.panel}/bin/cpcmd`, 'misc:list-commands')).stdout).not.to.contain('backup:run');
  });

  it('begins behind what has to come first in boot.php', async () => {
    server.write(`${server.custom}/boot.php`, '<?php\ndeclare(strict_types=1);\n\nnamespace Others;\n\nuse Closure;\n');
    await server.install();
    expect(server.read(`${server.custom}/boot.php`)).to.match(/namespace Others;\n\/\/ >>> apiscp-backup/);
    expect((await commands()).stdout).to.contain('backup:run');
  });

  it('makes a boot.php where there is none, and takes it away again', async () => {
    rmSync(server.at(`${server.custom}/boot.php`));
    await server.install();
    expect((await commands()).stdout).to.contain('backup:run');
    await server.install('--uninstall');
    expect(server.has(`${server.custom}/boot.php`)).to.equal(false);
  });

  it('changes nothing at all where boot.php is broken, is no PHP, or is a link that leads nowhere', async () => {
    for (const [text, reason] of [
      [`${OTHERS_LINES}if (true) {\n`, 'broken already'],
      [`${OTHERS_LINES}/* not closed`, 'broken already'],
      ['root:x:0:0\n', 'does not begin with <?php'],
      [`${OTHERS_LINES}// >>> apiscp-backup\nfoo();\n`, 'do not stand in pairs'],
    ] as const) {
      server.write(`${server.custom}/boot.php`, text);
      const before = await server.inventory();
      const { exitCode, stderr } = await server.install();
      expect(stderr).to.contain(reason);
      expect(exitCode).to.equal(1);
      expect(await server.inventory()).to.equal(before);
    }
    rmSync(server.at(`${server.custom}/boot.php`));
    symlinkSync('/nowhere/boot.php', server.at(`${server.custom}/boot.php`));
    expect((await server.install()).stderr).to.contain('leads nowhere');
    expect(server.has(PROGRAM)).to.equal(false);
  });

  it('mends a boot.php that was cut inside of its own lines', async () => {
    await server.install();
    const whole = server.read(`${server.custom}/boot.php`);
    const from = whole.indexOf('// >>> apiscp-backup');
    server.write(`${server.custom}/boot.php`, whole.slice(0, from + 60));
    await server.install();
    expect((await commands()).stdout).to.contain('backup:run');
  });

  it('edits what a link names, and works where config/custom is a link', async () => {
    mkdirSync(server.at('/srv/panel'), { recursive: true });
    renameSync(server.at(server.custom), server.at('/srv/panel/custom'));
    symlinkSync('/srv/panel/custom', server.at(server.custom));
    renameSync(server.at('/srv/panel/custom/boot.php'), server.at('/srv/panel/others-boot.php'));
    symlinkSync('../others-boot.php', server.at('/srv/panel/custom/boot.php'));
    await server.install();
    expect(server.linkOf('/srv/panel/custom/boot.php')).to.equal('../others-boot.php');
    expect((await commands()).stdout).to.contain('backup:run');
    await server.install('--uninstall');
    expect(server.read('/srv/panel/others-boot.php')).to.equal(OTHERS_LINES);
  });

  it('cuts nothing where there is no room for temporary files', async () => {
    const hook = `${server.custom}/hooks/editDomain.sh`;
    server.write(hook, '#!/bin/sh\necho others\n', 0o755);
    await server.run('/bin/sh', '-c', 'mount -t tmpfs -o size=4k full /tmp && head -c 4096 /dev/zero >/tmp/fill');
    const { exitCode, stderr } = await server.install();
    await server.run('umount', '/tmp');
    expect(exitCode).to.equal(1);
    expect(stderr).to.contain('is there room in the folder for temporary files?').and.contain('What worked before still does');
    expect(server.read(`${server.custom}/boot.php`)).to.equal(OTHERS_LINES);
    expect(server.read(hook)).to.equal('#!/bin/sh\necho others\n');
    expect(server.has(PROGRAM)).to.equal(false);
  });

  it('works in strange surroundings, and goes without a trace of itself', async () => {
    const [folder, hooks] = ['/usr/libexec/apiscp-backup', `${server.custom}/hooks`];
    await server.run('install', '-d', '-m', '777', '-o', 'nobody', folder);
    await server.run('install', '-d', '-m', '755', '/etc/apiscp-backup');
    const others = OTHERS_LINES.replace('<?php\n', '<?php\n// >>> apiscp-backup-other\n// <<< apiscp-backup-other\n').replaceAll(
      '\n',
      '\r\n',
    );
    const boot = others.trimEnd();
    server.write(`${server.custom}/boot.php`, boot);
    // One script for several events, and one that is no script of a shell.
    server.write(`${hooks}/common`, '#!/bin/sh\n', 0o755);
    symlinkSync('common', server.at(`${hooks}/editDomain.sh`));
    server.write(`${hooks}/deleteDomain.sh`, '#!/usr/bin/env python3\nprint(1)\n', 0o755);
    server.write('/opt/mine', 'mine');
    symlinkSync('/opt/mine', server.at('/usr/local/sbin/apiscp-backup'));
    const { stdout, exitCode } = await server.run('/bin/sh', '-c', 'umask 077; exec /source/packaging/install');
    expect(exitCode).to.equal(SOMETHING_LEFT);
    expect(stdout)
      .to.match(/editDomain.sh is a link.*hooks\/account-hook created/)
      .and.match(/deleteDomain.sh is .*account-hook deleting/);
    expect(stdout).to.contain('/usr/local/sbin/apiscp-backup is somebody else');
    expect((await commands()).stdout).to.contain('backup:run');
    const weak = await server.run(
      'find',
      folder,
      `${server.custom}/.apiscp-backup`,
      '(',
      '!',
      '-user',
      'root',
      '-o',
      '!',
      '-perm',
      '-444',
      '-o',
      '-perm',
      '/022',
      ')',
    );
    expect(weak.stdout).to.equal('');
    await server.install('--uninstall');
    expect(server.read(`${server.custom}/boot.php`)).to.equal(boot);
    expect(readdirSync(server.at(hooks)).sort()).to.deep.equal(['common', 'deleteDomain.sh', 'editDomain.sh']);
    expect(server.read(`${hooks}/common`)).to.equal('#!/bin/sh\n');
    expect(server.linkOf('/usr/local/sbin/apiscp-backup')).to.equal('/opt/mine');
    expect(server.has(folder)).to.equal(false);
  });

  it('goes away also where boot.php cannot be edited any more, and leaves a file of somebody else on PATH', async () => {
    server.write('/usr/local/sbin/apiscp-backup', 'mine');
    await server.install();
    server.write(`${server.custom}/boot.php`, `${OTHERS_LINES}// <<< apiscp-backup\n`);
    const { stdout, exitCode } = await server.install('--uninstall');
    expect(exitCode).to.equal(SOMETHING_LEFT);
    expect(stdout).to.contain('boot.php was left as it was');
    expect(server.has(PROGRAM) || server.has(`${server.custom}/apiscp-backup`)).to.equal(false);
    expect(server.read('/usr/local/sbin/apiscp-backup')).to.equal('mine');
  });

  it('keeps owner and mode of a boot.php that is the panel’s', async () => {
    chmodSync(server.at(`${server.custom}/boot.php`), 0o640);
    await server.run('chown', '65534:65534', `${server.custom}/boot.php`);
    await server.install();
    expect((await server.run('stat', '-c', '%u:%g %a', `${server.custom}/boot.php`)).stdout).to.equal('65534:65534 640');
  });

  it('upgrades to a newer version, from what was copied by hand, too, and keeps settings and repository', async () => {
    mkdirSync(server.at(`${server.custom}/apiscp-backup/php-module`), { recursive: true });
    server.write(`${server.custom}/apiscp-backup/php-module/boot.php`, '<?php // 0.0.9');
    expect((await server.install('--upgrade')).stderr).to.contain('nothing is installed');
    await server.install();
    server.write('/etc/apiscp-backup/config.json', '{}', 0o600);
    server.write('/var/lib/apiscp-backup/repositories/one/server.json', 'kept');
    server.write('/usr/libexec/apiscp-backup/php-module/Former.php', '<?php // of 0.1.0');
    server.addSource('/next', '0.2.0');
    const { stdout } = await server.installFrom('/next', '--upgrade');
    expect(stdout).to.contain('version 0.2.0').and.not.to.contain('make the repository');
    expect(versionOfModule()).to.equal('0.2.0');
    expect((await server.run('apiscp-backup', '--version')).stdout).to.equal('0.2.0');
    expect(server.has('/usr/libexec/apiscp-backup/php-module/Former.php')).to.equal(false);
    expect(server.read('/etc/apiscp-backup/config.json')).to.equal('{}');
    expect(readdirSync(server.at(`${server.custom}/.apiscp-backup`))).to.have.length(2);
    const kept = readdirSync(server.at(server.custom)).find((name) => name.startsWith('.apiscp-backup.before-'));
    expect(server.read(`${server.custom}/${kept}/php-module/boot.php`)).to.contain('0.0.9');
    await server.run('/usr/libexec/apiscp-backup/packaging/install', '--uninstall');
    expect(server.has('/usr/libexec/apiscp-backup') || server.has(`${server.custom}/apiscp-backup`)).to.equal(false);
    expect(server.read('/etc/apiscp-backup/config.json')).to.equal('{}');
    expect(server.read('/var/lib/apiscp-backup/repositories/one/server.json')).to.equal('kept');
  });

  it('is there still when the panel’s own files are reset', async () => {
    await server.run(
      '/bin/sh',
      '-c',
      `cd ${server.panel} && git init -q && git add -A lib bin && git -c user.name=a -c user.email=a@b commit -qm panel`,
    );
    await server.install();
    const reset = `cd ${server.panel} && git reset -q --hard && git clean -qfdx -e /config/custom -e /resources/playbooks/addins`;
    await server.run('/bin/sh', '-c', reset);
    expect((await commands()).stdout).to.contain('backup:run');
    expect((await server.run('/usr/libexec/apiscp-backup/packaging/install')).stdout).to.equal('everything is as it should be');
  });

  it('adds its lines to account hooks where nothing before can end them, keeps what others wrote, and takes them out again', async () => {
    const hooks = `${server.custom}/hooks`;
    const others = { 'editDomain.php': '<?php\necho "others";\nexit(0);\n', 'deleteDomain.sh': '#!/bin/sh\necho others\nexit 0\n' };
    for (const [name, text] of Object.entries(others)) server.write(`${hooks}/${name}`, text, 0o700);
    await server.install();
    expect(readdirSync(server.at(hooks)).sort()).to.deep.equal(['createDomain.sh', 'deleteDomain.sh', 'editDomain.php']);
    // What the hooks start tells what it was asked for.
    server.write(
      PROGRAM,
      '#!/bin/sh\necho "$*" >>/asked\n[ "$(ulimit -f)" = unlimited ] || exit 1\n[ "$2" != deleting ] || { echo "no room" >&2; exit 1; }\n',
      0o755,
    );
    mkdirSync(server.at('/home/virtual/site7'), { recursive: true });
    symlinkSync('site7', server.at('/home/virtual/example.test'));
    const call = async (name: string, site: string) => {
      const limited = `ulimit -S -f 1000; exec ${name.endsWith('.php') ? 'php ' : ''}${hooks}/${name} "$1"`;
      return server.run('/bin/bash', '-c', limited, 'bash', site);
    };
    for (const [name, site] of [
      ['createDomain.sh', 'site3'],
      ['editDomain.php', '4'],
      ['deleteDomain.sh', 'example.test'],
    ] as const) {
      const { exitCode, stdout, stderr } = await call(name, site);
      expect(exitCode, name).to.equal(0);
      expect(stdout).to.equal(name === 'createDomain.sh' ? '' : 'others');
      if (name === 'deleteDomain.sh') expect(stderr).to.contain('no room');
    }
    for (const evil of ['', '../../etc', '-x', 'a b', '$(touch /pwned)', 'missing.test'])
      expect((await call('createDomain.sh', evil)).exitCode).to.equal(0);
    expect(server.has('/pwned')).to.equal(false);
    expect(server.read('/asked')).to.equal('account created site3\naccount created site4\naccount deleting site7\n');
    expect((await server.install('--no-restart')).stdout).not.to.contain('hooks');
    await server.install('--uninstall');
    expect(readdirSync(server.at(hooks)).sort()).to.deep.equal(['deleteDomain.sh', 'editDomain.php']);
    for (const [name, text] of Object.entries(others)) expect(server.read(`${hooks}/${name}`)).to.equal(text);
    expect((await server.run('stat', '-c', '%a', `${hooks}/deleteDomain.sh`)).stdout).to.equal('700');
  });

  it('sets up the timer where systemd runs, and leaves it off when somebody switched it off', async () => {
    mkdirSync(server.at('/run/systemd/system'), { recursive: true });
    const wanted = '/etc/systemd/system/timers.target.wants/apiscp-backup.timer';
    const watching = wanted.replace('backup.timer', 'backup-watch.timer');
    await server.install();
    expect(server.has(wanted) && server.has(watching)).to.equal(true);
    expect(server.has('/etc/cron.d/apiscp-backup')).to.equal(false);
    await server.run('systemctl', 'disable', 'apiscp-backup.timer');
    server.addSource('/next', '0.2.0');
    await server.installFrom('/next', '--upgrade');
    expect(server.has(wanted)).to.equal(false);
    expect(server.has(watching)).to.equal(true);
    await server.install('--uninstall');
    expect(server.has(watching)).to.equal(false);
    expect(readdirSync(server.at('/usr/local/lib/systemd/system'))).to.deep.equal([]);
  });

  it('takes nothing from a folder that was not copied whole, or in which two versions are mixed', async () => {
    const broken: readonly (readonly [string, string, string])[] = [
      ['php-module/Options.php', '', 'Options.php is missing or empty'],
      ['scopes/Exclude.php', '<?php class Exclude { function a() {', 'Exclude.php: '],
      ['php-module/boot.php', '<?php', 'names no files'],
      ['php-module/Backup_Module.php', "<?php const VERSION = '0.0.9';", 'and the plugin beside it is not'],
      ['apiscp-backup', '#!/bin/sh\nkill -BUS $$\n', 'was not copied whole'],
    ];
    await server.install('--no-init');
    const before = await server.inventory();
    for (const [file, text, reason] of broken) {
      server.addSource('/next', '0.2.0');
      server.write(`/next/${file}`, text, 0o755);
      const { exitCode, stderr } = await server.installFrom('/next', '--upgrade');
      expect(stderr, file).to.contain(reason);
      expect(exitCode).to.equal(1);
    }
    expect(await server.inventory()).to.equal(before);
    // So far an upgrade had come when it was killed.
    server.write('/usr/libexec/apiscp-backup/php-module/Backup_Module.php', "<?php const VERSION = '0.2.0';");
    const { exitCode, stderr } = await server.installFrom('/usr/libexec/apiscp-backup');
    expect(exitCode).to.equal(1);
    expect(stderr).to.contain('run packaging/install of the new version again');
    expect(versionOfModule()).to.equal('0.1.0');
  });

  it('goes back to an older version only when it is told so without --upgrade', async () => {
    server.addSource('/next', '0.10.0');
    await server.installFrom('/next', '--no-init');
    const refused = await server.install('--upgrade');
    expect(refused.exitCode).to.equal(1);
    expect(refused.stderr).to.contain('version 0.10.0 is installed, which is newer than 0.1.0');
    expect(versionOfModule()).to.equal('0.10.0');
    const { stdout } = await server.install('--no-init');
    expect(stdout).to.contain('that 0.1.0 reads what 0.10.0 has written');
    expect(versionOfModule()).to.equal('0.1.0');
    expect((await server.run('apiscp-backup', '--version')).stdout).to.equal('0.1.0');
  });

  it('makes one whole block of two, and of one that somebody edited; has hooks that can be started; lets no second one in', async () => {
    const [boot, hook] = [`${server.custom}/boot.php`, `${server.custom}/hooks/createDomain.sh`];
    await server.install('--no-init');
    const right = server.read(boot);
    const [block] = right.match(/\/\/ >>> apiscp-backup[\s\S]*\/\/ <<< apiscp-backup\n/) ?? [];
    for (const wrong of [
      right + block,
      right.replace('include_once', 'require'),
      right.replace(block!, '') + block!.replace('try', 'do'),
    ]) {
      server.write(boot, wrong);
      chmodSync(server.at(hook), 0o644);
      const second = server.run('/bin/sh', '-c', 'exec 8>/run/apiscp-backup.install; flock 8; exec /source/packaging/install');
      expect((await second).stderr).to.contain('another installation is under way');
      expect((await server.install('--no-init', '--no-restart')).stdout)
        .to.contain('boot.php')
        .and.contain('createDomain.sh');
      expect(server.read(boot).replace(block!, '').trim()).to.equal(OTHERS_LINES.trim());
      expect(server.read(boot)).to.contain(block!);
      expect((await server.run('stat', '-c', '%A', hook)).stdout).to.match(/^-rwx/);
    }
  });

  it('goes away where PHP is gone already, and says what it had to leave', async () => {
    await server.install('--no-init');
    await server.run('/bin/sh', '-c', 'rm -f /usr/local/bin/apnscp_php $(command -v php) /usr/bin/php*');
    const { exitCode, stdout } = await server.install('--uninstall');
    expect(exitCode).to.equal(SOMETHING_LEFT);
    expect(stdout).to.contain('boot.php was left as it was');
    expect(server.has(PROGRAM)).to.equal(false);
  });
});

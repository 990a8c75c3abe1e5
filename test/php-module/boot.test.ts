import { globSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';
import { installPanel } from '../stand-in-panel/install.ts';

const BOOT = join(import.meta.dirname, '../../php-module/boot.php');

describe('registration at the start of the panel', () => {
  let panel: FakePanel;
  beforeEach(() => {
    panel = new FakePanel();
    panel.answer({ version: [{ result: { version: '9' } }] });
  });
  afterEach(() => panel.remove());

  const bootFile = () => join(panel.panel.home, 'config/custom/boot.php');
  const reinstall = () =>
    installPanel({ home: panel.panel.home, accountsRoot: panel.accounts, core: panel.core, settingsFile: panel.settingsFile });

  it('leaves what other add-ons wrote, and adds its lines once', async () => {
    const before = readFileSync(bootFile(), 'utf8');
    expect(before).to.match(/Probe_Module[\s\S]*>>> apiscp-backup[\s\S]*<<< apiscp-backup/);
    reinstall();
    expect(readFileSync(bootFile(), 'utf8')).to.equal(before);
    expect((await panel.cpcmd('probe:give', '7')).stdout).to.equal('7');
  });

  it('may run twice in one process', async () => {
    const boot = readFileSync(bootFile(), 'utf8');
    writeFileSync(bootFile(), `${boot}require __DIR__ . '/apiscp-backup/php-module/boot.php';\n`);
    expect((await panel.cpcmd('backup:version')).stdout).to.contain('version: "9"');
  });

  it('never stops the panel: without it, outside of it, or with parts of it missing', async () => {
    const alone = await execa('php', ['-d', 'error_reporting=-1', '-r', 'require $argv[1]; echo "on";', BOOT]);
    expect(alone).to.include({ stdout: 'on', stderr: '' });
    const broken = `class apnscpFunctionInterceptor { static function registerModule() {} static function register() { throw new Error('changed'); } }
      define('INCLUDE_PATH', $argv[2]); require $argv[1]; echo "on";`;
    const above = join(import.meta.dirname, '../../..');
    for (const [home, reason] of [
      [above, 'changed'],
      ['/usr', 'is not below /usr/'],
    ] as const) {
      const { stdout, stderr } = await execa('php', [
        '-d',
        'error_reporting=-1',
        '-d',
        'log_errors=1',
        '-d',
        'error_log=',
        '-r',
        broken,
        BOOT,
        home,
      ]);
      expect(stdout).to.equal('on');
      expect(stderr).to.contain('apiscp-backup is not available').and.to.contain(reason);
    }
  });

  it('goes on without what is missing or was cut, and lists the rest', async () => {
    const plugin = join(panel.panel.home, 'config/custom/apiscp-backup');
    const whole = (file: string) => readFileSync(join(plugin, file), 'utf8');
    const lists = async () => {
      const { exitCode, stdout } = await panel.cpcmd('probe:give', '7', ';', 'misc:list-commands', ';', 'scope:list');
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(/^7\n/);
      return stdout;
    };
    for (const [file, gone] of [
      ['php-module/Backup_Module.php', 'backup:run'],
      ['scopes/Limits.php', 'backups.limits'],
      ['scopes/SettingScope.php', 'backups.limits'],
      ['php-module/boot.php', 'backup:run'],
    ] as const) {
      const text = whole(file);
      expect(await lists()).to.contain(gone);
      // Zeros are what a loss of power may leave.
      for (const broken of [text.slice(0, text.length / 2), Buffer.alloc(text.length), 'no code\n', undefined]) {
        if (broken === undefined) rmSync(join(plugin, file));
        else writeFileSync(join(plugin, file), broken);
        const listed = await lists();
        expect(listed, file).to.not.contain(gone);
        if (file === 'scopes/Limits.php') expect(listed).to.contain('backup:run').and.to.contain('backups.schedule');
      }
      writeFileSync(join(plugin, file), text);
    }
    for (const file of globSync('php-module/*.php', { cwd: plugin })) {
      if (file.endsWith('/boot-fragment.php')) continue;
      const text = whole(file);
      for (const broken of [text.slice(0, text.length / 2), undefined]) {
        if (broken === undefined) rmSync(join(plugin, file));
        else writeFileSync(join(plugin, file), broken);
        // Refusals, and what asks the core: each answer is one of the panel, or of the module.
        const slips = [
          'backup:run',
          ';',
          'backup:list',
          'all',
          ';',
          'scope:get',
          'backups.limits',
          ';',
          'scope:set',
          'backups.limits',
          '[nice:1]',
          ';',
        ];
        const { exitCode, stdout } = await panel.cpcmd(...slips, 'probe:give', '7');
        expect([0, 1], file).to.include(exitCode);
        expect(stdout, file)
          .to.match(/(^|\n)7$/)
          .and.not.contain('syntax error');
      }
      writeFileSync(join(plugin, file), text);
    }
    for (const broken of [whole('php-module/Requester.php').slice(0, 900), 'no code', Buffer.alloc(900)]) {
      writeFileSync(join(plugin, 'php-module/Requester.php'), broken);
      const { stdout } = await panel.cpcmd('-o', 'json', 'backup:version');
      expect(JSON.parse(stdout).error).to.include({ code: 'internal' });
      expect(stdout).to.not.contain('syntax error');
    }
  });

  it('works where config/custom is a link', async () => {
    const custom = join(panel.panel.home, 'config/custom');
    const elsewhere = join(panel.folder, 'elsewhere');
    renameSync(custom, elsewhere);
    symlinkSync(elsewhere, custom);
    expect((await panel.cpcmd('backup:version')).stdout).to.contain('version: "9"');
  });

  it('leaves a module of the panel with the same name in its place', async () => {
    const stock = `<?php class Backup_Module extends Module_Skeleton { protected $exportedFunctions = ['*' => PRIVILEGE_ADMIN]; function whose(): string { return 'the panel'; } }`;
    writeFileSync(join(panel.panel.home, 'lib/modules/backup.php'), stock);
    const interceptor = join(panel.panel.home, 'lib/apnscpFunctionInterceptor.php');
    const known = `'Backup_Module' => 'lib/modules/backup.php', 'Auth_Info_User'`;
    const code = readFileSync(interceptor, 'utf8')
      .replace("'Auth_Info_User'", known)
      .replace("['auth' =>", "['backup' => 'Backup_Module', 'auth' =>");
    writeFileSync(interceptor, code);
    const { stdout, stderr } = await panel.cpcmd('backup:whose');
    expect(stdout).to.equal('the panel');
    expect(stderr).to.contain('the panel has a module of its own named backup');
    // What it does not have is there.
    expect((await panel.cpcmd('scope:list')).stdout).to.contain('backups.schedule');
  });

  it('leaves a Scope of the panel with the same name in its place', async () => {
    const setting = join(panel.panel.home, 'lib/Opcenter/Setting.php');
    const own = `namespace Opcenter\\Admin\\Settings\\Backups { class Exclude implements \\Opcenter\\Admin\\Settings\\SettingsInterface {
      function set($val): bool { return true; } function get() { return 'the panel'; } function getHelp(): string { return ''; }
      function getValues() { return ''; } function getDefault() { return ''; } } }`;
    const code = readFileSync(setting, 'utf8');
    const braced = code.replace('namespace Opcenter\\Admin\\Settings;', 'namespace Opcenter\\Admin\\Settings {');
    writeFileSync(
      setting,
      `${braced.replace('$classes = []', "$classes = ['backups.exclude' => 'Opcenter\\Admin\\Settings\\Backups\\Exclude']")}}\n${own}`,
    );
    const { stdout, stderr } = await panel.cpcmd('scope:get', 'backups.exclude', ';', 'scope:list');
    expect(stdout).to.contain('the panel\n').and.to.contain('backups.schedule');
    expect(stderr).to.contain('the panel has a Scope of its own');
  });
});

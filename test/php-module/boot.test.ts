import { readFileSync, writeFileSync } from 'node:fs';
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
    const broken = `class apnscpFunctionInterceptor { static function registerModule() { throw new Error('changed'); } static function register() {} }
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
});

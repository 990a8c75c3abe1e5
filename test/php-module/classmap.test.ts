import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';

const PROJECT = join(import.meta.dirname, '../..');
const NOT_CLONED = ['.git', 'node_modules', 'dist'];
/** Classes of the panel; a few stand for all, because nothing but our own names may be found. */
const OF_THE_PANEL = ['Auth', 'Auth_Info_User', 'a23r', 'apnscpFunctionInterceptor', 'Module_Skeleton', 'Error_Reporter', 'Scope_Module'];
const OURS = /^(ApiscpBackup\\|Opcenter\\Admin\\Settings\\Backups\\)/;

/** Prints where the panel finds each class: as JSON, name to file. */
const FOUND = `$map = require $argv[1] . '/vendor/composer/autoload_classmap.php'; require $argv[1] . '/vendor/autoload.php';
foreach ($map as $class => $file) $map[$class] = (string)realpath($file);
echo json_encode(['map' => $map, 'auth' => Auth::OF, 'message' => class_exists('ApiscpBackup\\\\Messages')]);`;

describe('the plugin, cloned whole below config/custom', () => {
  let home: string;
  let classes: Record<string, string>;
  let loaded: { auth: string; message: boolean };
  let said: string;
  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'apiscp-backup-classmap-'));
    mkdirSync(join(home, 'lib'));
    for (const name of OF_THE_PANEL) writeFileSync(join(home, `lib/${name}.php`), `<?php class ${name} { const OF = 'the panel'; }\n`);
    writeFileSync(join(home, 'composer.json'), JSON.stringify({ autoload: { classmap: ['config/custom/', 'lib/'] } }));
    cpSync(PROJECT, join(home, 'config/custom/apiscp-backup'), {
      recursive: true,
      filter: (from) => !NOT_CLONED.includes(relative(PROJECT, from)),
    });
    const env = { COMPOSER_ALLOW_SUPERUSER: '1', COMPOSER_HOME: join(home, '.composer'), COMPOSER_DISABLE_NETWORK: '1' };
    ({ stderr: said } = await execa('composer', ['dumpautoload', '-o', '--no-interaction', '--no-plugins'], { cwd: home, env }));
    const { map, ...rest } = JSON.parse((await execa('php', ['-r', FOUND, home])).stdout);
    [classes, loaded] = [map, rest];
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  it('gives Composer no class but its own', () => {
    const inPlugin = Object.entries(classes).filter(([, file]) => file.includes('/config/custom/'));
    expect(inPlugin.map(([name]) => name)).to.include('ApiscpBackup\\Backup_Module');
    for (const [name, file] of inPlugin) expect(name, file).to.match(OURS);
    expect(said).to.not.contain('Ambiguous');
  });

  it('leaves each of the panel where the panel has it', () => {
    for (const name of OF_THE_PANEL) expect(classes[name], name).to.equal(join(home, `lib/${name}.php`));
    expect(loaded).to.deep.equal({ auth: 'the panel', message: true });
  });

  it('has every class that boot.php maps, in the same file', () => {
    const boot = readFileSync(join(PROJECT, 'php-module/boot.php'), 'utf8');
    const mapped = [...boot.matchAll(/'([A-Z][\w\\]+)' => '([\w/-]+\.php)'/g)].map(([, name, file]) => [
      name!.replaceAll('\\\\', '\\'),
      file,
    ]);
    const ours = Object.entries(classes).filter(([name]) => OURS.test(name));
    expect(mapped.sort()).to.deep.equal(
      ours.map(([name, file]) => [name, relative(join(home, 'config/custom/apiscp-backup'), file)]).sort(),
    );
  });
});

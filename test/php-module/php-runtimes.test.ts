import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';

const PROJECT = join(import.meta.dirname, '../..');
const STAND_IN = join(import.meta.dirname, '../stand-in-panel');
const FIXTURES = join(import.meta.dirname, 'fixtures');
const PLUGIN = 'config/custom/apiscp-backup';
const DOUBLE = `${PLUGIN}/php-module/CoreProcess.php`;

/** The releases of ApisCP run 7.4 and then 8.3; Debian has 8.2. */
const AS_WEB_ASSEMBLY = ['7.4', '8.3'];

/** Who calls what with what: slips and requests of each kind. */
const CALLS: readonly (readonly [site: string | null, command: string, args: readonly unknown[]])[] = [
  [null, 'backup_version', []],
  [null, 'backup_run', ['site1', null]],
  [null, 'backup_run', [null]],
  [null, 'backup_run', [[]]],
  [null, 'backup_list', [null, null]],
  [null, 'backup_restore', ['site1', ['shadow/a', { path_b64: 'c2hhZG93L/8=' }], { at: 'latest', dryRun: 'true', overwrite: 'never' }]],
  [null, 'backup_restore', ['site1', null, []]],
  [null, 'backup_restore', ['site1', ['/var/www'], null]],
  [null, 'backup_restore_database', ['site1', ['mysql/a'], { dryRun: true }]],
  [null, 'backup_prune', ['all', { simulate: '90d' }]],
  [null, 'backup_hold', ['latest', 'why', null, 'site1']],
  [null, 'backup_explain', ['site1', 'shadow/x']],
  [null, 'backup_diff', ['site1', null, null, null, { limit: 3 }]],
  [null, 'backup_adopt', ['old', { yes: true }]],
  [null, 'scope_get', ['backups.exclude']],
  [null, 'scope_set', ['backups.exclude', 'x']],
  [null, 'scope_info', ['backups.limits']],
  [null, 'backup_nosuch', []],
  ['site1', 'backup_list', []],
  ['site1', 'backup_ls', [null, 'shadow/home', { recursive: true }]],
  ['site1', 'backup_restore', [['shadow/x'], { to: '/home/alice/new' }]],
  ['site1', 'backup_restore', [['info/x']]],
  ['site1', 'backup_run', ['site2']],
  ['site1', 'backup_prune', ['all']],
];

/** Everything that a panel with the plugin consists of, by path below its home. */
function panelFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const add = (to: string, from: string) => files.set(to, readFileSync(from, 'utf8'));
  for (const file of globSync('lib/**/*.phps', { cwd: STAND_IN })) add(file.slice(0, -1), join(STAND_IN, file));
  for (const file of globSync('{php-module,scopes}/*.php', { cwd: PROJECT })) add(`${PLUGIN}/${file}`, join(PROJECT, file));
  add('config/custom/boot.php', join(PROJECT, 'php-module/boot-fragment.php'));
  add(DOUBLE, join(FIXTURES, 'core-double.phps'));
  add('calls.php', join(FIXTURES, 'calls-in-every-php.phps'));
  files.set('virtual/site1/info/current/siteinfo', '[siteinfo]\ndomain = one.example\nadmin_user = alice\n');
  for (const folder of ['fst/home/alice', 'shadow']) files.set(`virtual/site1/${folder}/.keep`, '');
  files.set('core', '#!/bin/false\n');
  files.set('settings.json', '{}');
  return files;
}

/** The lines that run the calls at a home. Whoever may change the core is checked: so it belongs to root alone. */
const program = (
  home: string,
): string => `<?php $home = '${home}'; $calls = json_decode(base64_decode('${Buffer.from(JSON.stringify(CALLS)).toString('base64')}'), true);
foreach (['/', '/home', $home, "$home/core"] as $place) @chmod($place, 0755); @chmod("$home/settings.json", 0600); require "$home/calls.php";`;

const config = (home: string): string =>
  `[standin]\naccounts_root = "${home}/virtual"\n[apiscp_backup]\ncore = "${home}/core"\nconfig = "${home}/settings.json"\n`;

interface Result {
  readonly asked: { readonly params: unknown };
  readonly error: { readonly code: string };
}

interface Ran {
  readonly version: string;
  readonly loaded: Record<string, string[]>;
  readonly answers: unknown[];
}

/** Under PHP as WebAssembly, whose file system is in memory. */
async function runAsWebAssembly(version: string): Promise<Ran> {
  const { loadPHPRuntime, PHP } = await import('@php-wasm/universal');
  const { getPHPLoaderModule } = await (version === '7.4' ? import('@php-wasm/node-7-4') : import('@php-wasm/node-8-3'));
  const php = new PHP(await loadPHPRuntime(await getPHPLoaderModule()));
  const home = '/home/panel';
  for (const [file, text] of panelFiles().set('config/custom/config.ini', config(home))) {
    php.mkdir(dirname(`${home}/${file}`));
    php.writeFile(`${home}/${file}`, text);
  }
  // What compiles the real process, whose place in the calls the double has.
  const real = readFileSync(join(PROJECT, 'php-module/CoreProcess.php'), 'utf8');
  php.writeFile(`${home}/real.php`, real);
  const compiled = await php.run({
    code: `<?php error_reporting(-1); require '${home}/real.php'; echo count(get_class_methods('ApiscpBackup\\CoreProcess'));`,
  });
  expect(compiled.text).to.match(/^[0-9]+$/);
  const { text, errors, exitCode } = await php.run({ code: program(home) });
  expect({ errors, exitCode, begin: text.slice(0, 1) }, text.slice(0, 500)).to.deep.equal({ errors: '', exitCode: 0, begin: '{' });
  php.exit();
  return JSON.parse(text);
}

/** Under this machine's PHP. */
async function runHere(folder: string): Promise<Ran> {
  for (const [file, text] of panelFiles().set('config/custom/config.ini', config(folder))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  chmodSync(join(folder, 'core'), 0o755);
  writeFileSync(join(folder, 'run.php'), program(folder));
  const { stdout, stderr } = await execa('php', ['-d', 'error_reporting=-1', '-d', 'display_errors=stderr', join(folder, 'run.php')]);
  expect(stderr).to.equal('');
  return JSON.parse(
    stdout.replaceAll(folder, '/home/panel').replaceAll(JSON.stringify(folder).slice(1, -1).replaceAll('/', '\\/'), '\\/home\\/panel'),
  );
}

describe('the module under each PHP that a panel has', () => {
  let folder: string;
  let here: Ran;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-php-'));
    here = await runHere(folder);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('answers here', () => {
    expect(here.version).to.match(/^8\./);
    expect(Object.keys(here.loaded)).to.have.length.above(25);
    const [, run, nobody, list] = here.answers as [string, Result, string[]][];
    expect(run?.[1].asked.params).to.deep.equal({ units: ['site1'], level: 'auto' });
    expect(run?.[2]).to.deep.equal(['Partly done: the result names what is missing and why. The first: site1: x: 100% %s']);
    expect(nobody?.[1].error.code).to.equal('all_needed');
    expect(list?.[1].error.code).to.equal('bad_argument');
  });

  for (const version of AS_WEB_ASSEMBLY) {
    it(`loads every file and answers the same, without a notice, under ${version}`, async () => {
      const there = await runAsWebAssembly(version);
      expect(there.version.startsWith(`${version}.`)).to.equal(true);
      expect(there.loaded).to.deep.equal(here.loaded);
      expect(there.answers).to.deep.equal(here.answers);
    });
  }
});

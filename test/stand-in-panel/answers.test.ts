import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { FakePanel } from './fake-panel.ts';
import { useRealCore, writeSettings } from './real-core.ts';

const OWNER = 2001;

/** What somebody typed, and what has to come: a code and words of the answer, or what the result has in it. */
interface Row {
  readonly typed: readonly string[];
  readonly code?: string;
  readonly says?: string | RegExp;
  readonly has?: Readonly<Record<string, unknown>>;
}

const ADMINISTRATOR: readonly Row[] = [
  // A path as the account sees it, without `shadow` before it.
  { typed: ['backup:diff', 'site1', 'latest', 'live', 'var/www/html'], code: 'path_unknown', says: 'Did you mean shadow/var/www/html?' },
  { typed: ['backup:diff', 'site1', 'latest', 'latest', 'var/www'], code: 'path_unknown', says: 'Did you mean shadow/var/www?' },
  { typed: ['backup:find', 'site1', 'page', 'var/www'], code: 'path_unknown', says: 'Did you mean shadow/var/www?' },
  { typed: ['backup:ls', 'site1', 'var/www'], code: 'path_unknown', says: 'Did you mean shadow/var/www?' },
  { typed: ['backup:history', 'site1', 'var/www/html/page'], code: 'path_unknown', says: 'Did you mean shadow/var/www/html/page?' },
  { typed: ['backup:plan', 'site1', '[var/www]'], code: 'path_unknown', says: 'Did you mean shadow/var/www?' },
  { typed: ['backup:restore', 'site1', '[var/www]'], code: 'path_unknown', says: 'Did you mean shadow/var/www?' },
  { typed: ['backup:explain', 'site1', 'var/www'], code: 'path_unknown', says: 'Did you mean shadow/var/www?' },
  { typed: ['backup:ls', 'site1', 'fst/var/www'], code: 'path_unknown', says: 'Did you mean shadow/var/www?' },
  // A path that is not there is named, with the nearest that is.
  { typed: ['backup:restore', 'site1', '[shadow/nope]'], code: 'path_unknown', says: /shadow\/nope.*There is shadow/ },
  {
    typed: ['backup:diff', 'site1', 'latest', 'live', 'shadow/var/nope'],
    code: 'path_unknown',
    says: /shadow\/var\/nope.*There is shadow\/var/,
  },
  { typed: ['backup:find', 'site1', 'page', 'shadow/var/nope'], code: 'path_unknown', says: 'There is shadow/var' },
  { typed: ['backup:restore', 'site1', '[/var/www/html/page]'], code: 'bad_path', says: 'Did you mean shadow/var/www/html/page?' },
  { typed: ['backup:ls', 'site1', '/'], code: 'bad_path', says: 'Leave it out for everything' },
  { typed: ['backup:ls', 'site1', 'shadow/var/'], has: { unit: 'site1' } },
  { typed: ['backup:ls', 'site1', 'shadow//var///www'], has: { unit: 'site1' } },
  { typed: ['backup:restore', 'site1', "''"], code: 'bad_path', says: 'One looks like shadow/var/www/html' },
  { typed: ['backup:plan', 'site1', "''"], code: 'bad_path' },
  { typed: ['backup:restore', 'site1', "['']"], code: 'bad_path' },
  { typed: ['backup:restore', 'site1', 'shadow/var/www', '[dryRun:true]'], has: { unit: 'site1', dryRun: true, status: 'ok' } },
  // What takes everything has to be told so.
  { typed: ['backup:prune'], code: 'all_needed', says: 'all' },
  { typed: ['backup:prune', "''"], code: 'all_needed' },
  { typed: ['backup:prune', 'null'], code: 'all_needed' },
  { typed: ['backup:prune', 'false'], code: 'bad_argument', says: "`false' is not a site" },
  { typed: ['backup:run'], code: 'all_needed' },
  { typed: ['backup:run', "''"], code: 'all_needed' },
  { typed: ['backup:verify'], code: 'all_needed' },
  { typed: ['backup:restore', 'site1', '[]'], code: 'bad_argument', says: "For everything say `all' in its place. It is empty" },
  { typed: ['backup:prune', 'all', '[dryRun:true]'], has: { status: 'ok', dryRun: true } },
  // Arguments in other shapes, and in other places.
  { typed: ['backup:plan', 'site1', 'shadow/var/www'], has: { unit: 'site1', dryRun: true } },
  { typed: ['backup:list', '[]'], code: 'bad_argument', says: 'is not a site, such as site12' },
  { typed: ['backup:run', 'site1', 'null'], has: { status: 'ok' } },
  { typed: ['backup:ls', 'site1', 'null', 'null'], has: { unit: 'site1' } },
  { typed: ['backup:restore', 'site1', '[dryRun:true]'], code: 'options_misplaced', says: /`dryRun' is an option.*SITE PATHS OPTIONS/ },
  { typed: ['backup:restore', 'site1', '[at:yesterday 14:00]'], code: 'options_misplaced' },
  { typed: ['backup:ls', 'site1', '[recursive:true]'], code: 'options_misplaced' },
  { typed: ['backup:ls', 'site1', 'shadow', 'limit:5'], code: 'bad_option', says: 'looks like [at:VALUE]' },
  { typed: ['backup:restore', 'site1', 'all', '[dryrun:true]'], code: 'bad_option', says: 'did you mean dryRun?' },
  {
    typed: ['backup:restore', 'site1', 'all', '[to:relative]'],
    code: 'bad_option',
    says: /`to' cannot be `relative'.*such as \/root\/found/,
  },
  { typed: ['backup:ls', 'site1', 'shadow', '[limit:0]'], code: 'bad_option', says: /`limit' cannot be `0'.*from 1 to 10000/ },
  {
    typed: ['backup:ls', 'site1', 'shadow', '[colour:red]'],
    code: 'bad_option',
    says: /`colour' is not known here; there are: at, recursive, limit, after/,
  },
  { typed: ['backup:run', 'site1', 'incremental', 'extra'], code: 'bad_option', says: "`extra' is no map of options" },
  { typed: ['backup:run', 'site1', 'incremental', 'null', 'extra'], code: 'extra_argument', says: /`extra'.*backup:run SITE LEVEL/ },
  { typed: ['backup:list', 'site1', 'null', 'x'], code: 'extra_argument' },
  { typed: ['backup:version', 'x'], code: 'extra_argument' },
  { typed: ['backup:diff', 'site1', 'null', 'null', 'null', '[from:yesterday]'], code: 'bad_option', says: "`from' is not known here" },
  // A point in time; what lost its name is refused.
  { typed: ['backup:hold', 'latest', 'why', 'null', 'site1'], has: { unit: 'site1' } },
  { typed: ['backup:release', 'latest', 'site1'], has: { released: 1 } },
  { typed: ['backup:hold', 'latest', 'why'], code: 'usage', says: 'the site as the last argument' },
  { typed: ['-i', 'json', 'backup:ls', '"site1"', '"shadow"', '["at:today"]'], code: 'bad_option', says: "[at:'today']" },
  { typed: ['backup:diff', 'site1', 'latest', 'today'], has: { unit: 'site1' } },
  // An account that is no more.
  { typed: ['backup:restore', 'site3', 'all'], code: 'unit_unknown', says: '[recreate:true]' },
  { typed: ['backup:plan', 'site3', 'all', '[recreate:true]'], has: { unit: 'site3' } },
];

const OWNERS: readonly Row[] = [
  { typed: ['backup:plan', 'shadow/home/alice'], has: { unit: 'site1', dryRun: true } },
  { typed: ['backup:restore', 'shadow/home/alice', '[dryRun:true]'], has: { unit: 'site1', dryRun: true } },
  { typed: ['backup:run', 'null', 'full'], code: 'owner_level', says: "`full'" },
  { typed: ['backup:ls', 'null', 'var/www'], code: 'owner_path', says: 'Did you mean shadow/var/www?' },
  { typed: ['backup:restore', '[shadow/home/alice]', '[dryRun:true]', 'null'], has: { unit: 'site1', dryRun: true } },
  { typed: ['backup:restore', '[shadow/home/alice]', 'null', 'x'], code: 'extra_argument' },
  { typed: ['backup:restore', "''"], code: 'bad_path' },
  { typed: ['backup:restore', 'null', "''"], code: 'bad_path' },
  { typed: ['backup:list', 'null', '[server:x]'], code: 'bad_option', says: 'there are none' },
];

const SCOPES: readonly (readonly [words: readonly string[], says: string | RegExp])[] = [
  [['backups.exclude', "['*.[oa']"], /“\*\.\[oa”.*such as|“\*\.\[oa”.*like/],
  [['backups.exclude', "['a/../b']"], /“a\/\.\.\/b”/],
  [['backups.exclude', '[*]'], 'exclude everything of every account'],
  [['backups.exclude', '[shadow/,x]'], 'exclude everything of every account'],
  [['backups.exclude', '*.tmp'], "cannot take `*.tmp'; it takes a list of patterns, such as \"[cache/,'*.tmp']\""],
  [['backups.limits', 'load', '4'], "cannot take `load 4'; it takes a map, such as '[load:4,readRate:50MiB/s]'"],
  [['backups.destination', '/srv/a', '/srv/b'], "cannot take `/srv/a /srv/b'; it takes a path"],
  [['backups.destination', '/etc/passwd'], 'no folder'],
  [
    ['backups.retention', '[keepDaily:-1]'],
    /the setting retention cannot be \{"keepDaily":-1\}.*\/keepDaily.*The Scope takes a map of rules, such as '\[keepDaily:7,keepWeekly:4\]'/,
  ],
  [['backups.encryption', 'AGE-SECRET-KEY-1QQQ'], "cannot take `(a secret key)'; it takes plain"],
];

describe('what people type in the panel', function () {
  this.timeout(600_000);
  let panel: FakePanel;
  let settings: object;

  before(async () => {
    panel = new FakePanel();
    settings = useRealCore(panel);
    for (const [site, user] of [
      ['site1', 'alice'],
      ['site3', 'carol'],
    ] as const) {
      const shadow = join(panel.accounts, site, 'shadow');
      mkdirSync(join(shadow, 'var/www/html'), { recursive: true });
      writeFileSync(join(shadow, 'var/www/html/page'), 'hello');
      mkdirSync(join(shadow, 'home', user), { recursive: true });
      chownSync(join(shadow, 'home', user), OWNER, OWNER);
    }
  });
  after(() => panel.remove());

  async function check(typed: readonly string[], { code, says, has = {} }: Omit<Row, 'typed'>, as: readonly string[]): Promise<void> {
    const { stdout, stderr } = await panel.cpcmd(...as, '-o', 'json', ...typed);
    const answer = JSON.parse(stdout);
    expect(answer.error?.code, stderr).to.equal(code);
    if (says instanceof RegExp) expect(stderr).to.match(says);
    else if (says !== undefined) expect(stderr).to.contain(says);
    expect(answer).to.include(has);
    expect(stderr).to.not.match(/TypeError|must be of (the )?type/);
  }

  it('backup:list before there is a repository hears what makes one here, and that does', async () => {
    const { stderr } = await panel.cpcmd('backup:list');
    expect(stderr).to.contain('`cpcmd backup:init`').and.to.not.contain('apiscp-backup init');
    await check(['backup:init'], { has: { status: 'ok', created: true } }, []);
    await check(['backup:run', 'all'], { has: { status: 'ok' } }, []);
    rmSync(join(panel.accounts, 'site3'), { recursive: true });
  });

  for (const { typed, ...expected } of ADMINISTRATOR) {
    it(`${typed.join(' ')}: ${expected.code ?? 'is done'}`, () => check(typed, expected, []));
  }

  for (const { typed, ...expected } of OWNERS) {
    it(`${typed.join(' ')}, of a site: ${expected.code ?? 'is done'}`, () => check(typed, expected, ['-d', 'site1']));
  }

  for (const [words, says] of SCOPES) {
    it(`scope:set ${words.join(' ')} is refused, and says what can be set`, async () => {
      const before = readFileSync(panel.settingsFile);
      const { stdout, stderr } = await panel.cpcmd('scope:set', ...words);
      expect(stdout).to.equal('');
      if (says instanceof RegExp) expect(stderr).to.match(says);
      else expect(stderr).to.contain(says);
      expect(readFileSync(panel.settingsFile).equals(before)).to.equal(true);
    });
  }

  it('of a former incarnation a unit id is taken as the program takes it', async () => {
    const listed = JSON.parse((await panel.cpcmd('-o', 'json', 'backup:list', 'site3')).stdout);
    const { unitId } = listed.snapshots[0];
    const to = join(panel.folder, 'former');
    await check(['backup:restore', unitId, '[shadow/home]', `[to:${to}]`], { has: { status: 'ok' } }, []);
    await check(['backup:list', unitId], {}, []);
  });

  it('a broken pattern, set by hand, stops no restore, and nothing is deleted by it', async () => {
    writeSettings(panel, { ...settings, exclude: ['*.[oa'] });
    const kept = join(panel.accounts, 'site1/shadow/var/www/html/new.o');
    writeFileSync(kept, 'x');
    const { stdout, stderr } = await panel.cpcmd('-o', 'json', 'backup:restore', 'site1', '[shadow/var/www]', '[delete:true]');
    const answer = JSON.parse(stdout);
    expect(answer.status, stderr).to.equal('ok');
    expect(JSON.stringify(answer.log)).to.contain('*.[oa').and.to.contain('nothing is deleted');
    expect(readFileSync(kept, 'utf8')).to.equal('x');
    writeSettings(panel, settings);
  });

  it('broken settings are told to root, and no guess is shown as the value', async () => {
    writeFileSync(panel.settingsFile, '{"limits":');
    const { stdout, stderr } = await panel.cpcmd('-o', 'json', 'scope:get', 'backups.limits');
    expect(JSON.parse(stdout)).to.equal(null);
    expect(stderr).to.contain("The value of `backups.limits' cannot be read").and.to.contain(panel.settingsFile);
    writeSettings(panel, settings);
  });

  it('what could not be shown is not lost by saving null, and a value mends it', async () => {
    writeSettings(panel, { ...settings, exclude: 'cache/' });
    const before = readFileSync(panel.settingsFile);
    for (const words of [
      ['backups.exclude', 'null'],
      ['backups.retention', 'null'],
      ['backups.include-subvolumes', 'true'],
    ]) {
      const { stdout, stderr } = await panel.cpcmd('scope:set', ...words);
      expect(stdout).to.equal('');
      expect(stderr).to.contain('/exclude must be array');
      expect(readFileSync(panel.settingsFile).equals(before)).to.equal(true);
    }
    expect((await panel.cpcmd('scope:set', 'backups.exclude', '[cache/]')).stdout.trim()).to.equal('1');
    expect(JSON.parse((await panel.cpcmd('-o', 'json', 'scope:get', 'backups.exclude')).stdout)).to.deep.equal(['cache/']);
    writeSettings(panel, settings);
  });

  it('a wrong pattern in the file stops a run with the setting, the pattern and an example', async () => {
    writeSettings(panel, { ...settings, exclude: ['ok', 'shadow/**/[é'] });
    const { stdout, stderr } = await panel.cpcmd('-o', 'json', 'backup:run', 'site1');
    expect(JSON.parse(stdout)).to.deep.include({ status: 'failed' }).and.to.have.nested.property('error.code', 'invalid_settings');
    expect(stderr).to.contain('exclude').and.to.contain('shadow/**/[é').and.to.contain('cache/');
    writeSettings(panel, settings);
  });

  describe('and in the program', () => {
    const PROGRAM: readonly (readonly [args: readonly string[], exitCode: number, says: string])[] = [
      [['diff', 'site1', 'var/www/html', '--live'], 1, 'Did you mean shadow/var/www/html?'],
      [['find', 'site1', 'page', 'var/www'], 1, 'Did you mean shadow/var/www?'],
      [['ls', 'site1', '/var/www'], 1, 'Did you mean shadow/var/www?'],
      [['history', 'site1', 'var/www/html/page'], 1, 'Did you mean shadow/var/www/html/page?'],
      [['plan', 'site1', 'var/www'], 1, 'Did you mean shadow/var/www?'],
      [['restore', 'site1', 'shadow/nope'], 1, 'shadow/nope'],
      [['explain', 'site1', 'var/www'], 1, 'Did you mean shadow/var/www?'],
      [['prune', ''], 2, 'say `all`'],
      [['run', ''], 2, 'say `all`'],
      [['prune', 'all', 'site1'], 2, '`all` stands alone'],
      [['hold', 'latest', '--reason', 'why'], 2, '--unit'],
      [['restore', 'site3'], 1, '--recreate'],
      [['list', 'site1', 'extra'], 2, 'extra'],
    ];
    for (const [args, exitCode, says] of PROGRAM) {
      it(`${args.join(' ')} says ${says}`, async () => {
        const ended = await execa(panel.core, ['--config', panel.settingsFile, ...args], { reject: false });
        expect(ended.stderr).to.contain(says);
        expect(ended.exitCode, ended.stderr).to.equal(exitCode);
      });
    }

    it('hold and release take a time, and verify takes all', async () => {
      for (const args of [
        ['hold', 'latest', '--unit', 'site1', '--reason', 'why'],
        ['release', 'today', '--unit', 'site1'],
        ['verify', 'all'],
      ]) {
        const ended = await execa(panel.core, ['--config', panel.settingsFile, ...args], { reject: false });
        expect(ended.exitCode, ended.stderr).to.equal(0);
      }
    });
  });
});

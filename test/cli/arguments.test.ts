import { expect } from 'chai';
import type { Command } from 'commander';
import { execa } from 'execa';
import { pathArguments } from '../../core/cli/path-arguments.ts';
import { buildProgram } from '../../core/cli/program.ts';
import { METHODS } from '../../core/commands/registry.ts';
import { Failure } from '../../core/failure.ts';
import { failureOf } from '../failure-of.ts';
import { ROOT, runProgram } from '../program.ts';

async function requestOf(...args: string[]): Promise<[string, unknown]> {
  let made: [string, unknown] | undefined;
  const program = buildProgram({
    perform: async (method, request) => {
      made = [method, request];
    },
    serveRpc: async () => {},
  });
  await program.parseAsync(args, { from: 'user' });
  if (made === undefined) throw new Error('no command was carried out');
  expect(METHODS.get(made[0])?.check(made[1])).to.equal(undefined);
  return made;
}

describe('the arguments of a command', () => {
  it('make the request of its method', async () => {
    expect(await requestOf('init')).to.deep.equal(['init', {}]);
    expect(await requestOf('run')).to.deep.equal(['run', {}]);
    expect(await requestOf('run', 'site1', 'system', '--level', 'full', '--json')).to.deep.equal([
      'run',
      { units: ['site1', 'system'], level: 'full' },
    ]);
    expect(await requestOf('list')).to.deep.equal(['list', {}]);
    expect(await requestOf('--config', '/x', 'list', 'site1')).to.deep.equal(['list', { unit: 'site1' }]);
    expect(await requestOf('verify', 'site1')).to.deep.equal(['verify', { unit: 'site1' }]);
    expect(await requestOf('restore', 'site1')).to.deep.equal(['restore', { unit: 'site1' }]);
    const all = [
      'restore',
      'site1',
      'shadow/a',
      '--at',
      's',
      '--to',
      '/t',
      '--overwrite',
      'never',
      '--delete',
      '--dry-run',
      '--path-b64',
      'Yf8=',
    ];
    expect(await requestOf(...all)).to.deep.equal([
      'restore',
      {
        unit: 'site1',
        paths: ['shadow/a', { path: 'a\ufffd', path_b64: 'Yf8=' }],
        at: 's',
        to: '/t',
        overwrite: 'never',
        delete: true,
        dryRun: true,
      },
    ]);
  });

  it('make the request of a restore onto another account', async () => {
    const all = ['restore', 'site12', '--onto', 'site7', '--map-user', 'joe:jane', '--map-user', '1:2', '--map-group', 'a:b'];
    const request = { unit: 'site12', onto: 'site7', mapUsers: ['joe:jane', '1:2'], mapGroups: ['a:b'] };
    expect(await requestOf(...all)).to.deep.equal(['restore', request]);
    expect(await requestOf('plan', ...all.slice(1))).to.deep.equal(['plan', request]);
  });

  it('make the request about a fleet', async () => {
    expect(await requestOf('fleet', 'status')).to.deep.equal(['fleetStatus', {}]);
    const all = [
      'fleet',
      'status',
      '--repository',
      's3:https://s3.test/all',
      '--overdue-after',
      '2 days',
      '--sizes',
      '--identity',
      '-',
      '--stats',
    ];
    const request = { repository: 's3:https://s3.test/all', overdueAfter: '2 days', sizes: true, identity: '-' };
    expect(await requestOf(...all)).to.deep.equal(['fleetStatus', request]);
    expect(await requestOf('fleet', 'status', '--from', 'far')).to.deep.equal(['fleetStatus', { fromCopy: 'far' }]);
  });

  it('make the requests that find things again', async () => {
    expect(await requestOf('plan', 'site1', 'shadow/a', '--at', 'yesterday 14:00')).to.deep.equal([
      'plan',
      { unit: 'site1', paths: ['shadow/a'], at: 'yesterday 14:00' },
    ]);
    expect(await requestOf('ls', 'site1-1f3a9c2e', 'shadow', '--recursive', '--limit', '5', '--after', 'YQ')).to.deep.equal([
      'ls',
      { unit: 'site1-1f3a9c2e', folder: 'shadow', recursive: true, limit: 5, after: 'YQ' },
    ]);
    expect(await requestOf('find', 'system', '*.conf', 'etc')).to.deep.equal([
      'find',
      { unit: 'system', pattern: '*.conf', folder: 'etc' },
    ]);
    expect(await requestOf('history', 'site1', '--path-b64', 'Yf8=')).to.deep.equal([
      'history',
      { unit: 'site1', path: { path: 'a\ufffd', path_b64: 'Yf8=' } },
    ]);
    expect(await requestOf('diff', 'site1', '--from', '2026-01-01', '--live')).to.deep.equal([
      'diff',
      { unit: 'site1', from: '2026-01-01', live: true },
    ]);
  });

  it('say `all` for everything, which stands alone', async () => {
    for (const command of ['restore', 'plan', 'download'])
      expect(await requestOf(command, 'site1', 'all')).to.deep.equal([command, { unit: 'site1' }]);
    for (const command of ['run', 'prune', 'copy']) expect(await requestOf(command, 'all')).to.deep.equal([command, {}]);
    expect(await requestOf('copy', 'usb')).to.deep.equal(['copy', { copies: ['usb'] }]);
    for (const args of [
      ['restore', 'site1', 'all', 'shadow/x'],
      ['prune', 'site1', 'all'],
      ['copy', 'all', 'usb'],
    ])
      expect((await failureOf(() => requestOf(...args))).message, args.join(' ')).to.equal('`all` stands alone');
  });

  it('never lose an option to another one in front of it whose value is not there', async () => {
    const program = buildProgram({ perform: async () => {}, serveRpc: async () => {} });
    let count = 0;
    const tryAll = async (command: Command, names: readonly string[]): Promise<void> => {
      // What the program itself takes is taken out before, wherever it stands.
      const flags = command.options.map(({ long }) => long as string);
      const places = command.registeredArguments.filter(({ required }) => required).map(() => 'x');
      for (const option of command.options.filter(({ required }) => required)) {
        for (const flag of flags) {
          const args = [...names, ...places, option.long as string, flag];
          const { code, message } = await failureOf(() => requestOf(...args));
          expect({ code, message }, args.join(' ')).to.deep.equal({
            code: 'usage',
            message: `${option.long} has no value: ${flag} stands in its place`,
          });
          count++;
        }
      }
      for (const below of command.commands) await tryAll(below, [...names, below.name()]);
    };
    await tryAll(program, []);
    expect(count).to.be.above(300);
    // A value of that form is one where there is no such option.
    expect(await requestOf('hold', 'x', '--reason', '--see the letter')).to.deep.equal([
      'hold',
      { snapshot: 'x', reason: '--see the letter' },
    ]);
  });

  it('after -- are names, even when they look like options', async () => {
    expect(await requestOf('restore', 'site1', '--', '--json', '-x')).to.deep.equal([
      'restore',
      { unit: 'site1', paths: ['--json', '-x'] },
    ]);
  });

  it('are what the kernel was given, also where they are not UTF-8 or hold the character that stands for such bytes', async () => {
    const script = `import { pathArguments } from '${ROOT}/core/cli/path-arguments.ts'; console.log(JSON.stringify(pathArguments(process.argv.slice(1), [])))`;
    const command = `exec "$0" --input-type=module -e "$1" -- plain "$(printf 'M\\374rz')" "$(printf 'M\\357\\277\\275rz 2')"`;
    const { stdout } = await execa('sh', ['-c', command, process.execPath, script]);
    expect(JSON.parse(stdout)).to.deep.equal([
      'plain',
      { path: 'M\ufffdrz', path_b64: Buffer.from('M\xfcrz', 'latin1').toString('base64') },
      { path: 'M\ufffdrz 2', path_b64: Buffer.from('M\ufffdrz 2').toString('base64') },
    ]);
  });

  it('that are a slip are answered in words', async () => {
    const words: [string[], string][] = [
      [['run', 'Site1'], 'error: /units/0 must be a unit: site12, in small letters, or system (usage)\n  Site1\n'],
      [['list', 'site1/'], '/unit must be a unit: site12'],
      [['join', 'site1'], 'such as site12-1f3a9c2e'],
      [['ls', 'site1', ''], 'the path is empty'],
      [['restore', 'site1', 'shadow', ''], 'the path is empty'],
      [['ls', 'site1', '--at', ''], '/at must not be empty (usage)'],
      [['restore', 'site1', '--to', ''], '/to must not be empty (usage)'],
      [['history', 'site1'], 'lacks "path" (usage)'],
      [['prune', '--simulate', ''], 'See `apiscp-backup help prune`.'],
      [['help', 'nosuch'], 'there is no command "nosuch" to explain'],
      [['lsit'], "unknown command 'lsit' (Did you mean "],
      [['--config', '', 'list'], 'the name of the settings file is empty'],
    ];
    for (const [args, said] of words) {
      const { stderr, exitCode } = await runProgram(args);
      expect(stderr, args.join(' ')).to.contain(said).and.not.to.contain('^').and.not.to.contain('\\x0a');
      expect(exitCode, args.join(' ')).to.equal(2);
    }
  }).timeout(60_000);

  it('that could be several are refused, with the way to give them', () => {
    expect(() => pathArguments(['bad\ufffd'], []))
      .to.throw(Failure)
      .with.property('advice')
      .that.contains('--path-b64');
    for (const text of ['', 'a', '!!!!', 'YQ=', 'YQ==YQ==']) expect(() => pathArguments([], [text]), text).to.throw(Failure, 'base64');
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { type Identity, newIdentity } from '../../core/crypto/identity.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { jsonLines, ROOT, runProgram } from '../program.ts';

describe('a key on the command line', () => {
  let server: Sandbox;
  let identity: Identity;

  before(async () => {
    server = new Sandbox();
    identity = await newIdentity();
    writeFileSync(join(server.shadow, 'file'), 'content');
    await server.init({ recipients: [identity.recipient] });
    await server.back('full');
    writeFileSync(join(server.folder, 'key'), `# backup\n${identity.secret}\n`, { mode: 0o600 });
  });
  after(() => server.remove());

  const ls = (...args: string[]): string[] => ['--config', server.settingsFile, '--json', 'ls', 'site1', 'shadow', ...args];

  it('is a file, standard input, or a descriptor', async () => {
    const file = await runProgram(ls('--identity', join(server.folder, 'key')));
    expect(JSON.parse(file.stdout).entries).to.have.length(1);
    const input = await runProgram(ls('--identity', '-'), { input: `${identity.secret}\n` });
    expect(JSON.parse(input.stdout).entries).to.have.length(1);
    const key = openSync(join(server.folder, 'key'), 'r');
    const child = spawn(process.execPath, [join(ROOT, 'core/main.ts'), ...ls('--identity', '/dev/fd/3')], {
      stdio: ['ignore', 'pipe', 'inherit', key],
    });
    closeSync(key);
    let said = '';
    child.stdout?.on('data', (bytes) => {
      said += String(bytes);
    });
    await once(child, 'close');
    expect(JSON.parse(said).entries).to.have.length(1);
  });

  it('is read once for all pages of a listing, and stands in no list of processes', async () => {
    const program = execa(
      process.execPath,
      [join(ROOT, 'core/main.ts'), '--config', server.settingsFile, 'find', 'site1', '*', '--identity', '-'],
      { reject: false },
    );
    const seen = (['cmdline', 'environ'] as const).map((name) => readFileSync(`/proc/${program.pid}/${name}`, 'latin1'));
    program.stdin?.end(`${identity.secret}\n`);
    const { stdout, exitCode } = await program;
    expect(exitCode).to.equal(0);
    expect(stdout).to.include('shadow/file');
    for (const text of seen) expect(text).not.to.include('AGE-SECRET-KEY');
  });

  it('that is no key, or is missing, is an error without a word of what was read', async () => {
    const to = join(server.folder, 'out');
    for (const [given, code] of [
      [['--identity', '/nowhere'], 'usage'],
      [['--identity', server.folder], 'usage'],
      [['--identity', ''], 'usage'],
      [['--identity', server.settingsFile], 'identity_wrong'],
      [['--passphrase-file', server.settingsFile], 'identity_missing'],
      [[], 'identity_missing'],
    ] as const) {
      const { stdout, exitCode } = await runProgram(['--config', server.settingsFile, '--json', 'restore', 'site1', '--to', to, ...given]);
      const { error } = JSON.parse(stdout);
      expect(error.code, String(given)).to.equal(code);
      expect(stdout).not.to.include('stateDirectory');
      expect(exitCode).not.to.equal(0);
    }
    expect(existsSync(to)).to.equal(false);
  });

  it('is not read from where requests come from', async () => {
    const request = (id: number, params: object) =>
      `${JSON.stringify({ jsonrpc: '2.0', id, method: 'ls', params: { unit: 'site1', ...params } })}\n`;
    const requests = [
      { identity: '-' },
      { identity: '/dev/stdin' },
      { identity: join(server.folder, 'key') },
      { identity: join(server.folder, 'key'), policy: 'owner' },
    ];
    const { stdout } = await runProgram(['--config', server.settingsFile, 'rpc'], {
      input: requests.map((params, id) => request(id, params)).join(''),
    });
    const answers = new Map(
      jsonLines(stdout).map((answer) => [answer.id, answer as { error?: { data: { code: string } }; result?: object }]),
    );
    expect([0, 1, 2, 3].map((id) => answers.get(id)?.error?.data.code)).to.deep.equal(['usage', 'usage', undefined, 'owner_not_allowed']);
    expect(answers.get(2)?.result).to.have.property('entries');
  });

  it('that opens nothing any more is said by keys, with who can read', async () => {
    const { stdout, exitCode } = await runProgram(['--config', server.settingsFile, 'keys']);
    expect(exitCode).to.equal(0);
    expect(stdout).to.include(identity.recipient).and.to.include('can only write');
    const both = await runProgram(['--config', server.settingsFile, '--json', 'keys', '--write-only', '--server-can-read']);
    expect(JSON.parse(both.stdout).error.code).to.equal('usage');
  });
});

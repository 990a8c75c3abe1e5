import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PROGRAM } from '../../core/version.ts';
import { jsonLines, runProgram } from '../program.ts';

/** Arguments that are wrong, each in its own way. */
const WRONG = [
  [],
  ['bogus'],
  ['--bogus'],
  ['run', '--level', 'yearly'],
  ['run', '--level'],
  ['run', 'site0'],
  ['run', 'site1', 'site1'],
  ['run', '../etc'],
  ['list', 'site1', 'site2'],
  ['list', '\x1b[2J'],
  ['restore'],
  ['restore', 'site1', '--overwrite', 'maybe'],
  ['restore', 'site1', '--path-b64', '?'],
  ['restore', 'site1', ''],
  ['verify', 'nobody'],
  ['init', 'extra'],
  ['--config'],
];

describe('the command line with --json', () => {
  for (const args of WRONG) {
    it(`answers ${JSON.stringify(args)} with one JSON error and exit code 2`, async () => {
      const { stdout, stderr, exitCode } = await runProgram(['--json', ...args]);
      const messages = jsonLines(stdout);
      expect(messages).to.have.length(1);
      expect(messages[0]?.error).to.include({ code: 'usage', retry: false }).and.have.property('message').that.is.not.equal('');
      expect(stderr).to.equal('');
      expect(exitCode).to.equal(2);
    });
  }

  it('answers help and version with JSON too', async () => {
    for (const args of [['help'], ['--help'], ['help', 'restore'], ['restore', '--help']]) {
      const { stdout, exitCode } = await runProgram([...args, '--json']);
      expect(jsonLines(stdout)[0]).to.have.property('help').that.contains('Usage: apiscp-backup');
      expect(exitCode).to.equal(0);
    }
    expect(jsonLines((await runProgram(['--version', '--json'])).stdout)).to.deep.equal([{ version: PROGRAM.version }]);
  });

  it('answers every command with one JSON error when the settings are broken', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-output-'));
    try {
      const settings = join(folder, 'config.json');
      writeFileSync(settings, '{ "repositroy": "/x" }');
      for (const args of [['init'], ['run'], ['list'], ['restore', 'site1'], ['verify']]) {
        const { stdout, exitCode } = await runProgram([...args, '--json', '--config', settings]);
        const messages = jsonLines(stdout);
        expect(messages, args.join(' ')).to.have.length(1);
        expect(messages[0]?.error, args.join(' ')).to.have.property('code', 'invalid_settings');
        expect(exitCode).to.equal(1);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the command line for people', () => {
  it('complains on stderr alone, names what is wrong and where help is, and exits with 2', async () => {
    for (const args of WRONG) {
      const { stdout, stderr, exitCode } = await runProgram(args);
      expect(stdout, args.join(' ')).to.equal('');
      expect(stderr, args.join(' ')).to.match(/^error: /);
      expect(stderr).not.to.contain('\x1b');
      expect(exitCode).to.equal(2);
    }
  });

  it('prints help and the version', async () => {
    expect((await runProgram(['--version'])).stdout).to.equal(`${PROGRAM.version}\n`);
    const help = await runProgram(['help']);
    expect(help.exitCode).to.equal(0);
    for (const verb of ['init', 'run', 'list', 'restore', 'verify', 'rpc']) expect(help.stdout).to.contain(`\n  ${verb} `);
  });
});

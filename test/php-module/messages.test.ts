import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { FAILURE_CODES } from '../../core/failure.ts';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const PROJECT = join(import.meta.dirname, '../..');
// As PHP has them: name => [symbol, text].
const CONSTANTS = `require $argv[1]; echo json_encode((new ReflectionClass('ApiscpBackup\\\\Messages'))->getConstants());`;

// Said of a whole result that has a status of its own, or by a Scope, which has no result.
const NOT_IN_RESULTS = ['ERR_FAILED', 'ERR_DAMAGED', 'ERR_BAD_SETTING', 'ERR_SETTING_UNKNOWN'];

describe('messages', () => {
  let pairs: Record<string, [string, string]>;
  before(async () => {
    const { stdout } = await execa('php', ['-r', CONSTANTS, join(PROJECT, 'php-module/Messages.php')]);
    pairs = JSON.parse(stdout);
  });

  it('mirror every failure code of the core', () => {
    for (const code of Object.keys(FAILURE_CODES)) {
      const pair = pairs[`ERR_${code.toUpperCase()}`];
      expect(pair, code).to.have.length(2);
      expect(pair![0]).to.equal(`:err_backup_${code}`);
      expect(pair![1]).to.contain('%(message)s');
    }
  });

  it('have a symbol of their own each, named as the constant, and only named placeholders', () => {
    for (const [name, [symbol, text]] of Object.entries(pairs)) {
      const [kind, ...rest] = name.toLowerCase().split('_');
      expect(symbol).to.equal(`:${kind}_backup_${rest.join('_')}`);
      expect(text.replaceAll(/%\([a-z]+\)s/g, ''), name).not.to.contain('%');
    }
  });

  it('stand in the guide for integrators, code for code', () => {
    const guide = readFileSync(join(PROJECT, 'docs/guide/integrators.md'), 'utf8');
    const inResults = Object.keys(pairs).filter((name) => name.startsWith('ERR_') && !NOT_IN_RESULTS.includes(name));
    for (const name of inResults) expect(guide).to.contain(`\`${name.slice('ERR_'.length).toLowerCase()}\``);
  });

  it('are the only formats that the module ever uses', () => {
    const files = ['php-module', 'scopes'].flatMap((folder) => globSync(`${PROJECT}/${folder}/*.php`));
    expect(files).to.have.length.above(10);
    for (const file of files.filter((file) => !file.endsWith('/Reply.php'))) {
      expect(readFileSync(file, 'utf8'), file).not.to.match(/(?<![:>\w])(error|warn|info|success|fatal|debug)\s*\(/);
    }
  });

  describe('from the core', () => {
    let panel: FakePanel;
    before(() => {
      panel = new FakePanel();
    });
    after(() => panel.remove());

    const list = async (error: unknown) => {
      panel.answer({ list: [{ error }] });
      const { stdout, stderr, exitCode } = await panel.cpcmd('-o', 'json', 'backup:list');
      expect(exitCode, stderr).to.equal(1);
      return { error: JSON.parse(stdout).error, stderr };
    };

    it('arrive whole, whatever they hold', async () => {
      const message = `100% of %s, %(message)s %n $x \`id\` "d" 'q' \\ ü\u2028`;
      const { error, stderr } = await list({
        code: -32000,
        message: 'x',
        data: { code: 'locked', message, affected: ['site1'], advice: 'Wait.', retry: true },
      });
      expect(error).to.deep.equal({
        code: 'locked',
        message: `Another run is in progress: ${message} - Wait.`,
        affected: ['site1'],
        retry: true,
      });
      expect(stderr).to.contain(`ERROR: Another run is in progress: ${message} - Wait.\n`);
    });

    it('cannot forge lines or colours', async () => {
      const { error, stderr } = await list({
        code: -32000,
        message: 'x',
        data: { code: 'vanished', message: 'a\nERROR: b\r\u001b]0;c\u0007\u009b', affected: ['x\ny'] },
      });
      expect(error.message).to.equal('A file disappeared while it was read: a\\x0AERROR: b\\x0D\\x1B]0;c\\x07\\xC2\\x9B');
      expect(error.affected).to.deep.equal(['x\\x0Ay']);
      expect(stderr.match(/^ERROR: /gm)).to.have.length(1);
    });

    it('are understood when the core is newer, or answers as JSON-RPC alone would', async () => {
      const newer = await list({ code: -32000, message: 'x', data: { code: 'tachyon_leak', message: 'm' } });
      expect(newer.error.code).to.equal('tachyon_leak');
      expect(newer.stderr).to.contain('The backup program failed, please report this: m');
      const invalid = await list({ code: -32602, message: '/unit must match', data: { path: '/unit' } });
      expect(invalid.error).to.deep.include({ code: 'usage', affected: ['/unit'] });
      expect((await list({ code: -32601, message: 'no such method' })).error).to.include({ code: 'internal' });
      expect((await list({ code: 'x', message: ['y'], data: { code: ['locked'], affected: 'z', retry: 1 } })).error).to.include({
        code: 'internal',
        retry: false,
      });
    });
  });
});

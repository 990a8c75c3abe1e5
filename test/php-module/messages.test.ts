import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { NOTICE_CODES } from '../../core/context/notice.ts';
import { FAILURE_CODES } from '../../core/failure.ts';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const PROJECT = join(import.meta.dirname, '../..');
// As PHP has them: name => [symbol, text].
const CONSTANTS = `require $argv[1]; echo json_encode((new ReflectionClass('ApiscpBackup\\\\Messages'))->getConstants());`;

// Said of a whole result that has a status of its own, or by a Scope, which has no result.
const NOT_IN_RESULTS = [
  'ERR_FAILED',
  'ERR_UNWELL',
  'ERR_DAMAGED',
  'ERR_BAD_SETTING',
  'ERR_SETTING_EMPTIED',
  'ERR_SETTING_REFUSED',
  'ERR_SETTING_UNKNOWN',
];

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

  it('mirror every word of the core for what it notices, and have none that it does not know', () => {
    const known = Object.keys(NOTICE_CODES).map((code) => `NOTE_${code.toUpperCase()}`);
    expect(Object.keys(pairs).filter((name) => name.startsWith('NOTE_'))).to.have.members(known);
    for (const name of known) expect(pairs[name]![1]).to.match(/: %\(message\)s$/);
    expect(Object.keys(NOTICE_CODES).filter((code) => code in FAILURE_CODES)).to.deep.equal([]);
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
    const inResults = Object.keys(pairs).filter((name) => /^(ERR|NOTE)_/.test(name) && !NOT_IN_RESULTS.includes(name));
    for (const name of inResults) expect(guide).to.contain(`\`${name.replace(/^[A-Z]+_/, '').toLowerCase()}\``);
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

    it('name what was noticed where nothing else says why a run is partial', async () => {
      const log = (level: string, code: string, message: string) => ({ notification: { method: 'log', params: { level, code, message } } });
      const result = { result: { status: 'partial', units: [{ unit: 'site1', status: 'ok' }] } };
      for (const [code, text] of [
        ['restore_settled', 'A database was put back as it was before a restore that had died: mysql/a'],
        ['history_missing', 'A part of the history is gone: mysql/a'],
        ['newer_word', 'mysql/a'],
      ]) {
        panel.answer({ run: [log('info', 'waiting', 'no'), log('warning', code!, 'mysql/a'), result] });
        expect((await panel.cpcmd('backup:run', 'all')).stderr).to.contain(`The first: ${text}\n`);
      }
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

import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const OK = { result: { version: '9' } };

/** Names another program and another settings file in the panel's configuration. */
function configure(panel: FakePanel, core: string, settings: string): void {
  const ini = join(panel.panel.home, 'config/custom/config.ini');
  const text = readFileSync(ini, 'utf8');
  const changed = text.replace(/^core = .*$/m, `core = "${core}"`).replace(/^config = .*$/m, `config = "${settings}"`);
  writeFileSync(ini, changed);
}

/** Whether a process is there; a child that nobody reaped counts. */
function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the way from the module to the core', () => {
  let panel: FakePanel;
  beforeEach(() => {
    panel = new FakePanel();
  });
  afterEach(() => panel.remove());

  const version = async () => {
    const { stdout, stderr, exitCode } = await panel.cpcmd('-o', 'json', 'backup:version');
    expect(exitCode, stderr).to.be.oneOf([0, 1]);
    return { answer: JSON.parse(stdout), stderr };
  };
  const failsWith = async (code: string, text: string | RegExp) => {
    const { answer, stderr } = await version();
    expect(answer.status).to.equal('failed');
    expect(answer.error.code).to.equal(code);
    expect(answer.error.message).to.match(text instanceof RegExp ? text : new RegExp(text));
    expect(stderr.match(/^ERROR: /gm)).to.have.length(1);
    for (const note of panel.notes) expect(isAlive(note.process), 'the core still runs').to.equal(false);
  };

  it('starts it with nothing but what it needs', async () => {
    panel.answer({ version: [OK] });
    expect((await version()).answer).to.deep.equal({ module: '0.1.0', version: '9' });
    const note = panel.notes[0]!;
    expect(note.arguments).to.deep.equal(['rpc', '--config', panel.settingsFile]);
    expect(Object.keys(note.environment).sort()).to.deep.equal(['HOME', 'LANG', 'PATH']);
    expect(note).to.include({ directory: '/', fileSizeLimit: 'unlimited' });
    expect(note.request).to.include({ jsonrpc: '2.0', id: 1, method: 'version' });
    expect(isAlive(note.process)).to.equal(false);
  });

  it('passes over progress, and keeps the log up to a limit', async () => {
    const log = { notification: { method: 'log', params: { level: 'warning', code: 'vanished', message: 'gone' } } };
    const progress = { notification: { method: 'progress', params: { entries: 1 } } };
    panel.answer({ version: [progress, ...Array(130).fill(log), progress, OK] });
    const { answer } = await version();
    expect(answer.version).to.equal('9');
    expect(answer.log).to.have.length(100);
    expect(answer.logOmitted).to.equal(30);
  });

  it('follows a run at a terminal, on one line that is gone when the result comes', async () => {
    const progress = (entries: number) => ({
      notification: { method: 'progress', params: { unit: 'site1', phase: 'reading', entries, entriesTotal: 9, bytes: 5_000_000 } },
    });
    const result = { result: { status: 'ok', units: [] } };
    const command = `${panel.panel.cpcmd} backup:run site1`;
    const screen = async () => (await execa('script', ['-qec', command, '/dev/null'], { stdin: 'ignore', reject: false })).stdout;
    panel.answer({ run: [progress(1), progress(7), result] });
    const shown = await screen();
    expect(shown).to.contain('site1: reading, 1 of 9 entries, 4 MiB\r\x1b[Ksite1: reading, 7 of 9 entries');
    /** What is left on each line. */
    const left = (text: string) => text.split(/\r?\n/).map((line) => line.slice(line.lastIndexOf('\r\x1b[K') + 1).replace('\x1b[K', ''));
    expect(left(shown).join('\n')).to.contain('status: ok').and.not.contain('entries,');
    panel.answer({ run: [progress(1), { exit: 1 }] });
    expect(left(await screen()).join('\n'))
      .to.contain('The backup program ended without an answer')
      .and.not.contain('entries,');
    panel.answer({ run: [progress(1), result] });
    expect((await panel.cpcmd('backup:run', 'site1')).stderr).to.equal('');
  });

  it('is not held up by a flood on stderr, and does not show it when all went well', async () => {
    panel.answer({ version: [{ fillStderr: 200_000 }, OK] });
    expect(await version()).to.deep.equal({ answer: { module: '0.1.0', version: '9' }, stderr: '' });
  });

  it('sends a request that is longer than a pipe holds', async () => {
    panel.answer({ restore: [{ result: { status: 'ok' } }] });
    const paths = Array.from({ length: 2500 }, (_, i) => `shadow/home/alice/${'long-name-'.repeat(2)}${i}`);
    await panel.cpcmd('-i', 'json', 'backup:restore', '"site1"', JSON.stringify(paths));
    expect(panel.notes[0]!.request.params.paths).to.have.length(2500);
  });

  it('takes the answer however it is cut', async () => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { version: 'é' } });
    panel.answer({ version: [...text].map((raw) => ({ raw })).concat({ raw: '\n' }) });
    expect((await version()).answer.version).to.equal('é');
  });

  const garbage: Record<string, string> = {
    'no JSON': 'Segmentation fault\n',
    null: 'null\n',
    'a number': '42\n',
    'an empty line': '\n',
    'a message of another protocol': '{"id":1,"result":{}}\n',
    'the answer to another request': '{"jsonrpc":"2.0","id":2,"result":{}}\n',
    'no result at all': '{"jsonrpc":"2.0","id":1}\n',
    'a null result': '{"jsonrpc":"2.0","id":1,"result":null}\n',
    'a bare result': '{"jsonrpc":"2.0","id":1,"result":"ok"}\n',
  };
  for (const [what, raw] of Object.entries(garbage)) {
    it(`says so when the core answers ${what}, and ends it`, async () => {
      panel.answer({ version: [{ raw }, { hang: true }] });
      await failsWith('core_garbage', /cannot be understood/);
    });
  }

  it('does not read a line without an end into memory', async () => {
    panel.answer({ version: [{ fill: 17 * 1024 * 1024 }, { hang: true }] });
    await failsWith('core_garbage', /longer than 16777216 bytes/);
  });

  it('ends a core that ignores the request to leave', async () => {
    panel.answer({ version: [{ ignoreSignals: true }, { raw: 'garbage\n' }, { hang: true }] });
    await failsWith('core_garbage', /garbage/);
  });

  it('says how the core ended when it ended without an answer', async () => {
    panel.answer({ version: [{ stderr: 'cannot read settings\n' }, { exit: 3 }] });
    await failsWith('core_silent', /exit status 3, cannot read settings/);
    panel.answer({ version: [{ raw: '{"jsonrpc":"2.0","id":1,"resu' }, { exit: 0 }] });
    await failsWith('core_silent', /exit status 0/);
  });

  it('shows no control characters of what the core said', async () => {
    panel.answer({ version: [{ stderr: 'red \u001b[31m\u0000bell\u0007' }, { exit: 1 }] });
    const { answer, stderr } = await version();
    expect(answer.error.message).to.contain('red \\x1B[31m\\x00bell\\x07');
    expect(stderr).to.contain('red \\x1B[31m').and.not.contain('\u001b');
  });

  it('says which program is missing', async () => {
    rmSync(panel.core);
    await failsWith('core_missing', panel.core);
  });

  it('does not start a program that cannot be started', async () => {
    chmodSync(panel.core, 0o644);
    await failsWith('core_missing', panel.core);
    writeFileSync(panel.core, '#!/no/such/interpreter\n', { mode: 0o755 });
    chmodSync(panel.core, 0o755);
    await failsWith('core_silent', /exit status 127|exit status 126/);
  });

  it('starts nothing as root that others can change, and obeys no settings of theirs', async () => {
    panel.answer({ version: [OK] });
    chmodSync(panel.core, 0o775);
    await failsWith('core_untrusted', /can be changed by others than root/);
    chmodSync(panel.core, 0o755);
    chownSync(panel.core, 65534, 0);
    await failsWith('core_untrusted', /can be changed/);
    chownSync(panel.core, 0, 0);
    chownSync(panel.settingsFile, 65534, 0);
    await failsWith('core_untrusted', /settings\.json/);
    expect(panel.notes).to.deep.equal([]);
  });

  it('counts every folder above, behind links too, and uses what it looked at', async () => {
    panel.answer({ version: [OK] });
    const folder = join(panel.folder, 'of-others');
    mkdirSync(folder);
    chownSync(folder, 65534, 65534);
    const link = join(folder, 'core');
    symlinkSync(panel.core, link);
    // A link of theirs to what is root's is root's program under its real name.
    configure(panel, link, panel.settingsFile);
    expect((await version()).answer.version).to.equal('9');
    // Their folder has root's program: they could put another in its place.
    rmSync(link);
    copyFileSync(panel.core, link);
    panel.answer({ version: [OK] });
    await failsWith('core_untrusted', /of-others can be changed by others than root/);
    const settings = join(folder, 'settings.json');
    configure(panel, panel.core, settings);
    await failsWith('core_untrusted', /of-others can be changed/);
    copyFileSync(panel.settingsFile, settings);
    await failsWith('core_untrusted', /of-others can be changed/);
    chownSync(folder, 0, 0);
    chmodSync(folder, 0o775);
    await failsWith('core_untrusted', /of-others can be changed/);
    expect(panel.notes).to.deep.equal([]);
    chmodSync(folder, 0o755);
    expect((await version()).answer.version).to.equal('9');
  });
});

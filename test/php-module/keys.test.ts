import { chmodSync, chownSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const RECIPIENT = `age1${'q'.repeat(58)}`;
const SECRET = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;

describe('backup:init and backup:keys', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());
  beforeEach(() => panel.answer({ init: [{ result: { status: 'ok' } }], keys: [{ result: { status: 'ok' } }] }));

  const asked = () => panel.notes.map(({ request }) => [request.method, request.params]);
  const file = (name: string, mode: number) => {
    const path = join(panel.folder, name);
    writeFileSync(path, 'secret\n');
    chmodSync(path, mode);
    return path;
  };

  it('take recipients, which are public, and a secret in a file of root', async () => {
    const phrase = file('phrase', 0o600);
    await panel.cpcmd('backup:init', `[recipients:[${RECIPIENT}],passphraseFile:${phrase},serverCanRead:true]`);
    await panel.frontend('backup:keys', `[recipients:${RECIPIENT},removeRecipients:[${RECIPIENT},${RECIPIENT}]]`);
    await panel.cpcmd('backup:keys', '[plain:true]');
    await panel.cpcmd('backup:keys');
    expect(asked()).to.deep.equal([
      ['init', { recipients: [RECIPIENT], passphraseFile: phrase, serverCanRead: true }],
      ['keys', { recipients: [RECIPIENT], removeRecipients: [RECIPIENT, RECIPIENT] }],
      ['keys', { plain: true }],
      ['keys', []],
    ]);
  });

  it('refuse a secret itself without repeating it, and a file that is not root’s alone', async () => {
    const others = file('others', 0o600);
    chownSync(others, 65534, 65534);
    const link = join(panel.folder, 'link');
    symlinkSync(file('target', 0o600), link);
    const wrong = [
      SECRET,
      `[${SECRET}]`,
      `[recipients:[${SECRET}]]`,
      `[recipients:${SECRET}]`,
      '[recipients:[]]',
      '[passphraseFile:hunter2]',
      '[passphraseFile:-]',
      `[passphraseFile:${file('readable', 0o640)}]`,
      `[passphraseFile:${others}]`,
      `[passphraseFile:${link}]`,
      `[passphrase:hunter2]`,
      '[identity:/root/key]',
    ];
    for (const command of ['backup:init', 'backup:keys']) {
      for (const options of wrong) {
        const { stdout, stderr } = await panel.cpcmd('-o', 'json', command, options);
        expect(JSON.parse(stdout).error.code, options).to.equal('bad_option');
        expect(stdout + stderr).to.not.match(/AGE-SECRET|hunter2/);
      }
    }
    expect(asked()).to.deep.equal([]);
  });
});

import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { type Identity, newIdentity } from '../../core/crypto/identity.ts';
import { FakePanel } from './fake-panel.ts';
import { useRealCore } from './real-core.ts';

describe('an owner in the panel, where backups are encrypted', function () {
  // Each call starts a Node of its own, from source.
  this.timeout(120_000);
  let panel: FakePanel;
  let identity: Identity;
  let file: string;

  before(async () => {
    identity = await newIdentity();
    panel = new FakePanel();
    useRealCore(panel);
    const home = join(panel.accounts, 'site1/shadow/home/alice');
    mkdirSync(home, { recursive: true });
    file = join(home, 'file');
    writeFileSync(file, 'alice');
    for (const path of [home, file]) chownSync(path, 2001, 2001);
    await core('init', '--server-can-read', '--recipient', identity.recipient);
  });
  after(() => panel.remove());

  const core = (...args: string[]) => execa(panel.core, ['--config', panel.settingsFile, ...args]);
  const ask = async (...words: string[]) => JSON.parse((await panel.cpcmd('-o', 'json', ...words)).stdout);
  const restoreAsOwner = () => ask('-d', 'site1', 'backup:restore', '[shadow/home/alice/file]');

  it('restores alone while the server can read', async () => {
    expect((await ask('backup:run', 'site1')).status).to.equal('ok');
    rmSync(file);
    expect((await restoreAsOwner()).status).to.equal('ok');
    expect(readFileSync(file, 'utf8')).to.equal('alice');
  });

  it('is told why not once it can only write, and an administrator restores with a key from standard input', async () => {
    await core('keys', '--write-only');
    expect((await ask('backup:run', 'site1', 'full')).status).to.equal('ok');
    rmSync(file);
    const { error } = await restoreAsOwner();
    expect(error.code).to.equal('identity_missing');
    const args = ['--config', panel.settingsFile, '--json', 'restore', 'site1', 'shadow/home/alice/file', '--identity', '-'];
    const { stdout } = await execa(panel.core, args, { input: `${identity.secret}\n` });
    expect(JSON.parse(stdout)).to.include({ status: 'ok', written: 1 });
    expect(readFileSync(file, 'utf8')).to.equal('alice');
  });
});

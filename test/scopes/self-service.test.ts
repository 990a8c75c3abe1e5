import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { newIdentity } from '../../core/crypto/identity.ts';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';
import { useRealCore, writeSettings } from '../stand-in-panel/real-core.ts';

describe('Scopes that are a part of something', function () {
  // Each call starts a Node of its own, from source.
  this.timeout(120_000);
  let panel: FakePanel;
  let settings: object;
  before(() => {
    panel = new FakePanel();
    settings = useRealCore(panel);
    writeSettings(panel, settings);
  });
  after(() => panel.remove());

  const get = async (scope: string) => JSON.parse((await panel.cpcmd('-o', 'json', 'scope:get', scope)).stdout);
  const set = async (scope: string, ...words: string[]) => {
    const { stdout, stderr } = await panel.cpcmd('scope:set', scope, ...words);
    return stdout === '1' ? '' : stderr;
  };
  const written = () => JSON.parse(readFileSync(panel.settingsFile, 'utf8')).limits;

  it('self-service changes what is for owners, and nothing else of the limits', async () => {
    const scope = 'backups.self-service';
    expect(await get(scope)).to.deep.equal({ interval: '1 hour', share: 0.1 });
    writeSettings(panel, { ...settings, limits: { load: 4 } });
    expect(await set(scope, '[interval:6hours]')).to.equal('');
    expect(written()).to.deep.equal({ load: 4, ownerInterval: '6hours' });
    expect(await get(scope)).to.deep.equal({ interval: '6hours', share: 0.1 });
    for (const wrong of ['[share:-1]', '[interval:soon]'])
      expect(await set(scope, wrong), wrong).to.match(/cannot be .*(ownerShare|ownerInterval)/);
    for (const wrong of ['[load:4]', '[]', '7'])
      expect(await set(scope, wrong), wrong).to.contain("it takes a map, such as '[interval:6hours");
    expect(await set(scope, 'null')).to.equal('');
    expect(written()).to.deep.equal({ load: 4 });
    writeSettings(panel, { ...settings, limits: { load: 'x', wait: 5 } });
    expect(await set(scope, '[interval:6hours]')).to.contain('/limits/load');
    expect(written()).to.deep.equal({ load: 'x', wait: 5 });
    writeSettings(panel, settings);
  });

  it('encryption says who can read, and changes that for exactly the named', async () => {
    const scope = 'backups.encryption';
    const [first, second] = await Promise.all([newIdentity(), newIdentity()]);
    await panel.cpcmd('backup:init');
    expect(await get(scope)).to.equal('plain');
    expect(await set(scope, `[recipients:[${first.recipient}],serverCanRead:true]`)).to.equal('');
    expect(await get(scope)).to.deep.equal({ recipients: [first.recipient], serverCanRead: true, passphrase: false });
    expect(await set(scope, `[recipients:[${second.recipient}]]`)).to.equal('');
    expect(await set(scope, `[recipients:[${second.recipient}]]`), 'again').to.equal('');
    expect(await get(scope)).to.deep.equal({ recipients: [second.recipient], serverCanRead: true, passphrase: false });
    const refused = await set(scope, `[recipients:[${first.secret}]]`);
    expect(refused).to.contain('recipients').and.to.not.contain(first.secret);
    for (const wrong of ['null', '[]', 'none', 'true', '[age1zz]'])
      expect(await set(scope, wrong), wrong).to.contain('it takes plain, or a map');
    expect(await set(scope, 'plain')).to.equal('');
    expect(await get(scope)).to.equal('plain');
  });
});

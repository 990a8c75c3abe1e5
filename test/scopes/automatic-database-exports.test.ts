import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const SCOPE = 'backups.automatic-database-exports';

describe('backups.automatic-database-exports', () => {
  let panel: FakePanel;
  afterEach(() => panel.remove());

  const read = (file: string) => readFileSync(join(panel.panel.home, file), 'utf8');
  const set = (...words: string[]) => panel.cpcmd('scope:set', SCOPE, ...words);

  it('sets, where the panel has none, the variable that was documented before, once', async () => {
    panel = new FakePanel();
    expect((await panel.cpcmd('scope:get', SCOPE)).stdout).to.equal('1');
    for (let time = 0; time < 2; time++) expect(await set('false')).to.include({ stdout: '1', stderr: '' });
    expect(JSON.parse(read('apnscp-vars-runtime.json'))).to.deep.equal({ manual_database_backups: true });
    expect(read('bootstrapper.log')).to.equal('apnscp/crons\n');
    expect((await panel.cpcmd('scope:get', SCOPE)).stdout).to.equal('');
    expect((await set('null')).stdout).to.equal('1');
    expect((await panel.cpcmd('scope:get', SCOPE)).stdout).to.equal('1');
    for (const wrong of [['maybe'], ['7'], ['[]'], ['true', 'false']]) {
      expect((await set(...wrong)).stderr, wrong.join(' ')).to.contain(`cannot take \`${wrong.join(' ')}'; it takes true or false`);
    }
  });

  it('is the panel’s own where it has one', async () => {
    panel = new FakePanel({ standin: { own_exports: '1' } });
    expect((await panel.cpcmd('scope:get', SCOPE)).stdout).to.equal("the panel's own");
    expect((await panel.cpcmd('scope:list')).stdout.match(new RegExp(SCOPE, 'g'))).to.have.length(1);
  });
});

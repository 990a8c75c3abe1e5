import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

describe('backup:databases', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  beforeEach(() => panel.answer({ databases: [{ result: { unit: 'site1', unitId: 'site1-00000000', current: true, databases: [] } }] }));
  after(() => panel.remove());

  const asked = () => panel.notes.map((note) => note.request.params);
  const refusal = async (...words: string[]) => {
    const { stdout } = await panel.cpcmd('-o', 'json', ...words);
    expect(panel.notes, words.join(' ')).to.deep.equal([]);
    return JSON.parse(stdout).error.code;
  };

  it('passes on site and moment of the administrator', async () => {
    await panel.cpcmd('backup:databases', 'two.example', '[at:yesterday]');
    expect(asked()).to.deep.equal([{ unit: 'site2', at: 'yesterday' }]);
  });

  it('takes the site of an owner from the session', async () => {
    await panel.cpcmd('-d', 'one.example', 'backup:databases');
    await panel.cpcmd('-d', 'one.example', 'backup:databases', '[at:latest]');
    expect(asked()).to.deep.equal([
      { unit: 'site1', policy: 'owner' },
      { unit: 'site1', policy: 'owner', at: 'latest' },
    ]);
  });

  it('asks for all units when the administrator names none, and never when an owner does', async () => {
    panel.answer({ databases: Array.from({ length: 4 }, () => ({ result: { status: 'ok', warnings: [], warningCount: 0, units: [] } })) });
    await panel.cpcmd('backup:databases');
    await panel.cpcmd('backup:databases', 'all', '[at:yesterday]');
    await panel.cpcmd('backup:databases', '[at:yesterday]');
    expect(asked()).to.deep.equal([[], { at: 'yesterday' }, { at: 'yesterday' }]);
    expect((await panel.cpcmd('-d', 'one.example', '-o', 'json', 'backup:databases')).stdout).to.include('unit_unknown');
    expect(asked().at(-1)).to.deep.equal({ unit: 'site1', policy: 'owner' });
  });

  it('refuses another site, what only the administrator may ask for, and an emptied name', async () => {
    expect(await refusal('-d', 'one.example', 'backup:databases', 'site2')).to.equal('other_site');
    expect(await refusal('-d', 'one.example', 'backup:databases', '[earlier:1]')).to.equal('bad_option');
    expect(await refusal('-d', 'one.example', 'backup:databases', 'all')).to.equal('other_site');
    expect(await refusal('backup:databases', '')).to.equal('all_needed');
  });
});

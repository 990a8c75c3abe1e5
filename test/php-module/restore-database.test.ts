import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

describe('backup:restore-database', () => {
  let panel: FakePanel;
  beforeEach(() => {
    panel = new FakePanel();
    panel.answer({ restoreDatabase: [{ result: { status: 'ok', unit: 'site1', current: true } }] });
  });
  afterEach(() => panel.remove());

  const asked = () => panel.notes.map((note) => note.request.params);
  const refusal = async (...words: string[]) => {
    const { stdout } = await panel.cpcmd('-o', 'json', ...words);
    expect(panel.notes, words.join(' ')).to.deep.equal([]);
    return JSON.parse(stdout).error.code;
  };

  it('passes on site, databases and options of the administrator', async () => {
    await panel.cpcmd('backup:restore-database', 'two.example', '[mysql/two_wp,postgresql/two_x]', '[at:latest,dryRun:1,users:true]');
    await panel.cpcmd('backup:restore-database', 'site2', 'mysql/two_wp', '[as:two_copy]');
    await panel.cpcmd('backup:restore-database', 'site2', 'all');
    await panel.cpcmd('backup:restore-database', 'site12', 'all', '[server:old.example.com,onto:two.example]');
    expect(asked()).to.deep.equal([
      { unit: 'site2', databases: ['mysql/two_wp', 'postgresql/two_x'], at: 'latest', dryRun: true, users: true },
      { unit: 'site2', databases: ['mysql/two_wp'], as: 'two_copy' },
      { unit: 'site2', all: true },
      { unit: 'site12', all: true, server: 'old.example.com', onto: 'site2' },
    ]);
  });

  it('takes the site of an owner from the session, whatever stands in the arguments', async () => {
    await panel.cpcmd('-d', 'one.example', 'backup:restore-database', '[mysql/one_wp]', '[at:latest]');
    await panel.cpcmd('-d', 'one.example', 'backup:restore-database', 'all');
    await panel.cpcmd('-d', 'one.example', 'backup:restore-database', 'one.example', 'mysql/two_wp');
    expect(asked()).to.deep.equal([
      { unit: 'site1', policy: 'owner', databases: ['mysql/one_wp'], at: 'latest' },
      { unit: 'site1', policy: 'owner', all: true },
      { unit: 'site1', policy: 'owner', databases: ['mysql/two_wp'] },
    ]);
  });

  it('refuses another site, and what only the administrator may ask for', async () => {
    const owner = ['-d', 'one.example', 'backup:restore-database'];
    expect(await refusal(...owner, 'site2', 'all')).to.equal('other_site');
    for (const option of ['to:/tmp/x', 'users:1', 'server:other', 'earlier:1', 'onto:site2'])
      expect(await refusal(...owner, '[mysql/one_wp]', `[${option}]`), option).to.equal('bad_option');
  });

  it('never takes nothing for everything', async () => {
    for (const nothing of ["''", '[]', 'null', 'wp', '[mysql/]', "['']"])
      expect(await refusal('backup:restore-database', 'site1', nothing), nothing).to.equal('bad_argument');
    expect(await refusal('backup:restore-database')).to.equal('site_needed');
  });
});

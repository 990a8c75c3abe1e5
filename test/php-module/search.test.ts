import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

/** The commands that look into backups, each with the arguments that come after the site. */
const SEARCHES: Record<string, readonly string[]> = {
  ls: ['shadow/home'],
  find: ['*.php', 'shadow/home'],
  history: ['shadow/home/alice/page'],
  diff: ['2026-01-01', 'live', 'shadow/home'],
};

describe('what a site and the administrator find in backups', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());

  const answerWith = (result: object) => {
    const steps = [{ result }];
    panel.answer({ plan: steps, ls: steps, find: steps, history: steps, diff: steps });
  };
  beforeEach(() => answerWith({ unit: 'site1', current: true, next: null }));

  const asked = () => panel.notes.map((note) => [note.request.method, note.request.params]);
  const ask = async (...words: string[]) => JSON.parse((await panel.cpcmd('-o', 'json', ...words)).stdout);

  it('is asked for by site, path and options', async () => {
    await ask('backup:ls', 'two.example', 'shadow/home', "[at:'yesterday 14:00',recursive:true,limit:5,after:YWJj_-]");
    await ask('backup:ls', 'system');
    await ask('backup:find', 'site1', '*.php', 'null', '[limit:1]');
    await ask('backup:history', 'site1', '[path_b64:Yf8=]');
    await ask('backup:diff', 'site1');
    await ask('backup:diff', 'site1', '2026-01-01', '2026-01-02', 'shadow');
    await ask('backup:plan', 'site1', '[shadow/a]', '[at:latest,overwrite:changed]');
    expect(asked()).to.deep.equal([
      ['ls', { unit: 'site2', folder: { path: 'shadow/home' }, at: 'yesterday 14:00', recursive: true, limit: 5, after: 'YWJj_-' }],
      ['ls', { unit: 'system' }],
      ['find', { unit: 'site1', pattern: '*.php', limit: 1 }],
      ['history', { unit: 'site1', path: { path: 'a\ufffd', path_b64: 'Yf8=' } }],
      ['diff', { unit: 'site1', from: 'latest', live: true }],
      ['diff', { unit: 'site1', from: '2026-01-01', to: '2026-01-02', folder: { path: 'shadow' } }],
      ['plan', { unit: 'site1', paths: [{ path: 'shadow/a' }], at: 'latest', overwrite: 'changed' }],
    ]);
  });

  it('needs one site', async () => {
    for (const [command, words] of Object.entries(SEARCHES)) {
      expect((await ask(`backup:${command}`, 'null', ...words)).error.code, command).to.equal('site_needed');
    }
    expect((await ask('backup:plan', 'all')).error.code).to.equal('site_needed');
    expect(asked()).to.deep.equal([]);
  });

  it('is of a site its own, below shadow, whatever it leaves out', async () => {
    await ask('-d', 'site1', 'backup:ls');
    await ask('-d', 'site1', 'backup:find', 'null', 'x');
    await ask('-d', 'site1', 'backup:diff', 'one.example');
    await ask('-d', 'site1', 'backup:plan');
    const folder = { path: 'shadow' };
    expect(asked()).to.deep.equal([
      ['ls', { unit: 'site1', policy: 'owner', folder }],
      ['find', { unit: 'site1', policy: 'owner', folder, pattern: 'x' }],
      ['diff', { unit: 'site1', policy: 'owner', folder, from: 'latest', live: true }],
      ['plan', { unit: 'site1', policy: 'owner', paths: [folder] }],
    ]);
  });

  it('is nothing of a neighbour, of the server, or of what the plan grants', async () => {
    for (const [command, words] of Object.entries(SEARCHES)) {
      for (const other of ['site2', 'two.example', 'system', 'all', 'site1-1f3a9c2e', '../site2']) {
        expect((await ask('-d', 'site1', `backup:${command}`, other, ...words)).error.code, `${command} ${other}`).to.equal('other_site');
      }
      for (const path of ['info', 'shadowed', '[path_b64:aW5mbw==]']) {
        const error = (await ask('-d', 'site1', `backup:${command}`, 'null', ...words.slice(0, -1), path)).error.code;
        expect(error, `${command} ${path}`).to.equal('owner_path');
      }
      for (const path of ['/etc', 'shadow/../info', '[a,b]']) {
        const error = (await ask('-d', 'site1', `backup:${command}`, 'null', ...words.slice(0, -1), path)).error.code;
        expect(error, `${command} ${path}`).to.equal('bad_path');
      }
    }
    expect(asked()).to.deep.equal([]);
  });

  it('is nothing of an earlier customer of the number', async () => {
    const foreign = [{ unit: 'site1', current: false }, { unit: 'site1' }, { unit: 'site2', current: true }, { current: true }];
    for (const result of foreign) {
      answerWith({ ...result, entries: [{ path: 'shadow/secret' }] });
      for (const [command, words] of [...Object.entries(SEARCHES), ['plan', []] as const]) {
        const answer = await ask('-d', 'site1', `backup:${command}`, 'null', ...words);
        expect(answer.error.code, command).to.equal('unit_unknown');
        expect(JSON.stringify(answer)).to.not.contain('secret');
      }
      expect(await ask('backup:ls', 'site1'), 'the administrator').to.have.property('entries');
    }
  });

  it('takes no option that is none', async () => {
    for (const options of [
      '[policy:any]',
      '[unit:site2]',
      '[at:../x]',
      "[at:'']",
      '[limit:0]',
      '[limit:x]',
      '[limit:10001]',
      "[after:'a b']",
      '[live:maybe]',
      '[a]',
    ]) {
      expect((await ask('backup:ls', 'site1', 'null', options)).error.code, options).to.equal('bad_option');
    }
    expect((await ask('backup:diff', 'site1', '../x')).error.code).to.equal('bad_argument');
    expect(asked()).to.deep.equal([]);
  });

  it('comes whole from the front end', async () => {
    await panel.frontend('-d', 'site1', 'backup:ls', 'null', 'shadow/home', '[limit:7]');
    await panel.frontend('-d', 'site1', 'backup:find', 'null', 'x', 'shadow/home', '[limit:7]');
    await panel.frontend('-d', 'site1', 'backup:history', 'null', 'shadow/x', '[limit:7]');
    await panel.frontend('-d', 'site1', 'backup:diff', 'null', 'today', 'latest', 'shadow/x', '[limit:7]');
    await panel.frontend('-d', 'site1', 'backup:plan', '[shadow/x]', '[at:today]');
    expect(asked()).to.deep.equal([
      ['ls', { unit: 'site1', policy: 'owner', folder: { path: 'shadow/home' }, limit: 7 }],
      ['find', { unit: 'site1', policy: 'owner', folder: { path: 'shadow/home' }, limit: 7, pattern: 'x' }],
      ['history', { unit: 'site1', policy: 'owner', path: { path: 'shadow/x' }, limit: 7 }],
      ['diff', { unit: 'site1', policy: 'owner', folder: { path: 'shadow/x' }, from: 'today', to: 'latest', limit: 7 }],
      ['plan', { unit: 'site1', policy: 'owner', paths: [{ path: 'shadow/x' }], at: 'today' }],
    ]);
  });
});

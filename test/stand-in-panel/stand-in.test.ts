import { expect } from 'chai';
import { FakePanel } from './fake-panel.ts';

const ROOT = 0;
const NOBODY = 65534;

describe('the stand-in for the panel', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());

  const json = async (call: Promise<{ stdout: string }>) => JSON.parse((await call).stdout);

  it('acts for the administrator, a site, a site by its domain, or a user of it', async () => {
    const session = async (...options: string[]) => json(panel.cpcmd(...options, '-o', 'json', 'probe:session'));
    expect(await session()).to.include({ site: '', domain: '', cli: true, euid: ROOT });
    const site = { site: 'site2', domain: 'two.example', username: 'bob', fst: `${panel.accounts}/site2/fst/home` };
    expect(await session('-d', 'site2')).to.include(site);
    expect(await session('-d', 'two.example')).to.include(site);
    expect(await session('-d', 'site2', '-u', 'mallory')).to.include({ site: 'site2', username: 'mallory' });
    expect((await panel.cpcmd('-d', 'nowhere.example', 'probe:session')).stderr).to.contain('unknown site nowhere.example');
  });

  it('checks at the entry who may call what', async () => {
    const denied = 'not permitted for this role';
    expect((await panel.cpcmd('-d', 'site1', 'probe:echo', 'x')).stderr).to.contain(denied);
    expect((await panel.cpcmd('probe:nobody')).stderr).to.contain(denied);
    expect((await panel.cpcmd('probe:for-users')).stderr).to.contain(denied);
    expect((await panel.cpcmd('-d', 'site1', '-u', 'x', 'probe:for-users')).stdout).to.equal('1');
    expect((await panel.cpcmd('probe:in-backend')).stderr).to.contain(denied);
    for (const hidden of [
      'probe:_hidden',
      'probe:internal',
      'probe:query',
      'probe:__construct',
      'probe:set-context',
      'probe',
      'none:x',
      '',
    ]) {
      expect((await panel.cpcmd(hidden)).stderr, hidden).to.contain('command not found');
    }
  });

  it('lists what a role may call and nothing else', async () => {
    const commands = await json(panel.cpcmd('-d', 'site1', '-o', 'json', 'misc:list-commands', 'probe:*'));
    expect(commands).to.deep.equal(['probe:session']);
  });

  it('hops from a process without privileges into one that has them, with every argument and every message', async () => {
    const session = await json(panel.frontend('-o', 'json', 'probe:session'));
    expect(session).to.include({ cli: false, euid: NOBODY });
    const { stdout, stderr } = await panel.frontend('-i', 'json', '-o', 'json', 'probe:hop', '"a"', '[1,{"k":null}]', 'false', '""');
    expect(JSON.parse(stdout)).to.deep.equal({ euid: ROOT, arguments: ['a', [1, { k: null }], false, ''] });
    expect(stderr).to.contain('WARNING: from the backend');
  });

  it('refuses wrong arguments without a trace of the inside', async () => {
    const { stdout, stderr, exitCode } = await panel.cpcmd('backup:run', '[a]');
    expect(exitCode).to.equal(1);
    expect(stdout).to.contain('code: bad_argument');
    expect(stdout + stderr).not.to.match(/UNCAUGHT|TypeError|\.php/);
  });

  it('prints true as 1 and false as nothing', async () => {
    expect((await panel.cpcmd('probe:give', 'true')).stdout).to.equal('1');
    expect((await panel.cpcmd('probe:give', 'false')).stdout).to.equal('');
    expect((await panel.cpcmd('-o', 'json', 'probe:give', 'false')).stdout).to.equal('false');
  });

  it('runs several commands in one process', async () => {
    expect((await panel.cpcmd('probe:give', '1', ';', 'probe:give', '2')).stdout).to.equal('1\n2');
  });

  it('substitutes in messages only when there are arguments, and never what an argument holds', async () => {
    const say = async (...words: string[]) => (await panel.cpcmd('-i', 'json', 'probe:say', ...words.map((w) => JSON.stringify(w)))).stderr;
    expect(await say('warn', '100% of %s')).to.contain('WARNING: 100% of %s');
    expect(await say('warn', "`%s' of %d", '%s%n', '3')).to.contain("WARNING: `%s%n' of 3");
    const named = panel.cpcmd('-i', 'json', 'probe:say', '"error"', '[":err_x","`%(a)s\' 5%%"]', '{"a":"%(b)s %%"}');
    expect((await named).stderr).to.contain("ERROR: `%(b)s %%' 5%");
  });

  it('shows repeated messages once, and none when there are none', async () => {
    const twice = await panel.cpcmd('probe:say', 'warn', 'again', ';', 'probe:say', 'warn', 'again');
    expect(twice.stderr.match(/again/g)).to.have.length(1);
    expect((await panel.cpcmd('probe:give', '1')).stderr).to.equal('');
  });

  it('ends a fatal message with 255, and takes a deprecation for a failure', async () => {
    expect((await panel.cpcmd('probe:say', 'fatal', 'stop')).exitCode).to.equal(255);
    const deprecated = await panel.cpcmd('probe:deprecated');
    expect(deprecated.exitCode).to.equal(70);
    expect(deprecated.stderr).to.contain('htmlspecialchars');
  });
});

import { expect } from 'chai';
import { defaultSettings } from '../../core/config/defaults.ts';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const DEFAULT = defaultSettings().repository;
const refuse = (code: string, message: string) => [{ error: { code: -32000, message, data: { code, message } } }];
const setting = (value: unknown) => [{ result: { name: 'repository', value, default: DEFAULT } }];

describe('the Scope backups.destination', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());

  const asked = () => panel.notes.map(({ request }) => [request.method, request.params]);

  it('is listed, for the administrator alone', async () => {
    expect((await panel.cpcmd('scope:list')).stdout).to.contain('backups.destination');
    expect((await panel.cpcmd('-d', 'site1', 'scope:get', 'backups.destination')).stderr).to.contain('not permitted');
  });

  it('reads the value from the core', async () => {
    panel.answer({ 'settings.get': setting('/srv/backups') });
    expect((await panel.cpcmd('scope:get', 'backups.destination')).stdout).to.equal('/srv/backups');
    expect(asked()).to.deep.equal([['settings.get', { name: 'repository' }]]);
  });

  it('tells help, value, what it takes and the default, from a process without privileges', async () => {
    panel.answer({ 'settings.get': setting('/srv/backups') });
    const info = JSON.parse((await panel.frontend('-o', 'json', 'scope:info', 'backups.destination')).stdout);
    expect(info).to.include({ value: '/srv/backups', settings: 'string', default: DEFAULT });
    expect(info.info).to.match(/repository/);
    expect(panel.notes[0]!.user).not.to.equal(0);
  });

  for (const [what, steps] of Object.entries({
    'may not be read': refuse('invalid_settings', 'cannot be read'),
    'cannot be understood': [{ raw: 'x\n' }],
    'are not there': [{ exit: 1 }],
  })) {
    it(`shows no guess when the settings ${what}: nothing without privileges, and to root why`, async () => {
      panel.answer({ 'settings.get': steps });
      const { stdout, stderr } = await panel.frontend('-o', 'json', 'scope:info', 'backups.destination');
      expect(JSON.parse(stdout)).to.include({ value: null, default: DEFAULT });
      expect(stderr).to.equal('');
      const root = await panel.cpcmd('scope:get', 'backups.destination');
      expect(root.stdout).to.equal('');
      expect(root.stderr).to.contain("ERROR: The value of `backups.destination' cannot be read: ");
    });
  }

  it('sets through the core, as root', async () => {
    panel.answer({ 'settings.get': setting('/old'), 'settings.set': setting('/new') });
    for (const call of [panel.cpcmd, panel.frontend]) {
      expect(await call.call(panel, 'scope:set', 'backups.destination', '/new')).to.include({ stdout: '1', stderr: '' });
    }
    expect(asked().filter(([method]) => method === 'settings.set')).to.deep.equal(
      Array(2).fill(['settings.set', { name: 'repository', value: '/new' }]),
    );
    expect(panel.notes.every(({ user }) => user === 0)).to.equal(true);
  });

  it('does nothing when the value is what it was', async () => {
    panel.answer({ 'settings.get': setting('/same') });
    expect((await panel.cpcmd('scope:set', 'backups.destination', '/same')).stdout).to.equal('1');
    expect(asked().map(([method]) => method)).to.deep.equal(['settings.get']);
  });

  it('goes back to the default with null', async () => {
    panel.answer({ 'settings.set': setting(DEFAULT) });
    expect((await panel.cpcmd('scope:set', 'backups.destination', 'null')).stdout).to.equal('1');
    expect(asked()).to.deep.equal([['settings.set', { name: 'repository', value: null }]]);
  });

  it('lets the core judge a text, and says what it said (case 42)', async () => {
    panel.answer({ 'settings.get': setting('/old'), 'settings.set': refuse('invalid_settings', "repository: must match '^/'") });
    for (const value of ['relative', '--config', '; rm -rf /', '$(id)', 'a\nb']) {
      const { stdout, stderr, exitCode } = await panel.cpcmd('-i', 'json', 'scope:set', '"backups.destination"', JSON.stringify(value));
      expect({ stdout, exitCode }).to.deep.equal({ stdout: '', exitCode: 1 });
      expect(stderr).to.contain("ERROR: The backup settings are not valid: repository: must match '^/'");
    }
    expect(panel.notes.at(-1)!.request.params.value).to.equal('a\nb');
  });

  it('refuses what is no text without asking', async () => {
    panel.answer({});
    for (const value of ['true', '12', '[a,b]', '[k:v]']) {
      const { stderr } = await panel.cpcmd('scope:set', 'backups.destination', value);
      expect(stderr).to.match(/`backups\.destination' cannot take `.+'; it takes a path from the root on, such as \/srv\/backups/);
    }
    const two = await panel.cpcmd('scope:set', 'backups.destination', '/srv/a', '/srv/b');
    expect(two).to.include({ stdout: '', exitCode: 1 });
    expect(two.stderr).to.contain("cannot take `/srv/a /srv/b'");
    expect(panel.notes).to.deep.equal([]);
  });
});

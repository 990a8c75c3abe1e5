import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const COMMANDS = [
  ...['backup:run', 'backup:restore', 'backup:restore_database', 'backup:databases', 'backup:list', 'backup:verify', 'backup:version'],
  ...['backup:plan', 'backup:ls', 'backup:find', 'backup:history', 'backup:diff'],
  ...['backup:download', 'backup:jobs', 'backup:job', 'backup:cancel', 'backup:log'],
];
/** What decides for the whole server. */
const FOR_THE_ADMINISTRATOR = [
  'backup:init',
  'backup:keys',
  'backup:repair',
  'backup:prune',
  'backup:copy',
  'backup:hold',
  'backup:release',
  'backup:explain',
].concat(['backup:servers', 'backup:adopt', 'backup:join', 'backup:forget', 'backup:status', 'backup:fleet_status', 'backup:doctor']);

describe('who may call the module', () => {
  let panel: FakePanel;
  afterEach(() => panel.remove());

  const commands = async (...as: string[]) => JSON.parse((await panel.cpcmd(...as, '-o', 'json', 'misc:list-commands', 'backup:*')).stdout);

  it('is the administrator and a site, and nobody else', async () => {
    panel = new FakePanel();
    expect(await commands()).to.have.members([...COMMANDS, ...FOR_THE_ADMINISTRATOR]);
    expect(await commands('-d', 'site1')).to.have.members(COMMANDS);
    expect(await commands('-d', 'site1', '-u', 'mallory')).to.deep.equal([]);
    for (const command of COMMANDS) {
      for (const call of [panel.cpcmd, panel.frontend]) {
        expect((await call.call(panel, '-d', 'site1', '-u', 'mallory', command, '[]')).stderr).to.contain('not permitted');
      }
    }
    for (const command of FOR_THE_ADMINISTRATOR) {
      for (const call of [panel.cpcmd, panel.frontend]) {
        expect((await call.call(panel, '-d', 'site1', command, 'site1', 'x')).stderr).to.contain('not permitted');
      }
    }
    expect(panel.notes).to.deep.equal([]);
  });

  it('is not the administrator where the panel forbids what a stolen key could do', async () => {
    panel = new FakePanel({ auth: { admin_api: '' } });
    expect(await commands()).to.deep.equal([]);
    expect(await commands('-d', 'site1')).to.have.members(COMMANDS);
    expect((await panel.cpcmd('scope:get', 'backups.destination')).stderr).to.contain('not permitted');
  });

  it('can read what a command does and takes', async () => {
    panel = new FakePanel();
    const info = JSON.parse((await panel.cpcmd('-o', 'json', 'misc:command-info', 'backup:*')).stdout);
    for (const command of [...COMMANDS, ...FOR_THE_ADMINISTRATOR]) {
      expect(info[command].doc, command).to.match(/@return array/);
      expect(info[command].return, command).to.equal('array');
      for (const parameter of info[command].parameters) expect(info[command].doc).to.contain(/\$\w+/.exec(parameter)![0]);
    }
  });
});

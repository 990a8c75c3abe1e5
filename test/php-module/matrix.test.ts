import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const GUIDE = join(import.meta.dirname, '../../docs/guide/commands.md');
const HEAD = '| command | what it does | administrator | reseller | site | user |';

/** Who calls, as cpcmd is told. */
const ROLES = {
  administrator: [],
  reseller: ['-u', 'reseller'],
  site: ['-d', 'site1'],
  user: ['-d', 'site1', '-u', 'mallory'],
} as const;
type Role = keyof typeof ROLES;

/** What only belongs to whoever has the whole server, whatever else changes. */
const NEVER_OF_A_SITE = [
  'init',
  'keys',
  'servers',
  'adopt',
  'join',
  'forget',
  'repair',
  'prune',
  'copy',
  'hold',
  'release',
  'status',
  'fleet_status',
  'doctor',
];

interface Info {
  readonly doc: string;
  readonly parameters: readonly string[];
  readonly max: number;
}

describe('the matrix of roles and commands', () => {
  let panel: FakePanel;
  const known = {} as Record<Role, Record<string, Info>>;
  before(async () => {
    panel = new FakePanel();
    for (const role of Object.keys(ROLES) as Role[]) {
      known[role] = JSON.parse((await panel.cpcmd(...ROLES[role], '-o', 'json', 'misc:command-info', 'backup:*')).stdout);
    }
  });
  after(() => panel.remove());

  /** The table as the code has it. */
  const table = (): string => {
    const all = { ...known.user, ...known.site, ...known.administrator };
    const rows = Object.entries(all).map(([name, { doc, parameters }]) => {
      const words = parameters.map((parameter) => /\$(\w+)/.exec(parameter)![1]!.toUpperCase());
      const what = /^\/\*\*\s+\* (.*)$/m.exec(doc)![1];
      const roles = (Object.keys(ROLES) as Role[]).map((role) => (name in known[role] ? 'yes' : 'no'));
      return `| \`${[name.replaceAll('_', '-'), ...words].join(' ')}\` | ${what} | ${roles.join(' | ')} |`;
    });
    return [HEAD, '|---|---|---|---|---|---|', ...rows].join('\n');
  };

  it('stands in the guide as the code has it (UPDATE=1 writes it there)', () => {
    const guide = readFileSync(GUIDE, 'utf8');
    const written = new RegExp(`^${HEAD.replaceAll('|', '\\|')}$(\n\\|.*)*`, 'm');
    if (process.env.UPDATE === '1')
      writeFileSync(
        GUIDE,
        guide.replace(written, () => table()),
      );
    else expect(written.exec(guide)?.[0]).to.equal(table());
  });

  it('has every command in the table for those who call over SOAP, too', () => {
    const guide = readFileSync(join(GUIDE, '../integrators.md'), 'utf8');
    const rows = [...guide.matchAll(/^\| (`backup_[^|]*)\| (.*?) *\| (.*?) *\|$/gm)];
    const offered = rows.flatMap(([, names, , site]) => [...names!.matchAll(/backup_\w+/g)].map(([name]) => [name, site !== 'no']));
    const name = (command: string) => command.replace(':', '_');
    const ofSites = Object.keys(known.site).map(name);
    const all = Object.keys(known.administrator).map(name);
    expect(offered.sort()).to.deep.equal(all.map((command) => [command, ofSites.includes(command)]).sort());
  });

  it('gives nobody but the administrator what is the whole server’s, and resellers and users nothing', () => {
    for (const command of NEVER_OF_A_SITE) expect(Object.keys(known.site)).to.not.include(`backup:${command}`);
    for (const role of ['reseller', 'user'] as const) expect(Object.keys(known[role])).to.deep.equal([]);
  });

  for (const role of Object.keys(ROLES) as Role[]) {
    it(`is what happens when ${role === 'administrator' ? 'the administrator' : `a ${role}`} calls each`, async () => {
      panel.answer({});
      const all = Object.entries(known.administrator);
      // Without arguments, and with one in each place that is none.
      const calls = all.flatMap(([name, { max }]) => [[name], [name, ...Array.from({ length: max }, () => '[[x:y]]')]]);
      const words = calls.flatMap((call, at) => (at === 0 ? call : [';', ...call]));
      const { stdout, stderr } = await panel.cpcmd(...ROLES[role], '-o', 'json', ...words);
      const answers = stdout.split('\n').map((line) => JSON.parse(line));
      expect(answers).to.have.length(calls.length);
      for (const [at, [name]] of calls.entries()) {
        // A command that may be called answers with a map, also when it refuses; any other is not entered.
        if (name! in known[role]) expect(answers[at], name).to.be.an('object');
        else expect(answers[at], name).to.equal(false);
      }
      if (Object.keys(known[role]).length === 0) expect(panel.notes).to.deep.equal([]);
      expect(stdout + stderr).to.not.match(/TypeError|ArgumentCount|must be of|Stack trace|code":"internal","message":"[^"]* in \w+\.php/);
    });
  }
});

import { expect } from 'chai';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const OK = [{ result: { status: 'ok' } }];
const COMMANDS = ['run', 'list', 'verify'] as const;

describe('whose backups a command is about', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel({ standin: { demo_site: 'site3' } });
  });
  after(() => panel.remove());
  beforeEach(() => panel.answer({ run: OK, list: OK, verify: OK, restore: OK }));

  const asked = () => panel.notes.map((note) => note.request.params);

  describe('a site asks', () => {
    // Every way to name the neighbour, or more than oneself.
    const OTHERS = [
      'site2',
      'two.example',
      '2',
      'bob',
      'INV-7',
      'all',
      'system',
      'ALL',
      'Site1',
      'site1 ',
      ' site1',
      'site01',
      'site1\n',
      'site11',
      'site1,site2',
      'site1/../site2',
      '../site2',
      '../../virtual/site2',
      '/home/virtual/site2',
      'site%32',
      '%73ite2',
      'site1%00',
      'site1%2F..%2Fsite2',
      'site1-1f3a9c2e',
      '--config',
      '*',
      'site*',
      '0',
      'false',
      'true',
    ];
    for (const other of OTHERS) {
      it(`for ${JSON.stringify(other)} and is refused before the core is asked`, async () => {
        for (const command of COMMANDS) {
          const { stdout, stderr } = await panel.cpcmd(
            '-d',
            'site1',
            '-i',
            'json',
            '-o',
            'json',
            `backup:${command}`,
            JSON.stringify(other),
          );
          expect(JSON.parse(stdout).error.code, command).to.equal('other_site');
          expect(stderr).to.contain('Only your own site is available');
        }
        const restore = await panel.cpcmd(
          '-d',
          'site1',
          '-i',
          'json',
          '-o',
          'json',
          'backup:restore',
          JSON.stringify(other),
          '["shadow/x"]',
        );
        expect(JSON.parse(restore.stdout).error.code).to.equal('other_site');
        expect(panel.notes).to.deep.equal([]);
      });
    }

    it('without a name, or by any name of its own, and gets its own', async () => {
      for (const words of [[], ['null'], ["''"], ['site1'], ['one.example'], ['1']]) {
        await panel.cpcmd('-d', 'one.example', 'backup:run', ...words);
        await panel.cpcmd('-d', 'one.example', 'backup:list', ...words);
      }
      expect(new Set(asked().map((params) => JSON.stringify(params.units ?? params.unit)))).to.deep.equal(
        new Set(['["site1"]', '"site1"']),
      );
      expect(asked()).to.have.length(12);
    });

    it('from the web front end just as well', async () => {
      expect((await panel.frontend('-d', 'site1', 'backup:list', 'site2')).stderr).to.contain('Only your own site');
      expect(panel.notes).to.deep.equal([]);
      await panel.frontend('-d', 'site1', 'backup:list');
      expect(asked()).to.deep.equal([{ unit: 'site1', policy: 'owner' }]);
      expect(panel.notes[0]!.user).to.equal(0);
    });

    it('and is shown nothing of an earlier customer of its number, or of a neighbour', async () => {
      const own = { id: 'b', unit: 'site1', current: true };
      const snapshots = [
        { id: 'a', unit: 'site1', current: false },
        own,
        { id: 'c', unit: 'site2', current: true },
        { id: 'd', unit: 'site1' },
      ];
      panel.answer({ list: [{ result: { snapshots } }] });
      const listed = async (...as: string[]) => JSON.parse((await panel.cpcmd(...as, '-o', 'json', 'backup:list', 'site1')).stdout);
      expect(await listed('-d', 'site1')).to.deep.equal({ snapshots: [own] });
      expect(await listed()).to.deep.equal({ snapshots });
    });

    it('as a demonstration account and starts nothing', async () => {
      for (const command of [...COMMANDS, 'version']) {
        expect((await panel.cpcmd('-d', 'site3', `backup:${command}`)).stderr).to.contain('demonstration account');
      }
      expect(panel.notes).to.deep.equal([]);
    });
  });

  describe('the administrator asks', () => {
    it('for the whole server', async () => {
      await panel.cpcmd('backup:run', 'all');
      await panel.cpcmd('backup:run', 'all', 'full');
      await panel.cpcmd('backup:list');
      await panel.cpcmd('backup:verify', 'all');
      expect(asked()).to.deep.equal([{ level: 'auto' }, { level: 'full' }, [], []]);
    });

    it('for everything, and has to say so', async () => {
      for (const command of ['run', 'verify', 'prune']) {
        for (const nothing of [[], ['null'], ["''"], ['false'], ['[]']]) {
          const { stdout } = await panel.cpcmd('-o', 'json', `backup:${command}`, ...nothing);
          expect(JSON.parse(stdout).error.code, `${command} ${nothing}`).to.be.oneOf(['all_needed', 'bad_argument']);
        }
      }
      expect((await panel.cpcmd('-o', 'json', 'backup:list', "''")).stdout).to.contain('all_needed');
      // What is said goes to logs, too: a word of any length does not.
      for (const as of [[], ['-d', 'site1']])
        expect((await panel.cpcmd(...as, '-o', 'json', 'backup:list', 'x'.repeat(50_000))).stdout.length).to.be.below(1000);
      expect(panel.notes).to.deep.equal([]);
    });

    it('for a unit that was before, by its id', async () => {
      await panel.cpcmd('backup:restore', 'site3-dafbe28d', '[shadow/home]', '[to:/tmp/x]');
      expect(asked()).to.deep.equal([{ unit: 'site3-dafbe28d', paths: [{ path: 'shadow/home' }], to: { path: '/tmp/x' } }]);
    });

    it('for a site by its number, its domain, its invoice, and for the system', async () => {
      for (const site of ['site2', 'two.example', 'INV-1', 'system']) await panel.cpcmd('backup:verify', site);
      expect(asked().map((params) => params.unit)).to.deep.equal(['site2', 'site2', 'site1', 'system']);
    });

    it('for an invoice with several sites: all are backed up, none is chosen for anything else', async () => {
      await panel.cpcmd('backup:run', 'INV-7');
      expect(asked()).to.deep.equal([{ units: ['site2', 'site3'], level: 'auto' }]);
      const { stderr } = await panel.cpcmd('backup:restore', 'INV-7');
      expect(stderr).to.contain("`INV-7' stands for several sites: site2, site3");
      expect(panel.notes).to.have.length(1);
    });

    it('for what is no site, and hears so', async () => {
      for (const nothing of ['nowhere.example', '../site2', 'site2/../site1', 'site0', 'site1\n', '%s %(site)s']) {
        const { stderr } = await panel.cpcmd('-i', 'json', 'backup:run', JSON.stringify(nothing));
        expect(stderr, nothing).to.contain('No site matches `');
      }
      expect(panel.notes).to.deep.equal([]);
    });
  });
});

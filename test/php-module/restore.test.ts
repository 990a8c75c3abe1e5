import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

describe('backup:restore', () => {
  let panel: FakePanel;
  beforeEach(() => {
    panel = new FakePanel();
    panel.answer({ restore: [{ result: { status: 'ok' } }] });
  });
  afterEach(() => panel.remove());

  const asked = () => panel.notes.map((note) => note.request.params);
  const refusal = async (...words: string[]) => {
    const { stdout } = await panel.cpcmd('-o', 'json', ...words);
    expect(panel.notes, words.join(' ')).to.deep.equal([]);
    return JSON.parse(stdout).error.code;
  };

  describe('of the administrator', () => {
    it('passes on site, paths and options', async () => {
      const options = "[at:'2026-01-01 02:03',to:/tmp/out,overwrite:never,delete:false,dryRun:1]";
      await panel.cpcmd('backup:restore', 'two.example', '[shadow/var/www,info]', options);
      expect(asked()).to.deep.equal([
        {
          unit: 'site2',
          paths: [{ path: 'shadow/var/www' }, { path: 'info' }],
          at: '2026-01-01 02:03',
          to: { path: '/tmp/out' },
          overwrite: 'never',
          delete: false,
          dryRun: true,
        },
      ]);
    });

    it('names no paths to the core for the whole unit, which is `all`; what is left out, or null, is that only where nothing is replaced', async () => {
      await panel.cpcmd('backup:restore', 'site1', 'all');
      for (const options of ['[dryRun:true]', '[to:/root/x]']) await panel.cpcmd('backup:restore', 'site1', 'null', options);
      for (const command of ['plan', 'download']) await panel.cpcmd(`backup:${command}`, 'site1');
      expect(asked()).to.deep.equal([
        { unit: 'site1' },
        { unit: 'site1', dryRun: true },
        { unit: 'site1', to: { path: '/root/x' } },
        { unit: 'site1' },
        { unit: 'site1' },
      ]);
      panel.answer({});
      for (const words of [[], ['null'], ['null', 'null'], ['null', '[dryRun:false]'], ['null', '[delete:true]'], ['null', '[onto:site2]']])
        expect(await refusal('backup:restore', 'site1', ...words), words.join(' ')).to.equal('bad_argument');
      for (const empty of ["''", '[]', '[shadow/x,]']) expect(await refusal('backup:restore', 'site1', empty), empty).to.match(/^bad_/);
    });

    it('brings databases back with a whole account, also for its owner, and says what kept them back', async () => {
      await panel.cpcmd('backup:restore', 'site1', 'all', '[withDatabases:true]');
      await panel.cpcmd('-d', 'site1', 'backup:restore', 'all', '[withDatabases:true]');
      expect(asked()).to.deep.equal([
        { unit: 'site1', withDatabases: true },
        { unit: 'site1', policy: 'owner', withDatabases: true },
      ]);
      const databaseError = { code: 'locked', message: 'another restore is under way' };
      panel.answer({ restore: [{ result: { status: 'partial', databases: [], databaseError } }] });
      const { stdout } = await panel.cpcmd('-o', 'json', 'backup:restore', 'site1', 'all', '[withDatabases:true]');
      expect(stdout).to.include('another restore is under way');
    });

    it('needs one site', async () => {
      for (const words of [['all'], ["''"], ['null'], ['[shadow]']])
        expect(await refusal('backup:restore', ...words)).to.equal('site_needed');
    });

    it('carries names that are not UTF-8, as bytes or in base64', async () => {
      const bytes = Buffer.from('shadow/caf\xe9', 'latin1');
      const words = [panel.panel.cpcmd, 'backup:restore', 'site1'].join('\0');
      const input = Buffer.concat([Buffer.from(`${words}\0[`), bytes, Buffer.from(`,[path_b64:${bytes.toString('base64')}]]\0`)]);
      await execa('xargs', ['-0', 'env'], { input });
      const path = { path: 'shadow/caf\ufffd', path_b64: bytes.toString('base64') };
      expect(asked()).to.deep.equal([{ unit: 'site1', paths: [path, path] }]);
    });
  });

  it('refuses paths that are none', async () => {
    const bad = [
      '',
      '/',
      '/etc/passwd',
      '..',
      '.',
      'shadow/../info',
      './shadow',
      'shadow/\0x',
      { path_b64: '***' },
      { path_b64: 'Li4vLi4=' },
      {},
      [],
      null,
      true,
    ];
    for (const path of bad.filter((path) => path !== true)) {
      for (const role of [['site1'], []]) {
        const site = role.length > 0 ? ['"site1"'] : [];
        const as = role.length > 0 ? [] : ['-d', 'site1'];
        expect(await refusal(...as, '-i', 'json', 'backup:restore', ...site, JSON.stringify([path])), JSON.stringify(path)).to.equal(
          'bad_path',
        );
      }
    }
  });

  it('refuses options that are none', async () => {
    const bad = [
      '[policy:any]',
      '[unit:site2]',
      '[at:../x]',
      '[at:units/site2-1f3a9c2e]',
      '[at:%2e%2e%2fx]',
      '[at:[a]]',
      "[at:'']",
      '[to:relative]',
      '[to:/a/../b]',
      '[to:[a]]',
      '[overwrite:yes]',
      '[delete:maybe]',
      '[dryRun:[1]]',
      '[a]',
    ];
    for (const options of bad) {
      expect(await refusal('backup:restore', 'site1', 'all', options), options).to.equal('bad_option');
      expect(await refusal('-d', 'site1', 'backup:restore', '[shadow/x]', options), options).to.equal('bad_option');
    }
  });

  describe('of a site', () => {
    const own = (...words: string[]) => panel.cpcmd('-d', 'site1', 'backup:restore', ...words);

    it('takes paths and options, for the own site and with the policy for owners', async () => {
      await own('[shadow/var/www]', '[at:20260101T000000000Z-1f3a9c2e,overwrite:always]');
      await own('null', '[shadow/var/www]', '[dryRun:true]');
      expect(asked()).to.deep.equal([
        { unit: 'site1', policy: 'owner', paths: [{ path: 'shadow/var/www' }], at: '20260101T000000000Z-1f3a9c2e', overwrite: 'always' },
        { unit: 'site1', policy: 'owner', paths: [{ path: 'shadow/var/www' }], dryRun: true },
      ]);
    });

    it('means what the owner may change when it says all, and nothing when it names no paths', async () => {
      for (const words of [[], ['null'], ['one.example'], ['null', 'null', '[overwrite:changed]']])
        expect(await refusal('-d', 'site1', 'backup:restore', ...words), words.join(' ')).to.equal('bad_argument');
      await own('all');
      await own('one.example', 'all');
      await own('null', 'null', '[dryRun:true]');
      expect(asked().map((params) => params.paths)).to.deep.equal(Array(3).fill([{ path: 'shadow' }]));
    });

    it('never touches what the plan grants or the server owns', async () => {
      for (const path of ['info', 'info/current/siteinfo', 'shadowed/x', 'etc/passwd', 'SHADOW', 'fst/home', '[path_b64:aW5mbw==]']) {
        expect(await refusal('-d', 'site1', 'backup:restore', `[shadow/home,${path}]`), path).to.equal('owner_path');
      }
    });

    it('goes to a new folder in the own home', async () => {
      await own('[shadow/home]', "[to:'/home/alice/restored %2e%2e']");
      expect(asked()[0]!.to).to.deep.equal({ path: join(panel.accounts, 'site1/fst/home/alice/restored %2e%2e') });
    });

    it('goes nowhere else', async () => {
      const home = join(panel.accounts, 'site1/fst/home/alice');
      mkdirSync(join(home, 'there'));
      writeFileSync(join(home, 'file'), '');
      symlinkSync('/etc', join(home, 'link'));
      symlinkSync('/nowhere', join(home, 'dangling'));
      mkdirSync(join(panel.accounts, 'site1/fst/home/alice2'));
      const bad = [
        '/home/alice',
        '/home/alice/',
        '/home/alice/there',
        '/home/alice/file',
        '/home/alice/link',
        '/home/alice/dangling',
        '/home/alice/link/x',
        '/home/alice/there/x',
        '/home/alice2/x',
        '/home/bob/x',
        '/home//alice/x',
        '/tmp/x',
        '/x',
        '/',
        join(panel.accounts, 'site2/fst/home/bob/x'),
        join(home, 'x'),
      ];
      for (const target of bad) {
        const code = await refusal('-d', 'site1', '-i', 'json', 'backup:restore', '["shadow/home"]', JSON.stringify({ to: target }));
        expect(code, target).to.equal('owner_target');
      }
      for (const target of ['/home/alice/..', '/home/alice/.', '/home/alice/../bob/x', '/home/alice/a\0b']) {
        const code = await refusal('-d', 'site1', '-i', 'json', 'backup:restore', '["shadow/home"]', JSON.stringify({ to: target }));
        expect(code, target).to.equal('bad_option');
      }
    });

    it('goes nowhere when the home is not a folder of its own', async () => {
      const home = join(panel.accounts, 'site1/fst/home/alice');
      rmSync(home, { recursive: true });
      symlinkSync('/tmp', home);
      expect(await refusal('-d', 'site1', 'backup:restore', '[shadow/home]', '[to:/home/alice/x]')).to.equal('owner_target');
    });

    it('loses no argument on the way from the front end', async () => {
      await panel.frontend('-d', 'site1', 'backup:restore', '[shadow/a]', '[at:x,dryRun:true]');
      await panel.frontend('backup:restore', 'site2', '[shadow/a]', '[at:y,to:/tmp/z,background:false]');
      expect(asked()).to.deep.equal([
        { unit: 'site1', policy: 'owner', paths: [{ path: 'shadow/a' }], at: 'x', dryRun: true },
        { unit: 'site2', paths: [{ path: 'shadow/a' }], at: 'y', to: { path: '/tmp/z' } },
      ]);
    });
  });
});

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { diff } from '../../core/commands/diff.ts';
import { find } from '../../core/commands/find.ts';
import { history } from '../../core/commands/history.ts';
import type { DiffRequest, DiffResult } from '../../core/schemas/diff.ts';
import type { FindRequest, FindResult } from '../../core/schemas/find.ts';
import { validateDiffResult, validateFindResult, validateHistoryResult } from '../commands/results.generated.js';
import { type Level, Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

describe('looking through all snapshots', () => {
  let sandbox: Sandbox;
  let ids: string[];
  const file = (name: string) => join(sandbox.shadow, name);

  async function back(level: Level): Promise<void> {
    ids.push((await sandbox.back(level)).snapshot as string);
  }

  beforeEach(async () => {
    sandbox = new Sandbox();
    ids = [];
    await sandbox.init();
  });

  afterEach(() => sandbox.remove());

  const look = async (pattern: string, request: Partial<FindRequest> = {}): Promise<FindResult> => {
    const result = await find({ unit: 'site1', pattern, ...request }, sandbox.context);
    expect(validateFindResult(result), JSON.stringify(validateFindResult.errors)).to.equal(true);
    return result;
  };
  const eventsOf = async (path: string) => {
    const result = await history({ unit: 'site1', path }, sandbox.context);
    expect(validateHistoryResult(result), JSON.stringify(validateHistoryResult.errors)).to.equal(true);
    return result.events.map(({ event, first, last, changes }) => [event, ids.indexOf(first), ids.indexOf(last), ...changes]);
  };

  describe('of a file with a past', () => {
    beforeEach(async () => {
      mkdirSync(file('folder'));
      writeFileSync(file('folder/page.php'), 'one');
      await back('full');
      writeFileSync(file('other'), 'x');
      await back('incremental');
      writeFileSync(file('folder/page.php'), 'two');
      await back('incremental');
      rmSync(file('folder'), { recursive: true });
      await back('incremental');
      await back('full');
      mkdirSync(file('folder'));
      writeFileSync(file('folder/page.php'), 'two');
      await back('differential');
      chmodSync(file('folder/page.php'), 0o600);
      await back('incremental');
      await back('full');
    });

    it('tells when it changed, went and came back', async () => {
      expect(await eventsOf('shadow/folder/page.php')).to.deep.equal([
        ['changed', 6, 7, 'mode'],
        ['reappeared', 5, 5, 'mtime'],
        ['deleted', 3, 4],
        ['changed', 2, 2, 'content', 'mtime'],
        ['first', 0, 1],
      ]);
      expect((await eventsOf('shadow/other')).map(([event]) => event)).to.deep.equal(['appeared']);
    });

    it('finds it by name, with its versions and not one row a snapshot', async () => {
      const { found, snapshots } = await look('*.php');
      expect(snapshots).to.equal(8);
      expect(found.map(({ path, deleted }) => ({ path, deleted }))).to.deep.equal([{ path: 'shadow/folder/page.php', deleted: false }]);
      const ranges = found[0]?.versions.map((version) => [ids.indexOf(version.first), ids.indexOf(version.last), version.snapshots]);
      expect(ranges).to.deep.equal([
        [6, 7, 2],
        [5, 5, 1],
        [2, 2, 1],
        [0, 1, 2],
      ]);
    });

    it('gives the history in pages that know the snapshots of the first', async () => {
      const first = await history({ unit: 'site1', path: 'shadow/folder/page.php', limit: 2 }, sandbox.context);
      chmodSync(file('folder/page.php'), 0o644);
      await back('incremental');
      const after = first.next as string;
      const second = await history({ unit: 'site1', path: 'shadow/folder/page.php', limit: 2, after }, sandbox.context);
      expect([...first.events, ...second.events].map(({ event }) => event)).to.deep.equal(['changed', 'reappeared', 'deleted', 'changed']);
    });

    it('leaves out snapshots that cannot be put together, and says so', async () => {
      execFileSync('find', [sandbox.repository, '-path', `*snapshots/${ids[1]}.json`, '-delete']);
      expect(await eventsOf('shadow/folder/page.php')).to.deep.equal([
        ['changed', 6, 7, 'mode'],
        ['reappeared', 5, 5, 'content', 'mtime'],
        ['deleted', 4, 4],
        ['first', 0, 0],
      ]);
      expect(sandbox.log.map(({ code }) => code)).to.include('chain_broken');
    });
  });

  it('fits names, paths and folders as patterns of backups do', async () => {
    mkdirSync(file('a/b'), { recursive: true });
    for (const name of ['a/b/x.php', 'a/x.php', 'x.php', 'x.PHP', 'a/!odd', 'a/[set]']) writeFileSync(file(name), name);
    writeFileSync(Buffer.from(file('caf\xe9'), 'latin1'), 'odd');
    await back('full');
    const names = async (pattern: string, folder?: string) =>
      (await look(pattern, folder === undefined ? {} : { folder })).found.map(({ path }) => path.replace('shadow/', ''));
    expect(await names('x.php')).to.deep.equal(['a/b/x.php', 'a/x.php', 'x.php']);
    expect(await names('shadow/*/x.php')).to.deep.equal(['a/x.php']);
    expect(await names('shadow/**/x.*')).to.deep.equal(['a/b/x.php', 'a/x.php', 'x.PHP', 'x.php']);
    expect(await names('x.php', 'shadow/a')).to.deep.equal(['a/b/x.php', 'a/x.php']);
    expect(await names('b/')).to.deep.equal(['a/b']);
    expect(await names('x.php/')).to.deep.equal([]);
    expect(await names('!odd')).to.deep.equal(['a/!odd']);
    expect(await names('\\[set]')).to.deep.equal(['a/[set]']);
    const [odd] = (await look('caf?')).found;
    expect(odd).to.include({ path_b64: Buffer.from('shadow/caf\xe9', 'latin1').toString('base64') });
    expect(await failureOf(() => look('[a'))).to.include({ code: 'usage' });
    expect(await failureOf(() => history({ unit: 'site1', path: 'nowhere' }, sandbox.context))).to.include({ code: 'path_unknown' });
    expect(await failureOf(() => history({ unit: 'site1', path: '/' }, sandbox.context))).to.include({ code: 'usage' });
  });

  it('finds the same in pages of any size', async () => {
    for (let i = 0; i < 9; i++) writeFileSync(file(`f${i}`), 'x');
    await back('full');
    unlinkSync(file('f4'));
    await back('incremental');
    const whole = (await look('f?')).found;
    expect(whole.filter(({ deleted }) => deleted).map(({ path }) => path)).to.deep.equal(['shadow/f4']);
    for (const limit of [1, 4, 9]) {
      const found: unknown[] = [];
      for (let after: string | null | undefined; after !== null; ) {
        const page = await look('f?', { limit, ...(after === undefined ? {} : { after }) });
        found.push(...page.found);
        after = page.next;
      }
      expect(found).to.deep.equal(whole);
    }
  });
});

/** Each changes the account, and says how `diff` calls it. */
const CHANGES: Record<string, [(file: (name: string) => string) => void, string[]]> = {
  content: [(file) => writeFileSync(file('file'), 'CHANGED'), ['~file content mtime']],
  'content with size and time set back': [
    (file) => {
      const { atime, mtime } = statSync(file('file'));
      writeFileSync(file('file'), 'CONTENT');
      utimesSync(file('file'), atime, mtime);
    },
    ['~file content'],
  ],
  mode: [(file) => chmodSync(file('file'), 0o4711), ['~file mode']],
  owner: [(file) => chownSync(file('file'), 1234, 5678), ['~file owner']],
  mtime: [(file) => utimesSync(file('folder'), 1, 1), ['~folder mtime']],
  'an access list': [(file) => execFileSync('setfacl', ['-m', 'u:12345:r', file('file')]), ['~file xattrs']],
  'an attribute of a link’s neighbour': [
    (file) => execFileSync('setfattr', ['-n', 'user.x', '-v', 'y', file('folder')]),
    ['~folder xattrs'],
  ],
  'a target': [
    (file) => {
      unlinkSync(file('link'));
      symlinkSync('elsewhere', file('link'));
    },
    ['~. mtime', '~link target mtime'],
  ],
  'a hard link': [(file) => linkSync(file('file'), file('folder/second')), ['~file links', '~folder mtime', '+folder/second']],
  'a file that became a directory': [
    (file) => {
      unlinkSync(file('file'));
      mkdirSync(file('file'), { mode: 0o644 });
      writeFileSync(file('file/inside'), 'x');
    },
    ['~. mtime', '~file kind mtime', '+file/inside'],
  ],
  'a directory that became a file': [
    (file) => {
      rmSync(file('folder'), { recursive: true });
      writeFileSync(file('folder'), 'x', { mode: 0o755 });
    },
    ['~. mtime', '~folder kind mtime', '-folder/deep', '-folder/deep/one', '-folder/deep/two'],
  ],
  'a deleted folder': [
    (file) => rmSync(file('folder'), { recursive: true }),
    ['~. mtime', '-folder', '-folder/deep', '-folder/deep/one', '-folder/deep/two'],
  ],
  'a new name of a folder': [
    (file) => renameSync(file('folder'), file('elder')),
    [
      ...['~. mtime', '+elder', '+elder/deep', '+elder/deep/one', '+elder/deep/two'],
      ...['-folder', '-folder/deep', '-folder/deep/one', '-folder/deep/two'],
    ],
  ],
};

describe('diff', () => {
  let sandbox: Sandbox;
  let first: string;
  const file = (name: string) => join(sandbox.shadow, name);

  beforeEach(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
    mkdirSync(file('folder/deep'), { recursive: true });
    writeFileSync(file('file'), 'content');
    writeFileSync(file('folder/deep/one'), 'one');
    writeFileSync(file('folder/deep/two'), 'two');
    symlinkSync('nowhere', file('link'));
    // Old enough for every change to be seen in it.
    for (const path of ['folder/deep', 'folder', 'file', '.']) utimesSync(file(path), 1_600_000_000, 1_600_000_000);
    first = (await sandbox.back('full')).snapshot as string;
  });

  afterEach(() => sandbox.remove());

  const page = async (request: Partial<DiffRequest>): Promise<DiffResult> => {
    const result = await diff({ unit: 'site1', from: first, ...request }, sandbox.context);
    expect(validateDiffResult(result), JSON.stringify(validateDiffResult.errors)).to.equal(true);
    return result;
  };
  const SIGNS = { added: '+', removed: '-', changed: '~' };
  const shown = ({ differences }: DiffResult): string[] =>
    differences.map(({ path, difference, changes }) => [SIGNS[difference] + (path.slice('shadow/'.length) || '.'), ...changes].join(' '));
  const compare = async (request: Partial<DiffRequest>) => shown(await page(request));

  async function inPages(request: Partial<DiffRequest>, limit: number): Promise<string[]> {
    const found: string[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const result = await page({ ...request, limit, ...(after === undefined ? {} : { after }) });
      found.push(...shown(result));
      after = result.next;
    }
    return found;
  }

  for (const [what, [change, expected]] of Object.entries(CHANGES)) {
    it(`shows ${what}: between snapshots of one chain, of two chains, and on the server`, async () => {
      change(file);
      // Opening for the comparison must not change what is compared.
      expect(await compare({ live: true }), 'live').to.deep.equal(expected);
      for (const limit of [1, 2, 3]) expect(await inPages({ live: true }, limit), `live, ${limit} a page`).to.deep.equal(expected);
      await sandbox.back('incremental');
      expect(await compare({ live: true, from: 'latest' })).to.deep.equal([]);
      expect(await compare({ to: 'latest' }), 'in one chain').to.deep.equal(expected);
      await sandbox.back('full');
      expect(await compare({ to: 'latest' }), 'two chains').to.deep.equal(expected);
      for (const limit of [1, 2, 3]) expect(await inPages({}, limit), `${limit} a page`).to.deep.equal(expected);
      const inFolder = expected.filter((line) => /^.folder(\/| |$)/.test(line));
      expect(await compare({ folder: 'shadow/folder' }), 'in a folder').to.deep.equal(inFolder);
    });
  }

  it('shows the other way round what went as what came', async () => {
    rmSync(file('folder'), { recursive: true });
    await sandbox.back('incremental');
    const there = await compare({ to: 'latest' });
    const back = await compare({ from: 'latest', to: first });
    expect(back).to.deep.equal(there.map((line) => line.replace(/^-/, '+')));
  });

  it('looks live at one folder only, whatever happened around it', async () => {
    const { folder } = { folder: 'shadow/folder/deep' };
    writeFileSync(file('new'), 'x');
    expect(await compare({ live: true, folder })).to.deep.equal([]);
    writeFileSync(file('folder/deep/three'), '3');
    expect(await compare({ live: true, folder })).to.deep.equal(['~folder/deep mtime', '+folder/deep/three']);
    rmSync(file('folder'), { recursive: true });
    const gone = ['-folder/deep', '-folder/deep/one', '-folder/deep/two'];
    expect(await compare({ live: true, folder })).to.deep.equal(gone);
    for (const limit of [1, 2]) expect(await inPages({ live: true, folder }, limit)).to.deep.equal(gone);
  });

  it('compares in pages what was deleted and made all over the tree', async () => {
    for (let i = 0; i < 40; i++) {
      mkdirSync(file(`d${i}/s`), { recursive: true });
      writeFileSync(file(`d${i}/s/f`), 'x');
    }
    await sandbox.back('full');
    for (let i = 0; i < 40; i += 3) rmSync(file(`d${i}`), { recursive: true });
    for (let i = 0; i < 40; i += 7) writeFileSync(file(`link${i}`), 'x');
    const whole = await compare({ live: true, from: 'latest' });
    expect(whole).to.have.length(1 + 14 * 3 + 6);
    for (const limit of [1, 5, 13]) expect(await inPages({ live: true, from: 'latest' }, limit)).to.deep.equal(whole);
  });

  it('is not between three, and not of an account that is not there', async () => {
    expect(await failureOf(() => page({ live: true, to: 'latest' }))).to.include({ code: 'usage' });
    rmSync(sandbox.site, { recursive: true });
    expect(await failureOf(() => page({ live: true }))).to.include({ code: 'unit_unknown' });
    expect(await compare({ to: 'latest' })).to.deep.equal([]);
  });
});

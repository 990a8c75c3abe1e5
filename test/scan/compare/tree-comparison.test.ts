import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { excludePaths } from '../../../core/exclude/exclude-matcher.ts';
import type { ByteString } from '../../../core/manifest/entry.ts';
import { MergedTree } from '../../../core/manifest/merge/merged-tree.ts';
import { inlinePages } from '../../../core/scan/walk/inline-pages.ts';
import { RowPage } from '../../../core/scan/walk/row-page.ts';
import { type Segment, TreeReader } from '../../../core/scan/walk/tree-reader.ts';
import { entry, written } from '../../manifest/sample.ts';
import { record, rootIn } from '../recorded-walk.ts';

const ROWS = 4;

describe('comparing what readers saw', () => {
  let folder: string;
  let tree: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-comparison-'));
    tree = join(folder, 'tree');
    mkdirSync(tree);
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Reads segments one after the other, each by a reader of its own, with something happening before each but the first. */
  function* segments(cuts: readonly ByteString[], between: () => void): Generator<RowPage> {
    const all: Segment[] = [...cuts, undefined].map((to, index) => ({ from: cuts[index - 1], to }));
    for (const segment of all) {
      if (segment.from !== undefined) between();
      const reader = new TreeReader({ roots: rootIn(folder), mounts: new Map() }, excludePaths([]));
      reader.begin(segment);
      for (let hasMore = true; hasMore; ) {
        const page = new RowPage(new ArrayBuffer(RowPage.byteLength(ROWS)), 0, ROWS);
        page.clear();
        hasMore = reader.fill(page);
        yield page;
      }
      reader.close();
    }
  }

  const paths = (lines: readonly string[]): string[] => lines.map((line) => line.split(' ').slice(0, 2).join(' '));

  function previous(...list: readonly ByteString[]): MergedTree {
    return new MergedTree([written(list.map((path) => entry(path, path.includes('.') ? 'file' : 'directory')))]);
  }

  it('takes a directory as left out from where another one stood in its place for the next reader', async () => {
    mkdirSync(join(tree, 'd'));
    for (const name of ['1.', '2.', '3.', '4.']) writeFileSync(join(tree, 'd', name), '');
    writeFileSync(join(tree, 'e.'), '');
    const swap = (): void => {
      renameSync(join(tree, 'd'), join(folder, 'away'));
      mkdirSync(join(tree, 'd'));
      writeFileSync(join(tree, 'd/3.'), 'from elsewhere');
    };
    const before = previous('tree', 'tree/d', 'tree/d/1.', 'tree/d/3.', 'tree/d/9.');
    const { lines } = await record(rootIn(folder), [...segments(['tree/d/3.'], swap)], before);
    // The pages were all read before: the comparison finds another directory there, too.
    expect(paths(lines)).to.deep.equal(['changed tree', 'changed tree/d', 'unreadable tree/d:', 'unseen tree/d', 'new tree/e.']);
  });

  for (const [what, replace] of [
    ['has gone', () => {}],
    ['is a link', (at: string) => symlinkSync('/etc', at)],
  ] as const) {
    it(`tells when the directory that another reader had begun ${what}`, async () => {
      mkdirSync(join(tree, 'd'));
      for (const name of ['1.', '2.', '3.', '4.']) writeFileSync(join(tree, 'd', name), '');
      writeFileSync(join(tree, 'e.'), '');
      const swap = (): void => {
        renameSync(join(tree, 'd'), join(folder, 'away'));
        replace(join(tree, 'd'));
      };
      const before = previous('tree', 'tree/d', 'tree/d/3.', 'tree/d/9.');
      const { lines } = await record(rootIn(folder), segments(['tree/d/3.'], swap), before);
      expect(paths(lines)).to.deep.equal([
        'changed tree',
        'changed tree/d',
        'new tree/d/1.',
        'new tree/d/2.',
        'unreadable tree/d:',
        'unseen tree/d',
        'new tree/e.',
      ]);
    });
  }

  it('passes over a directory that appeared behind the reader before', async () => {
    writeFileSync(join(tree, 'a.'), '');
    writeFileSync(join(tree, 'e.'), '');
    const appear = (): void => {
      mkdirSync(join(tree, 'd'));
      writeFileSync(join(tree, 'd/4.'), '');
    };
    const { lines } = await record(rootIn(folder), segments(['tree/d/3.'], appear));
    expect(paths(lines)).to.deep.equal(['new tree', 'new tree/a.', 'new tree/e.']);
  });

  it('follows no link that was put in the place of a directory after it was read', async () => {
    mkdirSync(join(tree, 'd/below'), { recursive: true });
    writeFileSync(join(tree, 'd/below/passwd'), '');
    mkdirSync(join(folder, 'elsewhere/below'), { recursive: true });
    const task = { roots: rootIn(folder), mounts: new Map() };
    const pages = [...inlinePages(task, excludePaths([]))];
    rmSync(join(tree, 'd'), { recursive: true });
    symlinkSync(join(folder, 'elsewhere'), join(tree, 'd'));
    const { lines } = await record(task.roots, pages);
    expect(paths(lines)).to.deep.equal(['new tree', 'new tree/d', 'unseen tree/d']);
  });

  it('goes down 1,500 levels and back with a bounded number of descriptors', async () => {
    const depth = 1500;
    const down: string[] = [];
    const home = process.cwd();
    process.chdir(tree);
    try {
      for (let level = 0; level < depth; level++) {
        mkdirSync('d');
        writeFileSync('f', '');
        process.chdir('d');
        down.push('d');
      }
    } finally {
      process.chdir(home);
    }
    const task = { roots: rootIn(folder), mounts: new Map() };
    const idle = readdirSync('/proc/self/fd').length;
    let most = 0;
    const seen = await record(task.roots, inlinePages(task, excludePaths([])), undefined, () => {
      most = Math.max(most, readdirSync('/proc/self/fd').length);
    });
    expect(seen.entries).to.equal(1 + 2 * depth);
    expect(seen.lines.filter((line) => !line.startsWith('new '))).to.deep.equal([]);
    expect(most - idle).to.be.lessThan(520);
    expect(readdirSync('/proc/self/fd').length).to.equal(idle);
    const cut = ['tree', ...down.slice(0, 400), 'f'].join('/');
    expect(
      await record(
        task.roots,
        segments([cut], () => {}),
      ),
    ).to.deep.equal(seen);
  });
});

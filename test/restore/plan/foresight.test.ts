import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Outcome } from '../../../core/restore/outcome.ts';
import type { RestoreOrder } from '../../../core/restore/restore.ts';
import { restoreSample } from '../run-restore.ts';
import { SampleSnapshot } from '../sample-snapshot.ts';
import { walkTree } from '../tree-description.ts';

/** What stands at a path of a small tree: nothing, a directory, a file of some content, a link, a further name of the file made last. */
type Kind = 'nothing' | 'directory' | 'file' | 'empty' | 'other file' | 'touched' | 'link' | 'name';

const KINDS: readonly Kind[] = ['nothing', 'directory', 'directory', 'file', 'empty', 'other file', 'touched', 'link', 'name'];
const PATHS = ['a', 'b', 'c'].flatMap((top) => [top, ...['a', 'b', 'c'].flatMap((name) => [`${top}/${name}`, `${top}/${name}/x`])]);

/** Makes a tree of which each path is what `kinds` says, if there is a directory for it. */
function makeTree(root: string, kinds: readonly Kind[]): void {
  mkdirSync(join(root, 't'), { recursive: true });
  let last: string | undefined;
  PATHS.forEach((path, index) => {
    const at = join(root, 't', path);
    const kind = kinds[index] as Kind;
    if (kind === 'nothing' || !existsSync(dirname(at)) || !lstatSync(dirname(at)).isDirectory()) return;
    if (kind === 'directory') mkdirSync(at);
    else if (kind === 'link') symlinkSync('somewhere', at);
    else if (kind === 'name' && last !== undefined) linkSync(last, at);
    else {
      writeFileSync(at, kind === 'empty' ? '' : kind === 'other file' ? `other ${path}` : 'the same in all');
      if (kind === 'touched') chmodSync(at, 0o600);
      last = at;
    }
    if (kind !== 'link' && kind !== 'directory') utimesSync(at, 1_600_000_000, 1_600_000_000);
  });
  for (const { entry } of walkTree(root)) if (entry.kind === 'directory') utimesSync(join(root, entry.path), 1_600_000_000, 1_600_000_000);
}

/** Which inode stands where. */
function inodes(root: string): Map<string, { inode: bigint; isDirectory: boolean }> {
  return new Map([...walkTree(root)].map(({ entry }) => [entry.path, { inode: entry.inode, isDirectory: entry.kind === 'directory' }]));
}

const isBelow = (path: string, folders: readonly string[]) => folders.some((folder) => path === folder || path.startsWith(`${folder}/`));

const counts = ({ entries, written, unchanged, skipped, deleted, failed, bytesWritten, status, problems }: Outcome) => ({
  ...{ entries, written, unchanged, skipped, deleted, failed, bytesWritten, status },
  problems: problems.first.map(({ code, path }) => `${code} ${path}`).sort(),
});

describe('what a dry run foresees', function () {
  this.timeout(300_000);
  let work: string;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'restore-foresight-'));
  });

  afterEach(() => rmSync(work, { recursive: true, force: true }));

  const tree = fc.array(fc.constantFrom(...KINDS), { minLength: PATHS.length, maxLength: PATHS.length });

  it('is what the restore does: its numbers, what it replaces and what it deletes', async () => {
    const options = fc.record({
      overwrite: fc.constantFrom('always' as const, 'changed' as const, 'never' as const),
      deletion: fc.boolean(),
      paths: fc.subarray(PATHS, { maxLength: 3 }),
      exclude: fc.subarray(PATHS, { maxLength: 2 }),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(tree, tree, options, async (then, now, { overwrite, deletion, paths, exclude }) => {
        const [source, target] = [join(work, `source-${++round}`), join(work, `target-${round}`)];
        makeTree(source, then);
        makeTree(target, now);
        const sample = new SampleSnapshot();
        await sample.addTree(source, '');
        sample.commit();
        const known = new Set(inodes(source).keys());
        const order: Partial<RestoreOrder> = {
          ...{ overwrite, deletion, threads: false },
          paths: paths.map((path) => `t/${path}`).filter((path) => known.has(path)),
          exclude: { paths: exclude.map((path) => `t/${path}`), patterns: [] },
        };
        try {
          const before = inodes(target);
          const foreseen = await restoreSample(sample, target, { ...order, dryRun: true });
          expect(inodes(target)).to.deep.equal(before);
          const done = await restoreSample(sample, target, order);
          expect(counts(foreseen)).to.deep.equal(counts(done));
          const after = inodes(target);
          const gone = [...before.keys()].filter((path) => !after.has(path));
          const replaced = [...before]
            .filter(([path, { inode }]) => after.has(path) && after.get(path)!.inode !== inode)
            .map(([path]) => path);
          const { first: overwrites } = foreseen.overwrites;
          const { first: deletions } = foreseen.deletions;
          expect(gone.filter((path) => !isBelow(path, deletions))).to.deep.equal([]);
          expect(replaced.filter((path) => !overwrites.includes(path) && !isBelow(path, deletions))).to.deep.equal([]);
          expect(deletions.filter((path) => !before.has(path))).to.deep.equal([]);
          expect(overwrites.filter((path) => !before.has(path))).to.deep.equal([]);
          expect(foreseen.overwrites.count).to.equal(new Set(overwrites).size);
        } finally {
          sample.close();
          rmSync(source, { recursive: true, force: true });
          rmSync(target, { recursive: true, force: true });
        }
      }),
      { numRuns: process.env.SLOW === undefined ? 120 : 3000 },
    );
  });

  it('does not depend on which of two files that share an inode is written first', async () => {
    const [source, target] = [join(work, 'source'), join(work, 'target')];
    for (const root of [source, target]) mkdirSync(join(root, 'a/z'), { recursive: true });
    for (const name of ['x', 'y']) writeFileSync(join(source, 'a', name), 'the same');
    writeFileSync(join(target, 'a/x'), 'the same');
    for (const other of ['a/y', 'b']) linkSync(join(target, 'a/x'), join(target, other));
    rmSync(join(source, 'a/z'), { recursive: true });
    mkdirSync(join(source, 'b'));
    for (const at of [join(source, 'a/x'), join(source, 'a/y'), join(target, 'b')]) utimesSync(at, 1_600_000_000, 1_600_000_000);
    const sample = new SampleSnapshot();
    await sample.addTree(source, '');
    sample.commit();
    const foreseen = await restoreSample(sample, target, { overwrite: 'changed', dryRun: true });
    const done = await restoreSample(sample, target, { overwrite: 'changed' });
    expect(counts(foreseen)).to.deep.equal(counts(done));
    expect(done).to.include({ written: 4, unchanged: 0 });
    expect(lstatSync(join(target, 'a/x')).ino).not.to.equal(lstatSync(join(target, 'a/y')).ino);
    sample.close();
  });

  it('names a file in the place of a directory above chosen paths', async () => {
    const [source, target] = [join(work, 'source'), join(work, 'target')];
    mkdirSync(join(source, 'shadow/a/b'), { recursive: true });
    writeFileSync(join(source, 'shadow/a/b/c'), 'c');
    mkdirSync(join(target, 'shadow'), { recursive: true });
    writeFileSync(join(target, 'shadow/a'), 'precious');
    const sample = new SampleSnapshot();
    await sample.addTree(source, '');
    sample.commit();
    const paths = ['shadow/a/b/c'];
    const foreseen = await restoreSample(sample, target, { paths, dryRun: true });
    expect(foreseen.overwrites.first).to.deep.equal(['shadow/a']);
    const done = await restoreSample(sample, target, { paths });
    expect(counts(foreseen)).to.deep.equal(counts(done));
    sample.close();
  });
});

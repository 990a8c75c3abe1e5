import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PackCache } from '../../core/restore/content/pack-cache.ts';
import { openView } from '../../core/restore/plan/manifest-files.ts';
import { planRestore } from '../../core/restore/plan/planner.ts';
import { componentsOf } from '../../core/restore/target/names.ts';
import { Target } from '../../core/restore/target/target.ts';
import { NOTHING_EXCLUDED } from './nothing-excluded.ts';
import { openRoot, restoreSample } from './run-restore.ts';
import { SampleSnapshot, sampleEntry } from './sample-snapshot.ts';

const directory = (path: string) => sampleEntry(path, { kind: 'directory', mode: 0o755 });

describe('restoring into a tree that tenants control', () => {
  let work: string;
  let target: string;
  let outside: string;
  let sample: SampleSnapshot;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'restore-attack-'));
    target = join(work, 'target');
    outside = join(work, 'outside');
    mkdirSync(target);
    mkdirSync(outside);
    sample = new SampleSnapshot();
  });

  afterEach(() => {
    sample.close();
    execFileSync('rm', ['-rf', work]);
  });

  async function addFile(path: string, text = 'from the snapshot', over: object = {}): Promise<void> {
    const content = Buffer.from(text);
    const [extent] = await sample.store(`packs/${path}`, [content]);
    sample.add(sampleEntry(path, { size: content.length, content: { digest: extent!.digest, extents: [extent!] }, ...over }));
  }

  it('refuses names that lead elsewhere, whatever the manifest reader thinks of them (case 1)', async () => {
    for (const path of ['../x', '/etc/x', 'a/../../x', 'a//x', 'a/./x', '', '.', 'a/x\0y', 'a/', `a/${'n'.repeat(256)}`]) {
      expect(() => componentsOf(path), path)
        .to.throw()
        .with.property('code', 'unsafe_path');
    }
    const root = openRoot(target);
    const place = { layer: 0, block: 0, row: 0 };
    const plan = await planRestore([{ ...place, entry: sampleEntry('../x', {}), isParent: false }], {
      target: new Target([root]),
      packs: new PackCache(sample.packs),
      rules: { overwrite: 'always', removeDirectories: false, exclude: NOTHING_EXCLUDED, owner: undefined },
      view: openView(sample.manifests),
      foresight: undefined,
      signal: new AbortController().signal,
    });
    expect(plan.problems.map(({ code }) => code)).to.deep.equal(['unsafe_path']);
    expect(plan.singles.length).to.equal(0);
  });

  it('writes nothing through a link of the backup itself, restored a moment ago (case 2)', async () => {
    // One manifest cannot say that a link has children. A chain can: a link in one snapshot, a file below it in the next.
    const link = sampleEntry('d', { kind: 'symlink', mode: 0o777, linkTarget: outside });
    sample.add(link);
    sample.commit();
    expect((await restoreSample(sample, target)).status).to.equal('ok');
    expect(readlinkSync(join(target, 'd'))).to.equal(outside);
    await addFile('d/x');
    sample.commit();
    const through = await restoreSample(sample, target);
    expect(through.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([
      ['target_in_the_way', 'd'],
      ['target_in_the_way', 'd/x'],
    ]);
    sample.add(link);
    sample.commit();
    await restoreSample(sample, target, { deletion: true });
    expect(readdirSync(outside)).to.deep.equal([]);
  });

  it('puts a directory in the place of a link that stands above a chosen path (case 3)', async () => {
    sample.add(directory('d'));
    await addFile('d/x');
    sample.commit();
    symlinkSync(outside, join(target, 'd'));
    const outcome = await restoreSample(sample, target, { paths: ['d/x'] });
    expect(readdirSync(outside)).to.deep.equal([]);
    expect(outcome.status).to.equal('ok');
    expect(lstatSync(join(target, 'd')).isDirectory()).to.equal(true);
  });

  it('replaces a link at any parent by the directory of the snapshot (case 3)', async () => {
    for (const path of ['a', 'a/b', 'a/b/c']) sample.add(directory(path));
    await addFile('a/b/c/x');
    sample.commit();
    mkdirSync(join(target, 'a'));
    mkdirSync(join(outside, 'c'));
    symlinkSync(outside, join(target, 'a/b'));
    const outcome = await restoreSample(sample, target);
    expect(outcome.problems.first).to.deep.equal([]);
    expect(readdirSync(join(outside, 'c'))).to.deep.equal([]);
    expect(readFileSync(join(target, 'a/b/c/x'), 'utf8')).to.equal('from the snapshot');
  });

  it('with overwrite=never reports a link in the way and writes nothing through it (case 3)', async () => {
    sample.add(directory('a'));
    await addFile('a/x');
    sample.commit();
    symlinkSync(outside, join(target, 'a'));
    const outcome = await restoreSample(sample, target, { overwrite: 'never' });
    expect(outcome.status).to.equal('failed');
    expect(outcome.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([
      ['target_in_the_way', 'a'],
      ['target_in_the_way', 'a/x'],
    ]);
    expect(readdirSync(outside)).to.deep.equal([]);
    expect(readlinkSync(join(target, 'a'))).to.equal(outside);
  });

  it('never writes outside while a process swaps directories for links (case 4)', async function () {
    this.timeout(20 * 60_000);
    mkdirSync(join(outside, 'sub'));
    for (const path of ['top', 'top/d', 'top/d/sub']) sample.add(directory(path));
    for (let i = 0; i < 20; i++) await addFile(`top/d/sub/f${i}`);
    sample.add(sampleEntry('top/d/sub/link', { kind: 'symlink', linkTarget: 'somewhere', size: 9, mode: 0o777 }));
    sample.add(sampleEntry('top/d/sub/fifo', { kind: 'fifo' }));
    sample.commit();
    const swapper = spawn(process.execPath, [join(import.meta.dirname, 'swap-directory.mjs'), join(target, 'top/d'), outside], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      mkdirSync(join(target, 'top/d'), { recursive: true });
      await once(swapper.stdout, 'data');
      const end = Date.now() + (process.env.SLOW === undefined ? 4_000 : 10 * 60_000);
      const before = lstatSync(outside, { bigint: true });
      let hindered = 0;
      while (Date.now() < end) {
        const outcome = await restoreSample(sample, target, { workers: 1, deletion: true });
        if (outcome.status !== 'ok') hindered++;
        expect(readdirSync(outside)).to.deep.equal(['sub']);
        expect(readdirSync(join(outside, 'sub'))).to.deep.equal([]);
      }
      const after = lstatSync(outside, { bigint: true });
      expect([after.mtimeNs, after.ctimeNs, after.mode, after.uid]).to.deep.equal([
        before.mtimeNs,
        before.ctimeNs,
        before.mode,
        before.uid,
      ]);
      expect(hindered, 'the swapping has to have met a restore').to.be.greaterThan(0);
    } finally {
      swapper.kill('SIGKILL');
    }
  });

  it('never links to anything but what it restored itself (case 5)', async () => {
    writeFileSync(join(outside, 'secret'), 'secret');
    sample.add(directory('a'));
    sample.add(directory('b'));
    await addFile('a/first', 'shared', { linkCount: 2, inode: 77n });
    await addFile('b/second', 'shared', { linkCount: 2, inode: 77n });
    sample.commit();
    symlinkSync(outside, join(target, 'b'));
    const outcome = await restoreSample(sample, target);
    expect(outcome.status).to.equal('ok');
    expect(statSync(join(target, 'a/first')).ino).to.equal(statSync(join(target, 'b/second')).ino);
    expect(readdirSync(outside)).to.deep.equal(['secret']);
  });

  it('gives no further name to a file whose content is damaged (case 5)', async () => {
    await addFile('a', 'shared', { linkCount: 2, inode: 77n });
    await addFile('b', 'shared', { linkCount: 2, inode: 77n });
    sample.commit();
    for (const pack of sample.packs.objects.values()) pack.writeUInt8(pack.readUInt8(20) ^ 1, 20);
    writeFileSync(join(target, 'a'), 'the old a');
    const outcome = await restoreSample(sample, target);
    expect(outcome.problems.first.map(({ path }) => path)).to.deep.equal(['a', 'b']);
    expect(existsSync(join(target, 'b'))).to.equal(false);
    expect(readFileSync(join(target, 'a'), 'utf8')).to.equal('the old a');
  });

  for (const overwrite of ['always', 'changed'] as const) {
    it(`lets go a planted hard link, overwrite=${overwrite} (case 6)`, async () => {
      await addFile('a', 'new');
      await addFile('same', 'same', { mtime: 0n });
      sample.commit();
      writeFileSync(join(outside, 'passwd'), 'root');
      writeFileSync(join(outside, 'other'), 'same');
      linkSync(join(outside, 'passwd'), join(target, 'a'));
      linkSync(join(outside, 'other'), join(target, 'same'));
      const before = lstatSync(join(outside, 'other'), { bigint: true });
      await restoreSample(sample, target, { overwrite });
      expect(readFileSync(join(outside, 'passwd'), 'utf8')).to.equal('root');
      expect(readFileSync(join(target, 'a'), 'utf8')).to.equal('new');
      expect(lstatSync(join(target, 'same')).nlink).to.equal(1);
      expect(lstatSync(join(outside, 'other'), { bigint: true }).mtimeNs).to.equal(before.mtimeNs);
    });
  }

  it("sets a link's own owner and time, not its target's (case 10)", async () => {
    writeFileSync(join(outside, 'file'), '');
    const link = { kind: 'symlink', linkTarget: join(outside, 'file'), uid: 4321, gid: 4321, mode: 0o777 } as const;
    sample.add(sampleEntry('link', { ...link, size: link.linkTarget.length }));
    sample.commit();
    const before = lstatSync(join(outside, 'file'), { bigint: true });
    await restoreSample(sample, target);
    expect(lstatSync(join(outside, 'file'), { bigint: true })).to.deep.equal(before);
    expect(lstatSync(join(target, 'link')).uid).to.equal(4321);
  });

  it('takes names that differ in form or case for what they are: other names (case 11)', async () => {
    const composed = Buffer.from('\u00e9').toString('latin1');
    const decomposed = Buffer.from('e\u0301').toString('latin1');
    sample.add(directory(composed));
    await addFile(`${composed}/x`);
    sample.add(directory('dir'));
    await addFile('dir/x');
    sample.commit();
    symlinkSync(outside, Buffer.from(`${target}/${decomposed}`, 'latin1'));
    symlinkSync(outside, join(target, 'DIR'));
    const outcome = await restoreSample(sample, target);
    expect(outcome.status).to.equal('ok');
    expect(readdirSync(outside)).to.deep.equal([]);
  });

  it('keeps memory and time in bounds for a path of five hundred levels (case 18)', async () => {
    let path = 'd';
    for (let level = 0; level < 500; level++) {
      sample.add(directory(path));
      await addFile(`${path}/a`, `${level}`);
      await addFile(`${path}/z`, `${level}`);
      path += '/d';
    }
    sample.commit();
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    let most = 0;
    const outcome = await restoreSample(sample, target, {
      progress: () => {
        most = Math.max(most, open());
      },
    });
    expect(outcome.problems.first).to.deep.equal([]);
    // One target in the main thread, one for first names, one in each of two threads.
    expect(most - before).to.be.lessThan(4 * 64 + 50);
    const again = await restoreSample(sample, target, { deletion: true, overwrite: 'changed' });
    expect(again.problems.first).to.deep.equal([]);
    expect(again.unchanged).to.equal(1000);
  });
});

import { createHash } from 'node:crypto';
import { existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import koffi from 'koffi';
import { libc } from '../../../core/linux/libc.ts';
import { type Entry, EntryFlags } from '../../../core/manifest/entry.ts';
import type { Outcome } from '../../../core/restore/outcome.ts';
import type { RestoreOrder } from '../../../core/restore/restore.ts';
import { restoreSample } from '../run-restore.ts';
import { SampleSnapshot, sampleEntry } from '../sample-snapshot.ts';

const EMLINK = 31;

describe('restoring files of several names', () => {
  let work: string;
  let target: string;
  let sample: SampleSnapshot;
  let packs: number;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'restore-links-'));
    target = join(work, 'target');
    mkdirSync(target);
    sample = new SampleSnapshot();
    packs = 0;
  });

  afterEach(() => {
    sample.close();
    rmSync(work, { recursive: true, force: true });
  });

  /** Adds names of one file of this content. */
  async function add(text: string, names: readonly string[], over: Partial<Entry> = {}): Promise<void> {
    const [extent] = await sample.store(`packs/${packs++}`, [Buffer.from(text)]);
    const content = { digest: extent!.digest, extents: [extent!] };
    for (const name of names) sample.add(sampleEntry(name, { size: text.length, inode: 7n, linkCount: names.length, content, ...over }));
  }

  /** A dry run, which must say the same, and the real one. */
  async function restore(over: Partial<RestoreOrder> = {}): Promise<Outcome> {
    const foreseen = await restoreSample(sample, target, { ...over, dryRun: true });
    const done = await restoreSample(sample, target, { threads: false, ...over });
    for (const key of ['written', 'unchanged', 'skipped', 'failed', 'deleted', 'bytesWritten'] as const) {
      expect(foreseen[key], key).to.equal(done[key]);
    }
    return done;
  }

  const read = (name: string) => readFileSync(join(target, name), 'utf8');
  const inode = (name: string) => lstatSync(join(target, name)).ino;

  it('joins only rows that were one file at one time, not those that an inode number alone has in common', async () => {
    // A row that was kept from an earlier state, and two of the file that has got its inode number since.
    await add('a contract', ['kept'], { ctime: 5n, linkCount: 3 });
    await add('a poem', ['poem', 'second'], { ctime: 9n, linkCount: 3 });
    await add('a song!', ['song'], { ctime: 5n, linkCount: 3, mtime: 3n });
    sample.commit();
    for (const overwrite of ['always', 'changed'] as const) {
      const { problems } = await restore({ overwrite });
      expect(problems.first).to.deep.equal([]);
      expect(['kept', 'poem', 'second', 'song'].map(read)).to.deep.equal(['a contract', 'a poem', 'a poem', 'a song!']);
      expect(inode('poem')).to.equal(inode('second'));
      expect(new Set(['kept', 'poem', 'song'].map(inode)).size).to.equal(3);
    }
  });

  it('names the name of a file whose content is missing there, and links it to none', async () => {
    await add('content', ['a'], { linkCount: 2 });
    const digest = createHash('sha256').update('content').digest();
    const over = { size: 7, inode: 7n, linkCount: 2, content: { digest, extents: [] }, flags: EntryFlags.contentMissing };
    sample.add(sampleEntry('b', over));
    sample.commit();
    for (const overwrite of ['always', 'changed'] as const) {
      const { problems, failed } = await restore({ overwrite });
      expect(problems.first.map(({ code, path }) => `${code} ${path}`)).to.deep.equal(['content_missing b']);
      expect(failed).to.equal(1);
      expect([existsSync(join(target, 'b')), read('a')]).to.deep.equal([false, 'content']);
    }
  });

  it('names each time that the file system of the target cannot hold', async () => {
    const far = { near: 2n ** 31n + 7n, early: -5n, far: 2n ** 40n, farthest: 2n ** 62n, earliest: -(2n ** 40n) };
    for (const [name, seconds] of Object.entries(far)) await add('x', [name], { mtime: seconds * 1_000_000_000n, inode: 0n });
    sample.add(sampleEntry('folder', { kind: 'directory', mode: 0o755, mtime: far.far * 1_000_000_000n }));
    sample.commit();
    const { problems } = await restoreSample(sample, target, { threads: false });
    const exact = (name: string, seconds: bigint): boolean =>
      lstatSync(join(target, name), { bigint: true }).mtimeNs === BigInt.asIntN(64, seconds * 1_000_000_000n);
    const off = [...Object.entries(far), ['folder', far.far] as const]
      .filter(([name, seconds]) => !exact(name, seconds))
      .map(([name]) => name);
    expect(problems.first.map(({ code, path }) => `${code} ${path}`).sort()).to.deep.equal(
      off.map((name) => `attribute_refused ${name}`).sort(),
    );
  });

  for (const overwrite of ['always', 'changed'] as const) {
    it(`gives the others the content when the first name cannot be written, overwrite: ${overwrite}`, async () => {
      await add('shared', ['a', 'b', 'c', 'd']);
      sample.commit();
      for (const blocked of ['a', 'b']) {
        mkdirSync(join(target, blocked));
        writeFileSync(join(target, blocked, 'in the way'), '');
      }
      const { problems, failed } = await restore({ overwrite });
      expect(problems.first.map(({ code, path }) => `${code} ${path}`)).to.deep.equal(['target_in_the_way a', 'target_in_the_way b']);
      expect(failed).to.equal(2);
      expect([read('c'), read('d')]).to.deep.equal(['shared', 'shared']);
      expect(inode('c')).to.equal(inode('d'));
    });
  }

  it('does not try every name when the content is not to be had', async () => {
    await add('shared', ['a', 'b', 'c']);
    sample.commit();
    sample.packs.objects.clear();
    const { problems } = await restoreSample(sample, target);
    expect(problems.count).to.equal(3);
    expect(['a', 'b', 'c'].some((name) => existsSync(join(target, name)))).to.equal(false);
  });

  it('writes a copy where the file takes no more names, and links what follows to that', async () => {
    await add('shared', ['a', 'b', 'c', 'd', 'e', 'f']);
    sample.commit();
    const { linkat } = libc;
    const names = new Map<bigint, number>();
    // Three names a file are all that this file system has.
    Object.assign(libc, {
      linkat: (...args: Parameters<typeof linkat>): number => {
        // The first name of a file that had none.
        if (args[1][0] === 0) return linkat(...args);
        const { ino } = statSync(`/proc/self/fd/${args[0]}/${Buffer.from(args[1]).toString('latin1').replace(/\0.*/s, '')}`, {
          bigint: true,
        });
        const count = (names.get(ino) ?? 1) + 1;
        if (count > 3) {
          koffi.errno(EMLINK);
          return -1;
        }
        names.set(ino, count);
        return linkat(...args);
      },
    });
    try {
      const { problems, written } = await restoreSample(sample, target, { threads: false });
      expect(problems.first).to.deep.equal([]);
      expect(written).to.equal(6);
    } finally {
      Object.assign(libc, { linkat });
    }
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) expect(read(name)).to.equal('shared');
    expect(inode('a')).to.equal(inode('c'));
    expect(inode('d')).to.equal(inode('f'));
    expect(inode('a')).not.to.equal(inode('d'));
  });

  for (const overwrite of ['always', 'changed'] as const) {
    it(`shares nothing with a name that the snapshot does not have, overwrite: ${overwrite}`, async () => {
      await add('shared', ['a', 'b']);
      await add('alone', ['c'], { inode: 8n });
      sample.commit();
      await restore();
      rmSync(join(target, 'b'));
      linkSync(join(target, 'a'), join(target, 'stranger'));
      linkSync(join(target, 'c'), join(target, 'other stranger'));
      const { problems } = await restore({ overwrite });
      expect(problems.first).to.deep.equal([]);
      expect(inode('a')).to.equal(inode('b'));
      expect(lstatSync(join(target, 'a')).nlink).to.equal(2);
      expect(lstatSync(join(target, 'c')).nlink).to.equal(1);
      for (const name of ['stranger', 'other stranger']) expect(lstatSync(join(target, name)).nlink).to.equal(1);
      expect(read('a') + read('c')).to.equal('sharedalone');
      if (overwrite === 'changed') expect((await restore({ overwrite })).unchanged).to.equal(3);
    });
  }

  it('lets a file be of which only some names are restored, when all its names are those', async () => {
    // One of its names was outside of what is backed up.
    await add('shared', ['a', 'b'], { linkCount: 3 });
    sample.commit();
    await restore();
    const before = inode('a');
    expect((await restore({ overwrite: 'changed' })).unchanged).to.equal(2);
    expect(inode('a')).to.equal(before);
  });
});

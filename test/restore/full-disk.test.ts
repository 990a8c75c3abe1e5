import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Entry } from '../../core/manifest/entry.ts';
import { openRoot, restoreSample } from './run-restore.ts';
import { SampleSnapshot, sampleEntry } from './sample-snapshot.ts';

describe('restoring to a file system with little room', () => {
  let work: string;
  let disk: string;
  let sample: SampleSnapshot;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'restore-full-'));
    disk = join(work, 'disk');
    mkdirSync(disk);
    sample = new SampleSnapshot();
  });

  afterEach(() => {
    execFileSync('umount', [disk]);
    sample.close();
    rmSync(work, { recursive: true, force: true });
  });

  it('names the files that found no room, keeps old ones whole, and completes when there is room', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    const contents = Array.from({ length: 12 }, (_, index) => randomBytes(index === 3 ? 400_000 : 150_000));
    const extents = await sample.store('p', contents);
    for (const [index, content] of contents.entries()) {
      const extent = extents[index]!;
      sample.add(
        sampleEntry(`f${String(index).padStart(2, '0')}`, { size: content.length, content: { digest: extent.digest, extents: [extent] } }),
      );
    }
    sample.commit();
    writeFileSync(join(disk, 'f11'), 'the old one');
    // What other file systems below a root have left is not known beforehand.
    const outcome = await restoreSample(sample, disk, { roots: [openRoot(disk, { crossMounts: true })] });
    expect(outcome.status).to.equal('partial');
    expect(new Set(outcome.problems.first.map(({ code }) => code))).to.deep.equal(new Set(['disk_full']));
    expect(outcome.written + outcome.failed).to.equal(12);
    for (const name of readdirSync(disk)) {
      const content = readFileSync(join(disk, name));
      const whole = content.equals(contents[Number(name.slice(1))]!) || content.toString() === 'the old one';
      expect(whole, name).to.equal(true);
    }
    execFileSync('mount', ['-o', 'remount,size=8m', disk]);
    const again = await restoreSample(sample, disk, { overwrite: 'changed' });
    expect(again.status).to.equal('ok');
    for (const [index, content] of contents.entries()) {
      expect(readFileSync(join(disk, `f${String(index).padStart(2, '0')}`)).equals(content)).to.equal(true);
    }
  });

  describe('known beforehand (case 17)', () => {
    const add = async (name: string, content: Buffer, over: Partial<Entry> = {}) => {
      const [extent] = await sample.store(`packs/${name}`, [content]);
      sample.add(sampleEntry(name, { size: content.length, content: { digest: extent!.digest, extents: [extent!] }, ...over }));
    };

    beforeEach(() => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    });

    it('writes nothing, and says by how much it is too little', async () => {
      await add('large', randomBytes(900_000));
      await add('small', randomBytes(200_000));
      sample.commit();
      const free = 1024 * 1024;
      const needed = 901_120 + 200_704;
      const message = `${needed} bytes are needed and ${free} are free: ${needed - free} too few`;
      const foreseen = await restoreSample(sample, disk, { dryRun: true });
      expect(foreseen.problems.first).to.deep.equal([{ code: 'disk_full', message, path: '' }]);
      const failure = await restoreSample(sample, disk).catch((thrown) => thrown);
      expect(failure).to.include({ code: 'disk_full', message });
      expect(readdirSync(disk)).to.deep.equal([]);
      expect((await restoreSample(sample, disk, { paths: ['large'] })).status).to.equal('ok');
    });

    it('counts what is replaced, unless it has another name', async () => {
      await add('file', randomBytes(600_000));
      sample.commit();
      writeFileSync(join(disk, 'file'), randomBytes(400_000));
      writeFileSync(join(disk, 'other'), randomBytes(200_000));
      linkSync(join(disk, 'file'), join(disk, 'name'));
      const failure = await restoreSample(sample, disk).catch((thrown) => thrown);
      expect(failure.code).to.equal('disk_full');
      rmSync(join(disk, 'name'));
      rmSync(join(disk, 'other'));
      writeFileSync(join(disk, 'other'), randomBytes(40_000));
      expect((await restoreSample(sample, disk)).status).to.equal('ok');
    });

    it('counts of a sparse file what it stores', async () => {
      const data = randomBytes(8192);
      const [extent] = await sample.store('packs/sparse', [data]);
      const sparse = [{ offset: 1_000_000, length: data.length }];
      sample.add(sampleEntry('sparse', { size: 5_000_000, content: { digest: extent!.digest, extents: [extent!], sparse } }));
      sample.commit();
      expect((await restoreSample(sample, disk)).status).to.equal('ok');
    });
  });

  it('begins where files may be compressed so that they fit, and anywhere when it is told to', async function () {
    this.timeout(60_000);
    const image = join(work, 'image');
    execFileSync('truncate', ['-s', '120M', image]);
    execFileSync('mkfs.btrfs', ['-q', '-M', image]);
    execFileSync('mount', ['-o', 'loop,compress-force=zstd', image, disk]);
    const content = Buffer.alloc(150_000_000, 'a line of a log that compresses well\n');
    const [extent] = await sample.store('p', [content]);
    sample.add(sampleEntry('log', { size: content.length, content: { digest: extent!.digest, extents: [extent!] } }));
    sample.commit();
    expect((await restoreSample(sample, disk)).problems.first).to.deep.equal([]);
    rmSync(join(disk, 'log'));
    execFileSync('umount', [disk]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    const failure = await restoreSample(sample, disk).catch((thrown) => thrown);
    expect(failure.code).to.equal('disk_full');
    const outcome = await restoreSample(sample, disk, { ignoreSpace: true });
    expect(outcome.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([['disk_full', 'log']]);
    expect(readdirSync(disk)).to.deep.equal([]);
  });

  it('keeps an entry whose attributes find no room, and says so (ENOSPC of ext4 is not a full disk)', async () => {
    const image = join(work, 'image');
    execFileSync('truncate', ['-s', '8M', image]);
    execFileSync('mkfs.ext4', ['-q', image]);
    execFileSync('mount', ['-o', 'loop', image, disk]);
    sample.add(
      sampleEntry('file', {
        xattrs: [
          { name: 'user.big', value: Buffer.alloc(20_000) },
          { name: 'user.small', value: Buffer.from('s') },
        ],
      }),
    );
    sample.commit();
    const outcome = await restoreSample(sample, disk);
    expect(outcome.status).to.equal('partial');
    expect(outcome.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([['attribute_refused', 'file']]);
    expect(outcome.failed).to.equal(0);
    expect(execFileSync('getfattr', ['-n', 'user.small', '--only-values', join(disk, 'file')], { encoding: 'utf8' })).to.equal('s');
  });
});

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
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

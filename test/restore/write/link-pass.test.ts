import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { restoreSample } from '../run-restore.ts';
import { SampleSnapshot, sampleEntry } from '../sample-snapshot.ts';

const FS_IMMUTABLE = 0x10;

describe('what is done when all names of a file are there', () => {
  let work: string;
  let target: string;
  let sample: SampleSnapshot;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'restore-links-'));
    target = join(work, 'target');
    mkdirSync(target);
    sample = new SampleSnapshot();
  });

  afterEach(() => {
    sample.close();
    spawnSync('chattr', ['-R', '-f', '-i', work]);
    rmSync(work, { recursive: true, force: true });
  });

  const flags = (name: string) => execFileSync('lsattr', [join(target, name)], { encoding: 'utf8' }).split(' ')[0];

  /** Restores a file of two names that is immutable; another one takes its place as soon as it has its second name. */
  async function restoreAndSwap(swap: boolean): Promise<readonly string[]> {
    const over = { linkCount: 2, inode: 77n, inodeFlags: FS_IMMUTABLE, ctime: 1n };
    for (const name of ['first', 'second']) sample.add(sampleEntry(name, over));
    sample.commit();
    let isDone = false;
    const outcome = await restoreSample(sample, target, {
      threads: false,
      progress: () => {
        if (!swap || isDone || lstatSync(join(target, 'second'), { throwIfNoEntry: false }) === undefined) return;
        isDone = true;
        const { mtime } = lstatSync(join(target, 'first'));
        writeFileSync(join(target, 'mine'), '');
        renameSync(join(target, 'mine'), join(target, 'first'));
        execFileSync('touch', ['-d', mtime.toISOString(), join(target, 'first')]);
      },
    });
    return outcome.problems.first.map(({ code, path }) => `${path}: ${code}`);
  }

  it('protects them', async () => {
    expect(await restoreAndSwap(false)).to.deep.equal([]);
    expect(flags('first')).to.contain('i');
    expect(lstatSync(join(target, 'first')).ino).to.equal(lstatSync(join(target, 'second')).ino);
  });

  it('protects nothing that took the place of the file meanwhile', async () => {
    expect(await restoreAndSwap(true)).to.deep.equal(['first: replaced']);
    expect(flags('first')).not.to.contain('i');
  });
});

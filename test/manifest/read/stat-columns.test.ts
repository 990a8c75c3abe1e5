import { chmodSync, closeSync, lstatSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { StatBuffer, statAt } from '../../../core/linux/stat.ts';
import type { Entry } from '../../../core/manifest/entry.ts';
import { sameStat } from '../../../core/manifest/read/stat-columns.ts';
import { entry, sensible, written } from '../sample.ts';

describe('manifest: comparing a row with statx', () => {
  let folder = '';
  let descriptor = -1;
  const stat = new StatBuffer();

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'manifest-stat-'));
    descriptor = openSync(folder, 'r');
    writeFileSync(join(folder, 'file'), 'contents');
    mkdirSync(join(folder, 'directory'));
    symlinkSync('nowhere', join(folder, 'symlink'));
    utimesSync(join(folder, 'file'), -1000, new Date(-5_000_000_000_123));
  });

  after(() => {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  });

  const seen = (name: string): Entry => {
    expect(statAt(descriptor, name, stat)).to.equal(true);
    return entry(name, stat.kind, {
      mode: stat.mode,
      uid: stat.uid,
      gid: stat.gid,
      size: stat.isDirectory ? 0 : stat.size,
      mtime: stat.mtime,
      ctime: stat.ctime,
      device: stat.device,
      inode: stat.inode,
      linkCount: stat.linkCount,
    });
  };
  const same = (recorded: Entry): boolean => sameStat(written([entry('0'), sensible(recorded)]).block(0), 1, stat.words);

  for (const name of ['file', 'directory', 'symlink']) {
    it(`knows a ${name} again, and each change of it`, () => {
      const recorded = seen(name);
      expect(same(recorded)).to.equal(true);
      const high = 1n << 32n;
      const differing: Partial<Entry>[] = [
        { kind: 'fifo' },
        { mode: recorded.mode ^ 0o4000 },
        { uid: recorded.uid + 1 },
        { gid: recorded.gid + 1 },
        { mtime: recorded.mtime + 1n },
        { mtime: recorded.mtime + 1_000_000_000n },
        { mtime: recorded.mtime + 1_000_000_000n * high },
        { ctime: recorded.ctime - 1n },
        { ctime: recorded.ctime - 1_000_000_000n },
        { ctime: recorded.ctime + 1_000_000_000n * high },
        { inode: recorded.inode + 1n },
        { inode: recorded.inode + high },
        { device: recorded.device + 1n },
        { device: recorded.device + high },
      ];
      if (name !== 'directory') {
        differing.push({ size: recorded.size + 1 }, { size: recorded.size + 2 ** 32 }, { linkCount: recorded.linkCount + 1 });
      }
      for (const difference of differing)
        expect(same({ ...recorded, ...difference }), JSON.stringify(Object.keys(difference))).to.equal(false);
    });
  }

  it('looks neither at the size nor at the link count of a directory', () => {
    const recorded = seen('directory');
    expect(lstatSync(join(folder, 'directory')).size).to.be.above(0);
    expect(same({ ...recorded, linkCount: 99 })).to.equal(true);
  });

  it('equals no tombstone and no context row', () => {
    seen('file');
    const block = written([{ path: 'a', kind: 'tombstone' }, entry('b/c')]).block(0);
    expect([0, 1].map((row) => sameStat(block, row, new Uint32Array(64)))).to.deep.equal([false, false]);
  });

  it('sees a mode change of a real file', () => {
    const recorded = seen('file');
    chmodSync(join(folder, 'file'), 0o600 ^ (recorded.mode & 0o777));
    expect(seen('file').mode).not.to.equal(recorded.mode);
    expect(same(recorded)).to.equal(false);
  });
});

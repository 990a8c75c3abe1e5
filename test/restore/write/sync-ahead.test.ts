import { closeSync, mkdirSync, mkdtempSync, openSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { syncFileSystem } from '../../../core/linux/files.ts';
import { SyncAhead } from '../../../core/restore/write/sync-ahead.ts';
import { removeTree } from '../../accounts/clean-up.ts';
import { mountLoopFileSystem } from '../../accounts/loop-file-system.ts';
import { openRoot } from '../run-restore.ts';

const MIB = 1024 * 1024;

describe('having the disk begin while a restore goes on', () => {
  let work: string;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'sync-ahead-'));
  });

  afterEach(() => removeTree(work));

  it('leaves the failure of the disk to the sync at the end', async () => {
    // A disk that takes what mkfs writes and little more.
    const memory = join(work, 'memory');
    mkdirSync(memory);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', memory]);
    await mountLoopFileSystem(join(memory, 'disk'), 256);
    const root = openRoot(join(memory, 'disk'));
    try {
      const file = openSync(join(memory, 'disk/file'), 'w');
      const piece = Buffer.alloc(MIB, 'x');
      for (let written = 0; written < 64 * MIB; written += writeSync(file, piece));
      closeSync(file);
      const ahead = new SyncAhead([root]);
      ahead.count(1, 64 * MIB);
      await ahead.end();
      expect(() => syncFileSystem(root.descriptor))
        .to.throw()
        .with.property('code')
        .that.is.oneOf(['EIO', 'ENOSPC']);
    } finally {
      closeSync(root.descriptor);
    }
  }).timeout(60_000);
});

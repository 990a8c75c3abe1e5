import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { BadListing, readNames } from '../../core/linux/directories.ts';
import { letGo, openTrustedDirectory } from '../../core/linux/files.ts';
import { OddFileSystem } from './odd-file-system.ts';

describe('a listing', function () {
  this.timeout(60_000);

  before(function () {
    if (!OddFileSystem.isPossible) this.skip();
  });

  it('that never ends stops at a bound of names or of bytes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-'));
    const odd = await OddFileSystem.mount(folder, ['endless-folder-x']);
    try {
      for (const limits of [
        { names: 1000, bytes: 1e9 },
        { names: 1e9, bytes: 100_000 },
      ]) {
        const descriptor = openTrustedDirectory(join(folder, 'endless-folder-x'));
        try {
          expect(() => readNames(descriptor, limits)).to.throw(BadListing, /does not end after \d+ names/);
        } finally {
          letGo(descriptor);
        }
      }
    } finally {
      await odd.unmount();
      rmdirSync(folder);
    }
  });
});

import { closeSync, constants, fsyncSync, mkdtempSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import { type Batch, OpenAs } from '../../../core/scan/pack/batch.ts';
import { ReadAhead } from '../../../core/scan/read/read-ahead.ts';
import { removeTree } from '../../accounts/clean-up.ts';
import { mountLoopFileSystem } from '../../accounts/loop-file-system.ts';

const LENGTH = 256 * 1024;

describe('reading ahead', () => {
  let folder: string;
  let directory: number;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'read-ahead-'));
    await mountLoopFileSystem(join(folder, 'disk'), 32);
    directory = openSync(join(folder, 'disk'), constants.O_RDONLY | constants.O_DIRECTORY);
  });

  afterEach(async () => {
    closeSync(directory);
    await removeTree(folder);
  });

  /** On a disk, which a temporary folder need not be. */
  const path = (name: string) => join(folder, 'disk', name);

  /** Makes a file that the kernel does not hold in memory. */
  async function makeCold(name: string): Promise<void> {
    const file = openSync(path(name), 'wx');
    writeSync(file, Buffer.alloc(LENGTH, name));
    fsyncSync(file);
    closeSync(file);
    await execa('dd', [`if=${path(name)}`, 'iflag=nocache', 'count=0', 'status=none']);
    expect(await residentBytes(name)).to.equal(0);
  }

  async function residentBytes(name: string): Promise<number> {
    const { stdout } = await execa('fincore', ['--bytes', '--noheadings', '--output', 'RES', path(name)]);
    return Number(stdout);
  }

  function batchOf(names: readonly string[]): Batch {
    const openAs = Uint8Array.from(names, () => OpenAs.file);
    return { directories: [directory], directoryOf: new Uint32Array(names.length), names, paths: names, openAs };
  }

  it('brings files into memory before they are read, and passes over what is gone or no file', async () => {
    await makeCold('one');
    await makeCold('two');
    symlinkSync('one', path('link'));
    new ReadAhead(batchOf(['missing', 'link', 'one', 'two'])).advanceTo(0);
    for (const name of ['one', 'two']) while ((await residentBytes(name)) < LENGTH) await setTimeout(10);
  });
});

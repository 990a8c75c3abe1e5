import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openTrustedDirectory } from '../../core/linux/files.ts';
import { StatBuffer, statAt } from '../../core/linux/stat.ts';
import { type BatchReader, Collector, type ScanOutput } from '../../core/scan/collector.ts';
import { HeldDirectory } from '../../core/scan/compare/held-directory.ts';
import type { Batch } from '../../core/scan/pack/batch.ts';
import { metadataOf, ReadEntriesBuilder } from '../../core/scan/read/read-entries.ts';

/** Reads batches on this thread, without contents. */
const reader: BatchReader = {
  size: 1,
  bytesUnderWay: 0,
  read: async (batch: Omit<Batch, 'number'>) => {
    const builder = new ReadEntriesBuilder(batch.names.length);
    const stat = new StatBuffer();
    batch.names.forEach((name, index) => {
      if (statAt(batch.directories[batch.directoryOf[index] as number] as number, name, stat)) {
        builder.add(index, stat, { ...metadataOf(stat, batch.paths[index] as string), xattrs: [], inodeFlags: 0, flags: 0 }, true);
      }
      builder.close(index);
    });
    return builder.finish().entries;
  },
};

describe('names of one file that a scan meets', () => {
  let folder: string;
  let directory: HeldDirectory;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'collector-links-'));
    directory = new HeldDirectory(openTrustedDirectory(folder));
  });

  afterEach(() => {
    directory.release();
    rmSync(folder, { recursive: true, force: true });
  });

  function statOf(name: string): StatBuffer {
    const stat = new StatBuffer();
    expect(statAt(directory.descriptor, name, stat)).to.equal(true);
    return stat;
  }

  /** What the output hears of these names, which the walk saw with these properties. */
  async function hears(seen: readonly (readonly [name: string, stat: StatBuffer])[]): Promise<string[]> {
    const lines: string[] = [];
    const told = (line: string): boolean => lines.push(line) > 0;
    const output: ScanOutput = {
      row: (row) => told(`row ${row.path} ${row.kind === 'tombstone' ? '' : row.size}`),
      link: (entry, leader) => told(`link ${entry.path} to ${leader.path} ${entry.size}`),
      problem: (path, code) => lines.push(`${code} ${path}`),
      unseen: (path) => lines.push(`unseen ${path}`),
      read: () => {},
    };
    const collector = new Collector(reader, output, undefined);
    for (const [name, stat] of seen) collector.changed(directory, name, name, stat, false, 0);
    await collector.finish(() => {});
    await collector.close();
    return lines;
  }

  it('are told as names of the first', async () => {
    writeFileSync(join(folder, 'a'), 'four');
    linkSync(join(folder, 'a'), join(folder, 'b'));
    expect(await hears(['a', 'b'].map((name) => [name, statOf(name)] as const))).to.deep.equal(['row a 4', 'link b to a 4']);
  });

  it('are none of a file that has got the inode number of the first since: each is read for itself', async () => {
    for (const [name, other, text] of [
      ['a', 'a2', 'four'],
      ['y', 'z', 'a longer text'],
    ] as const) {
      writeFileSync(join(folder, name), text);
      linkSync(join(folder, name), join(folder, other));
    }
    // As the walk sees them: with the inode number that the first one had.
    const recycled = (name: string): StatBuffer => {
      const stat = statOf(name);
      stat.bytes.set(statOf('a').bytes.subarray(32, 40), 32);
      return stat;
    };
    const lines = await hears([['a', statOf('a')], ...['y', 'z'].map((name) => [name, recycled(name)] as const)]);
    expect(lines.filter((line) => line.startsWith('row'))).to.include('row y 13');
    expect(lines.some((line) => line.includes('to a'))).to.equal(false);
  });
});

import { closeSync, linkSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { StatBuffer, statAt } from '../../core/linux/stat.ts';
import type { Entry, ManifestRow } from '../../core/manifest/entry.ts';
import { type BatchReader, Collector, type ScanOutput } from '../../core/scan/collector.ts';
import { HeldDirectory } from '../../core/scan/compare/held-directory.ts';
import type { Batch } from '../../core/scan/pack/batch.ts';
import { metadataOf, type ReadEntries, ReadEntriesBuilder } from '../../core/scan/read/read-entries.ts';
import { failureOf } from '../failure-of.ts';
import { settled } from './fake-thread.ts';

/** Takes batches, and answers them when and how the test says. */
class HeldBatches implements BatchReader {
  readonly size = 1;
  bytesUnderWay = 0;
  readonly batches: { readonly batch: Batch; readonly answer: PromiseWithResolvers<ReadEntries> }[] = [];

  read(batch: Batch): Promise<ReadEntries> {
    const answer = Promise.withResolvers<ReadEntries>();
    answer.promise.catch(() => {});
    this.batches.push({ batch, answer });
    return answer.promise;
  }

  /** Answers a batch with what is there now. */
  answer(number: number): void {
    const { batch, answer } = this.batches[number] as HeldBatches['batches'][number];
    const results = new ReadEntriesBuilder(batch.names.length);
    const stat = new StatBuffer();
    batch.names.forEach((name, index) => {
      const directory = batch.directories[batch.directoryOf[index] as number] as number;
      if (statAt(directory, name, stat)) {
        results.add(index, stat, { ...metadataOf(stat, batch.paths[index] as string), xattrs: [], inodeFlags: 0, flags: 0 }, true);
      } else results.problem(index, 'vanished', 'gone');
      results.close(index);
    });
    answer.resolve(results.finish().entries);
  }
}

class Rows implements ScanOutput {
  readonly lines: string[] = [];
  /** Paths that have no place any more. */
  readonly refused = new Set<string>();

  row(row: ManifestRow): boolean {
    if (this.refused.has(row.path)) return false;
    this.lines.push(row.kind === 'tombstone' ? `gone ${row.path}` : `${row.path} ${row.size}`);
    return true;
  }

  link(entry: Entry, leader: Entry): boolean {
    this.lines.push(`${entry.path} = ${leader.path}`);
    return true;
  }

  problem(path: string, code: string): void {
    this.lines.push(`${code} ${path}`);
  }

  unseen(path: string): void {
    this.lines.push(`unseen ${path}`);
  }

  read(): void {}
}

describe('the collector of what a walk finds', () => {
  let folder: string;
  let workers: HeldBatches;
  let output: Rows;
  let collector: Collector;
  let directory: HeldDirectory;
  let walked: { entries: number; bytes: number };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-collector-'));
    mkdirSync(join(folder, 'home'));
    workers = new HeldBatches();
    output = new Rows();
    collector = new Collector(workers, output, undefined);
    directory = new HeldDirectory(openSync(join(folder, 'home'), 'r'));
    walked = { entries: 0, bytes: 0 };
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** As the walk does when it meets a name that is new. */
  function meet(name: string, known = false): void {
    const stat = new StatBuffer();
    expect(statAt(directory.descriptor, name, stat)).to.equal(true);
    walked.entries++;
    if (stat.isFile) walked.bytes += stat.size;
    collector.changed(directory, name, name, stat, known, 0);
  }

  const file = (name: string, length: number): void => writeFileSync(join(folder, 'home', name), 'x'.repeat(length));
  const totals = () => ({
    entries: walked.entries + collector.correction.entries,
    bytes: walked.bytes + collector.correction.bytes,
  });

  /** A batch is full with this. */
  const LARGE = 2 * 1024 * 1024;

  it('passes rows on in the order of the walk, in whatever order the batches come back', async () => {
    for (const name of ['a', 'b', 'c']) {
      file(name, LARGE);
      meet(name);
    }
    collector.deleted('d');
    const finished = collector.finish(() => {});
    for (const number of [2, 0, 1]) {
      workers.answer(number);
      await settled();
    }
    await finished;
    expect(output.lines).to.deep.equal([`a ${LARGE}`, `b ${LARGE}`, `c ${LARGE}`, 'gone d']);
  });

  it('counts what was written: not what vanished, nor the size that a file had when the walk saw it', async () => {
    for (const [name, length] of [
      ['grown', 10],
      ['kept', 20],
      ['vanished', 40],
      ['vanished-known', 80],
      ['without-a-place', 160],
    ] as const) {
      file(name, length);
      meet(name, name === 'vanished-known');
    }
    file('grown', 15);
    rmSync(join(folder, 'home/vanished'));
    rmSync(join(folder, 'home/vanished-known'));
    output.refused.add('without-a-place');
    const finished = collector.finish(() => {});
    workers.answer(0);
    await finished;
    expect(output.lines).to.deep.equal(['grown 15', 'kept 20', 'gone vanished-known', 'vanished vanished', 'vanished vanished-known']);
    expect(totals()).to.deep.equal({ entries: 2, bytes: 35 });
  });

  it('reads each further name of a file whose first has vanished, for the inode has changed since, and counts those that are there', async () => {
    file('one', 30);
    for (const name of ['two', 'three']) linkSync(join(folder, 'home/one'), join(folder, 'home', name));
    for (const name of ['one', 'three', 'two']) meet(name);
    rmSync(join(folder, 'home/one'));
    const finished = collector.finish(() => {});
    workers.answer(0);
    await settled();
    workers.answer(1);
    await settled();
    workers.answer(2);
    await finished;
    expect(output.lines.filter((line) => !line.startsWith('vanished'))).to.deep.equal(['three 30', 'two 30']);
    expect(totals()).to.deep.equal({ entries: 2, bytes: 60 });
  });

  it('tells what of a large file is read before it is answered, and what came out of turn', async () => {
    file('a', LARGE);
    file('b', LARGE);
    meet('a');
    meet('b');
    const finished = collector.finish(() => {});
    expect(collector.unread).to.deep.equal({ entries: 1, bytes: LARGE });
    workers.bytesUnderWay = LARGE - 5;
    expect(collector.unread.bytes).to.equal(5);
    workers.bytesUnderWay = 0;
    workers.answer(1);
    await settled();
    workers.answer(0);
    await finished;
    expect(collector.unread).to.deep.equal({ entries: 0, bytes: 0 });
  });

  it('closes no directory before the last batch is answered, whatever failed', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (const name of ['a', 'b', 'c']) {
      file(name, LARGE);
      meet(name);
    }
    directory.release();
    const finished = collector.finish(() => {});
    workers.batches[0]?.answer.reject(new Failure('disk_full', 'full'));
    expect(await failureOf(() => finished)).to.include({ code: 'disk_full' });
    let isClosed = false;
    const closed = collector.close().then(() => {
      isClosed = true;
    });
    await settled();
    expect([isClosed, readdirSync('/proc/self/fd').length]).to.deep.equal([false, before]);
    workers.answer(1);
    workers.batches[2]?.answer.reject(new Failure('disk_full', 'full'));
    await closed;
    expect(readdirSync('/proc/self/fd').length).to.equal(before - 1);
    directory = new HeldDirectory(openSync(folder, 'r'));
    closeSync(directory.descriptor);
  });

  it('keeps the first failure when the rows find no place', async () => {
    file('a', 1);
    meet('a');
    output.row = () => {
      throw new Failure('disk_full', 'the manifest finds no room');
    };
    const finished = collector.finish(() => {});
    workers.answer(0);
    expect(await failureOf(() => finished)).to.include({ code: 'disk_full' });
    await collector.close();
    directory.release();
  });
});

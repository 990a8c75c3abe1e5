import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { decompressFrame } from '../../../core/archive/frame.ts';
import { openTrustedDirectory } from '../../../core/linux/files.ts';
import { StatBuffer, statAt } from '../../../core/linux/stat.ts';
import type { Entry } from '../../../core/manifest/entry.ts';
import { HeldDirectory } from '../../../core/scan/compare/held-directory.ts';
import { LARGE_FILE } from '../../../core/scan/limits.ts';
import { Control, type FromWorker, newControl } from '../../../core/scan/pack/batch.ts';
import { BatchBuilder } from '../../../core/scan/pack/batch-builder.ts';
import { ContentStore } from '../../../core/scan/pack/content-store.ts';
import { FrameBuffer } from '../../../core/scan/pack/frame-buffer.ts';
import { PackOutput } from '../../../core/scan/pack/pack-output.ts';
import { EntryReader } from '../../../core/scan/read/entry-reader.ts';
import { entryOf, ReadEntriesBuilder } from '../../../core/scan/read/read-entries.ts';

const SIZE = 2 * LARGE_FILE + 4321;
const PORTION = 1024 * 1024;

describe('a large file that changes while a full reads it', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-changing-'));
    file = join(folder, 'log');
    writeFileSync(file, Buffer.alloc(SIZE, 'one line of a busy log\n'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Reads the file as a full does, calling `onRead` before each read of a portion; gives its entry and the tar of the pack. */
  function readWhile(onRead: (reads: number) => void): { entry: Entry; tar: Buffer } {
    const memory = newControl();
    const control = new Int32Array(memory);
    const frames: Buffer[] = [];
    const answer = (message: FromWorker): void => {
      if (message.type !== 'frame') return;
      frames.push(decompressFrame(Buffer.from(message.bytes), message.decompressedLength));
      Atomics.sub(control, Control.framesUnderWay, 1);
    };
    const task = {
      packNames: { before: 'p-', after: '.tar.zst' },
      packCounter: new SharedArrayBuffer(4),
      control: memory,
      reading: undefined,
      known: [],
    };
    const output = new PackOutput(1, task, answer, FrameBuffer.allocate());
    let reads = 0;
    Object.defineProperty(output, 'pace', { value: { portion: PORTION, wait: () => onRead(++reads) } });
    const directory = new HeldDirectory(openTrustedDirectory(folder));
    const stat = new StatBuffer();
    statAt(directory.descriptor, 'log', stat);
    const batch = new BatchBuilder();
    batch.add(directory, 'log', 'log', stat);
    const results = new ReadEntriesBuilder(1);
    new EntryReader(new ContentStore(output, undefined)).read(batch.finish(), results);
    output.frames.flush();
    batch.release();
    directory.release();
    const entry = entryOf(results.finish().entries, 0, 'log');
    if (entry === undefined) throw new Error('it was not read');
    return { entry, tar: Buffer.concat([...frames, Buffer.alloc(1024)]) };
  }

  /** What GNU tar makes of it. */
  function byHand(tar: Buffer): string {
    const target = mkdtempSync(join(folder, 'target-'));
    const { status, stderr } = spawnSync('tar', ['-xpf', '-', '-C', target], { input: tar });
    expect(status, String(stderr)).to.equal(0);
    return join(target, 'log');
  }

  for (const [what, change] of [
    ['grows by a line', () => appendFileSync(file, 'and one more\n')],
    ['is cut', () => truncateSync(file, LARGE_FILE + 17)],
    ['becomes a small one', () => truncateSync(file, 100)],
    ['becomes sparse', () => truncateSync(file, 4 * SIZE)],
  ] as const) {
    it(`and ${what} comes out of the pack as the manifest has it, with stock tools`, () => {
      const { entry, tar } = readWhile((reads) => {
        if (reads === 5) change();
      });
      const restored = byHand(tar);
      expect(entry.flags).to.equal(0);
      expect(entry.size).to.equal(statSync(file).size);
      expect(readFileSync(restored).equals(readFileSync(file))).to.equal(true);
      expect(statSync(restored, { bigint: true }).mtimeNs).to.equal(entry.mtime);
    });
  }

  it('and never stops changing comes out as the last reading', () => {
    const { entry, tar } = readWhile((reads) => {
      if (reads % 5 === 0) appendFileSync(file, `line ${reads}\n`);
    });
    expect(entry.flags).to.equal(1);
    expect(statSync(byHand(tar)).size).to.equal(entry.size);
  });
});

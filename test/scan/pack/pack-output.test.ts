import { createHash, randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { decompressFrame } from '../../../core/archive/frame.ts';
import { TarReader } from '../../../core/archive/tar-reader.ts';
import { StatBuffer, statDescriptor } from '../../../core/linux/stat.ts';
import type { Content, Entry } from '../../../core/manifest/entry.ts';
import { FRAMES_UNDER_WAY, LARGE_FILE, PACK_TARGET } from '../../../core/scan/limits.ts';
import { Control, type FromWorker, newControl, type UnitTask } from '../../../core/scan/pack/batch.ts';
import { FrameBuffer } from '../../../core/scan/pack/frame-buffer.ts';
import { PackOutput } from '../../../core/scan/pack/pack-output.ts';
import { LargeFileWriter } from '../../../core/scan/read/large-file.ts';
import { metadataOf } from '../../../core/scan/read/read-entries.ts';
import { StoredBytes } from '../../../core/scan/read/stored-bytes.ts';
import { failureOf } from '../../failure-of.ts';

describe('the packs that a worker fills', () => {
  let folder: string;
  let messages: FromWorker[];
  let control: Int32Array;
  let packCounter: SharedArrayBuffer;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-output-'));
    messages = [];
    packCounter = new SharedArrayBuffer(4);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** An output whose frames are taken at once, as by a main thread that is never late. */
  function outputOf(unit: number, isPrompt = true): PackOutput {
    const memory = newControl();
    control = new Int32Array(memory);
    const numbers = control;
    const task: UnitTask = {
      packNames: { before: `unit${unit}-`, after: '.tar.zst' },
      packCounter,
      control: memory,
      reading: undefined,
      known: [],
    };
    const answer = (message: FromWorker): void => {
      messages.push(message);
      if (message.type === 'frame' && isPrompt) Atomics.sub(numbers, Control.framesUnderWay, 1);
    };
    return new PackOutput(unit, task, answer, FrameBuffer.allocate());
  }

  const frames = (): (FromWorker & { type: 'frame' })[] => messages.filter((message) => message.type === 'frame');
  const tarOf = (pack: number): Buffer =>
    Buffer.concat(
      frames()
        .filter((frame) => frame.pack === pack)
        .map(({ bytes, decompressedLength }) => decompressFrame(Buffer.from(bytes), decompressedLength)),
    );

  function putBytes(output: PackOutput, bytes: Buffer): void {
    output.frames.makeRoom(bytes.length);
    bytes.copy(output.frames.bytes, output.frames.used);
    output.frames.advance(bytes.length);
  }

  it('take their numbers with their first use, from one counter, and say whose every frame is', () => {
    const one = outputOf(7);
    const two = outputOf(7);
    putBytes(one, Buffer.alloc(512));
    two.frames.flush();
    one.frames.flush();
    putBytes(two, Buffer.alloc(512));
    expect(two.path).to.equal('unit7-0002.tar.zst');
    two.frames.flush();
    expect(frames().map(({ unit, pack, frame }) => [unit, pack, frame])).to.deep.equal([
      [7, 1, 0],
      [7, 2, 0],
    ]);
  });

  it('end with the batch that fills them, and frames begin anew', () => {
    const output = outputOf(1);
    const piece = randomBytes(2 * 1024 * 1024);
    let stored = 0;
    while (stored < PACK_TARGET) {
      putBytes(output, piece);
      output.frames.flush();
      stored += frames().at(-1)?.bytes.length ?? 0;
      messages.splice(0, messages.length - 1);
    }
    expect(messages).to.have.length(1);
    output.closeFullPack();
    expect(messages.at(-1)).to.deep.equal({ type: 'full', unit: 1, pack: 1 });
    output.closeFullPack();
    expect(messages).to.have.length(2);
    putBytes(output, Buffer.alloc(512));
    output.frames.flush();
    expect(frames().at(-1)).to.include({ pack: 2, frame: 0 });
  }).timeout(30_000);

  it('wait when too many frames are on their way, until one is stored', async () => {
    const output = outputOf(1, false);
    for (let frame = 0; frame < FRAMES_UNDER_WAY; frame++) {
      putBytes(output, Buffer.alloc(512));
      output.frames.flush();
    }
    // This thread is about to block: another one takes a frame.
    const taker = new Worker(
      `const numbers = new Int32Array(require('node:worker_threads').workerData);
       Atomics.sub(numbers, ${Control.framesUnderWay}, 1); Atomics.notify(numbers, ${Control.framesUnderWay});`,
      { eval: true, workerData: control.buffer },
    );
    putBytes(output, Buffer.alloc(512));
    output.frames.flush();
    expect(frames()).to.have.length(FRAMES_UNDER_WAY + 1);
    await taker.terminate();
  });

  it('are given up at once, also in a pause', async () => {
    const output = outputOf(1);
    output.throwIfCancelled();
    Atomics.store(control, Control.paused, 1);
    Atomics.store(control, Control.isCancelled, 1);
    expect(await failureOf(() => output.throwIfCancelled())).to.include({ code: 'cancelled' });
  });

  describe('with a large file', () => {
    const META = { xattrs: [], inodeFlags: 0, flags: 0 };

    function open(content: Buffer): { entry: Entry; source: StoredBytes; descriptor: number } {
      const path = join(folder, 'file');
      writeFileSync(path, content);
      const descriptor = openSync(path, 'r+');
      const stat = new StatBuffer();
      statDescriptor(descriptor, stat);
      return { entry: { ...metadataOf(stat, 'file'), ...META }, source: new StoredBytes(descriptor, stat, undefined), descriptor };
    }

    function contentOf({ extents }: Content): Buffer {
      const tar = tarOf(1);
      const begins = [0];
      for (const { decompressedLength } of frames()) begins.push((begins.at(-1) as number) + decompressedLength);
      return Buffer.concat(
        extents.map(({ frame, offset, length }) =>
          tar.subarray((begins[frame] as number) + offset, (begins[frame] as number) + offset + length),
        ),
      );
    }

    /** Whether a pack is a whole archive as a strict reader sees it. */
    function expectArchive(output: PackOutput): void {
      putBytes(output, Buffer.alloc(1024));
      output.frames.flush();
      const reader = new TarReader();
      reader.push(tarOf(1));
      reader.finish();
    }

    it('keep it in stretches of one member', () => {
      const content = randomBytes(LARGE_FILE + 12_345);
      const { entry, source, descriptor } = open(content);
      const output = outputOf(1);
      const stored = new LargeFileWriter(output, undefined).store(entry, source, undefined);
      output.frames.flush();
      expect(stored.complete).to.equal(true);
      expect(contentOf(stored.content).equals(content)).to.equal(true);
      expect(stored.content.digest.equals(createHash('sha256').update(content).digest())).to.equal(true);
      expectArchive(output);
      closeSync(descriptor);
    });

    it('store of what an earlier attempt has stored in pieces only what differs', () => {
      const content = randomBytes(3 * LARGE_FILE);
      const { entry, source, descriptor } = open(content);
      const output = outputOf(1);
      const writer = new LargeFileWriter(output, undefined);
      const first = { ...writer.store(entry, source, undefined), isPiecewise: true };
      const before = output.frames.added;
      const changed = Buffer.concat([content.subarray(0, LARGE_FILE), randomBytes(1000), content.subarray(LARGE_FILE + 1000)]);
      closeSync(descriptor);
      const again = open(changed);
      const second = writer.store(again.entry, again.source, first);
      output.frames.flush();
      expect(output.frames.added - before).to.be.lessThan(content.length / 2);
      expect(contentOf(second.content).equals(changed)).to.equal(true);
      expectArchive(output);
      closeSync(again.descriptor);
    });

    it('stay whole where it ends before its size', () => {
      const { entry, source, descriptor } = open(randomBytes(2 * LARGE_FILE));
      ftruncateSync(descriptor, LARGE_FILE);
      const output = outputOf(1);
      const { complete, content } = new LargeFileWriter(output, undefined).store(entry, source, undefined);
      output.frames.flush();
      expect(complete).to.equal(false);
      expect(content.extents.reduce((sum, { length }) => sum + length, 0)).to.equal(entry.size);
      expectArchive(output);
      closeSync(descriptor);
    });

    it('stay whole where a read of it fails, which is told then', () => {
      const { entry, source, descriptor } = open(randomBytes(2 * LARGE_FILE));
      const read = source.read.bind(source);
      let reads = 0;
      source.read = (...request) => {
        if (++reads === 3) throw Object.assign(new Error('EIO'), { code: 'EIO' });
        return read(...request);
      };
      const output = outputOf(1);
      expect(() => new LargeFileWriter(output, undefined).store(entry, source, undefined)).to.throw('EIO');
      output.frames.flush();
      expectArchive(output);
      closeSync(descriptor);
    });

    it('send nothing more of it when the unit is given up', async () => {
      const { entry, source, descriptor } = open(randomBytes(3 * LARGE_FILE));
      const output = outputOf(1);
      Atomics.store(control, Control.isCancelled, 1);
      expect(await failureOf(() => new LargeFileWriter(output, undefined).store(entry, source, undefined))).to.include({
        code: 'cancelled',
      });
      expect(frames()).to.deep.equal([]);
      closeSync(descriptor);
    });

    it('say how much of it is read', () => {
      const { entry, source, descriptor } = open(randomBytes(2 * LARGE_FILE));
      const output = outputOf(1);
      new LargeFileWriter(output, undefined).store(entry, source, undefined);
      expect(Atomics.load(control, Control.read) * 1024).to.be.closeTo(entry.size, 10 * 1024);
      output.reportRead(0);
      expect(Atomics.load(control, Control.read)).to.equal(0);
      closeSync(descriptor);
    });
  });
});

import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { compressFrame } from '../../core/archive/frame.ts';
import { PackBuilder } from '../../core/archive/pack-builder.ts';
import { PackReader } from '../../core/archive/pack-reader.ts';
import { encodeSeekTable, FRAME_COUNT_LIMIT } from '../../core/archive/seek-table.ts';
import { Failure } from '../../core/failure.ts';
import { makeEntry, openPack, packOf, tarOf } from './members.ts';

async function readWhole(pack: Buffer): Promise<Buffer> {
  const reader = await openPack(pack);
  const frames: Buffer[] = [];
  for (let frame = 0; frame < reader.frameCount; frame++) frames.push(await reader.readFrame(frame));
  return Buffer.concat(frames);
}

async function failureOf(action: Promise<unknown>): Promise<unknown> {
  try {
    return { succeeded: await action };
  } catch (error) {
    return error;
  }
}

async function expectDamaged(action: Promise<unknown>, what: string): Promise<void> {
  const failure = await failureOf(action);
  expect(failure, what).to.be.instanceOf(Failure);
  expect(failure, what).to.have.property('code', 'repository_damaged');
}

describe('A pack', () => {
  const tar = randomBytes(20 * 512);

  it('is its members and the end of an archive', async () => {
    const pack = await packOf(tar, 3 * 512);
    expect((await readWhole(pack)).equals(Buffer.concat([tar, Buffer.alloc(1024)]))).to.equal(true);
  });

  it('may hold nothing', async () => {
    const pack = await packOf(Buffer.alloc(0));
    expect((await readWhole(pack)).equals(Buffer.alloc(1024))).to.equal(true);
  });

  it('numbers frames in the order of the calls, also when the output is slow', async () => {
    const release: (() => void)[] = [];
    const builder = new PackBuilder(() => new Promise((resolve) => release.push(resolve)));
    const frame = compressFrame(Buffer.alloc(512));
    const numbers = [builder.addFrame(frame, 512), builder.addFrame(frame, 512)];
    for (const resolve of release.reverse()) resolve();
    expect(await Promise.all(numbers)).to.deep.equal([0, 1]);
    expect(builder.frameCount).to.equal(2);
  });

  it('passes on what its output throws', async () => {
    const builder = new PackBuilder(() => {
      throw new Error('no space');
    });
    expect(await failureOf(builder.addFrame(compressFrame(Buffer.alloc(512)), 512))).to.have.property('message', 'no space');
  });

  it('takes only frames of whole blocks', async () => {
    const builder = new PackBuilder(() => undefined);
    for (const length of [0, 511, 513, 32 * 1024 * 1024]) {
      expect(await failureOf(builder.addFrame(Buffer.alloc(20), length))).to.be.instanceOf(RangeError);
    }
  });

  it('gives any stretch that begins in one frame and runs on into others', async () => {
    const pack = await packOf(tar, 3 * 512);
    const reader = await openPack(pack);
    await fc.assert(
      fc.asyncProperty(fc.nat(tar.length - 1), fc.nat(tar.length), async (start, wanted) => {
        const length = Math.min(wanted, tar.length - start);
        const pieces: Buffer[] = [];
        const extent = { frame: Math.floor(start / 1536), offset: start % 1536, length };
        for await (const piece of reader.readExtent(extent)) pieces.push(piece);
        expect(Buffer.concat(pieces).equals(tar.subarray(start, start + length))).to.equal(true);
      }),
    );
  });

  it('refuses extents that do not lie in it', async () => {
    const pack = await packOf(tar, 3 * 512);
    const reader = await openPack(pack);
    const all = tar.length + 1024;
    for (const [frame, offset, length] of [
      [0, 0, all + 1],
      [0, 1536, 1],
      [reader.frameCount, 0, 1],
      [-1, 0, 1],
      [0.5, 0, 1],
      [0, 0, Number.MAX_SAFE_INTEGER],
      [0, -1, 4],
      [0, 0.5, 4],
      [0, 0, -1],
      [0, 0, 0.5],
    ] as const) {
      const read = async (): Promise<void> => void [...reader.framesOfExtent({ frame, offset, length })];
      await expectDamaged(read(), `${frame} ${offset} ${length}`);
    }
  });

  it('never gives other content with a single bit flipped (attack case 19)', async () => {
    const content = Buffer.from('<?php echo "hello, hello, hello, world";\n'.repeat(8));
    const small = tarOf([{ entry: makeEntry({ path: 'shadow/a', kind: 'file', size: content.length }), content }]);
    const pack = await packOf(small, 1024);
    const sameContent = Buffer.concat([small, Buffer.alloc(1024)]);
    for (let bit = 0; bit < pack.length * 8; bit++) {
      const flipped = Buffer.from(pack);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const read = readWhole(flipped);
      // zstd can say a few things in two ways; the digest of the whole pack sees that, and the content is the same.
      const same = sameContent.equals(await read.catch(() => Buffer.alloc(0)));
      if (!same) await expectDamaged(read, `bit ${bit & 7} of byte ${bit >> 3} of ${pack.length}`);
    }
  });

  it('never passes with a byte inverted', async () => {
    const pack = await packOf(tar, 3 * 512);
    for (let at = 0; at < pack.length; at += at < pack.length - 200 ? 13 : 1) {
      const inverted = Buffer.from(pack);
      inverted[at]! ^= 0xff;
      await expectDamaged(readWhole(inverted), `byte ${at} of ${pack.length}`);
    }
  });

  it('never passes cut at either end, lengthened, or with bytes left out', async () => {
    const pack = await packOf(tar, 3 * 512);
    for (let length = 0; length < pack.length; length += 7) {
      await expectDamaged(readWhole(pack.subarray(0, length)), `cut to ${length}`);
      await expectDamaged(readWhole(pack.subarray(pack.length - length)), `its last ${length}`);
      await expectDamaged(readWhole(Buffer.concat([pack.subarray(0, length), pack.subarray(length + 1)])), `without ${length}`);
    }
    await expectDamaged(readWhole(Buffer.concat([pack, pack.subarray(-9)])), 'a second footer');
    await expectDamaged(readWhole(Buffer.concat([pack, pack])), 'twice');
  });

  it('is refused by its seek table before anything of a hostile length is read', async () => {
    const footer = (count: number, descriptor = 0): Buffer => {
      const table = encodeSeekTable([]).subarray(-9);
      table.writeUInt32LE(count, 0);
      table[4] = descriptor;
      return table;
    };
    for (const count of [0, 1, FRAME_COUNT_LIMIT + 1, 0xffffffff]) {
      const end = footer(count);
      const size = Number.MAX_SAFE_INTEGER;
      const read = async (offset: number, length: number): Promise<Buffer> => {
        expect(length).to.be.at.most(8192);
        return offset + length === size ? Buffer.concat([Buffer.alloc(length - 9), end]) : Buffer.alloc(length);
      };
      await expectDamaged(PackReader.open(size, read), `${count} frames`);
    }
    const pack = await packOf(tar);
    await expectDamaged(readWhole(Buffer.concat([pack.subarray(0, -9), footer(2, 0x80)])), 'checksums promised');
  });

  it('is refused when frames claim impossible lengths', async () => {
    const frame = compressFrame(Buffer.alloc(512));
    for (const [length, decompressedLength] of [
      [frame.length, 0],
      [frame.length, 511],
      [frame.length, 0xfffffe00],
      [frame.length + 1, 512],
      [frame.length - 1, 512],
    ] as const) {
      await expectDamaged(
        openPack(Buffer.concat([frame, encodeSeekTable([{ length, decompressedLength }])])),
        `${length} ${decompressedLength}`,
      );
    }
    const twoTables = [encodeSeekTable([{ length: frame.length, decompressedLength: 1024 }])];
    await expectDamaged(readWhole(Buffer.concat([frame, ...twoTables])), 'more content than there is');
  });

  it('is refused when the place it lies in gives fewer bytes than asked for', async () => {
    const pack = await packOf(tar);
    await expectDamaged(
      PackReader.open(pack.length, async (offset, length) => pack.subarray(offset, offset + length - 1)),
      'short read',
    );
  });
});

import { zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { compressedBound, compressFrame, decompressFrame, FRAME_LIMIT } from '../../core/archive/frame.ts';
import { Failure } from '../../core/failure.ts';

function expectDamaged(frame: Buffer, length: number): void {
  expect(() => decompressFrame(frame, length))
    .to.throw(Failure)
    .with.property('code', 'repository_damaged');
}

describe('A frame', () => {
  it('gives back what went in, in no more than the bound', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 5000 }), fc.integer({ min: 1, max: 200 }), (bytes, times) => {
        const content = Buffer.alloc(bytes.length * times, bytes);
        const frame = compressFrame(content);
        expect(frame.length).to.be.at.most(compressedBound(content.length));
        expect(decompressFrame(frame, content.length).equals(content)).to.equal(true);
      }),
    );
  });

  it('is refused when another length was promised', () => {
    const frame = Buffer.from(compressFrame(Buffer.alloc(1024, 'x')));
    for (const length of [0, 1, 1023, 1025, 4096, FRAME_LIMIT + 1, Number.NaN]) expectDamaged(frame, length);
  });

  it('is refused with anything before or behind it, and twice', () => {
    const frame = compressFrame(Buffer.alloc(1024, 'x'));
    const skippable = Buffer.from('502a4d1801000000ff', 'hex');
    for (const parts of [
      [frame, frame],
      [frame, Buffer.from('x')],
      [frame, skippable],
      [skippable, frame],
      [Buffer.alloc(1), frame],
    ]) {
      expectDamaged(Buffer.concat(parts), 1024);
      expectDamaged(Buffer.concat(parts), 2048);
    }
  });

  it('is refused at every length that it can be cut to', () => {
    const frame = compressFrame(Buffer.from('some words, some words, some other words'.padEnd(512)));
    for (let length = 0; length < frame.length; length++) expectDamaged(frame.subarray(0, length), 512);
  });

  it('is refused without a content checksum', () => {
    expectDamaged(zstdCompressSync(Buffer.alloc(1024), { pledgedSrcSize: 1024 }), 1024);
  });

  it('is refused with a window that is larger than any frame, and taken with the largest that a frame can fill', () => {
    const content = Buffer.alloc(1024, 'x');
    const checksum = compressFrame(content).subarray(-4);
    // RFC 8878: a window, a content size of four bytes and a checksum; then one last block, as it is.
    const frame = (windowLog: number): Buffer => {
      const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x84, (windowLog - 10) << 3, 0, 0, 0, 0, 1, 0, 0]);
      header.writeUInt32LE(content.length, 6);
      header.writeUIntLE((content.length << 3) | 1, 10, 3);
      return Buffer.concat([header, content, checksum]);
    };
    expect(decompressFrame(frame(24), content.length).equals(content)).to.equal(true);
    for (const windowLog of [25, 27, 31]) expectDamaged(frame(windowLog), content.length);
  });

  it('is refused as a bomb before it is decoded', () => {
    const bomb = compressFrame(Buffer.alloc(FRAME_LIMIT * 2));
    expect(bomb.length).to.be.below(10_000);
    expectDamaged(bomb, FRAME_LIMIT);
    expectDamaged(bomb, 512);
  });

  it('is refused when it is random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), fc.integer({ min: 1, max: 1024 }), (bytes, magic, length) => {
        expectDamaged(Buffer.concat([magic ? Buffer.from('28b52ffd', 'hex') : Buffer.alloc(0), bytes]), length);
      }),
      { numRuns: 500 },
    );
  });
});

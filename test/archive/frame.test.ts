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

import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { decompressFrame, FRAME_TARGET } from '../../../core/archive/frame.ts';
import { Failure } from '../../../core/failure.ts';
import { FrameBuffer, type FramePosition } from '../../../core/scan/pack/frame-buffer.ts';
import { failureOf } from '../../failure-of.ts';

/** A pack of what a buffer sends. */
class Sent {
  readonly frames: Buffer[] = [];
  readonly numbers: number[] = [];

  readonly take = (frame: Uint8Array, length: number, number: number): void => {
    this.frames.push(decompressFrame(Buffer.from(frame), length));
    this.numbers.push(number);
  };

  bytesAt({ frame, offset }: FramePosition, length: number): Buffer {
    return Buffer.concat(this.frames.slice(frame)).subarray(offset, offset + length);
  }
}

function put(frames: FrameBuffer, content: Buffer): FramePosition {
  frames.makeRoom(content.length);
  content.copy(frames.bytes, frames.used);
  const position = frames.positionOf(frames.used);
  frames.advance(content.length);
  return position;
}

function putLong(frames: FrameBuffer, content: Buffer): FramePosition {
  frames.makeRoom(0);
  const position = frames.positionOf(frames.used);
  for (let at = 0; at < content.length; at += 700_000) {
    const piece = content.subarray(at, at + 700_000);
    piece.copy(frames.bytes, frames.used);
    frames.advanceInside(piece.length);
  }
  frames.pad();
  return position;
}

describe('the buffer of frames', () => {
  it('says where everything lies, whatever is put in and whenever it is flushed', () => {
    const length = fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1_000_000, max: 3_900_000 }));
    const step = fc.record({ what: fc.constantFrom('small', 'long', 'flush'), length });
    const memory = FrameBuffer.allocate();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const sent = new Sent();
        const frames = new FrameBuffer(sent.take, memory);
        const kept: { content: Buffer; position: FramePosition }[] = [];
        for (const { what, length } of steps) {
          if (what === 'flush') frames.flush();
          else {
            const content = randomBytes(length);
            kept.push({ content, position: (what === 'small' ? put : putLong)(frames, content) });
          }
        }
        frames.flush();
        for (const { content, position } of kept) expect(sent.bytesAt(position, content.length).equals(content)).to.equal(true);
        expect(sent.numbers).to.deep.equal(sent.frames.map((_, number) => number));
        expect(sent.frames.reduce((sum, frame) => sum + frame.length, 0)).to.equal(frames.added);
        for (const frame of sent.frames) expect(frame.length % 512).to.equal(0);
      }),
      { numRuns: 25 },
    );
  }).timeout(60_000);

  it('counts frames anew with each pack', () => {
    const sent = new Sent();
    const frames = new FrameBuffer(sent.take);
    put(frames, Buffer.alloc(512, 'a'));
    frames.nextPack();
    expect(put(frames, Buffer.alloc(512, 'b'))).to.deep.equal({ frame: 0, offset: 0 });
    frames.flush();
    expect(sent.numbers).to.deep.equal([0, 0]);
  });

  it('has nothing of another one that had the same memory', () => {
    const memory = FrameBuffer.allocate();
    const sent = new Sent();
    put(new FrameBuffer(sent.take, memory), Buffer.alloc(5000, 'left behind'));
    const next = new FrameBuffer(sent.take, memory);
    expect(next.used).to.equal(0);
    put(next, Buffer.from('own'));
    next.flush();
    expect(Buffer.concat(sent.frames).toString('latin1')).to.equal(`own${'\0'.repeat(509)}`);
  });

  it('goes on with nothing after a frame that could not be sent', async () => {
    let calls = 0;
    const frames = new FrameBuffer(() => {
      calls++;
      throw new Failure('cancelled', 'nobody wants it');
    });
    put(frames, Buffer.alloc(1000));
    expect(await failureOf(() => frames.flush())).to.include({ code: 'cancelled' });
    expect(await failureOf(() => frames.flush())).to.include({ code: 'cancelled' });
    expect(await failureOf(() => putLong(frames, Buffer.alloc(2 * FRAME_TARGET)))).to.include({ code: 'cancelled' });
    expect(calls).to.equal(1);
  });

  it('refuses a member that can fit into no memory', async () => {
    const frames = new FrameBuffer(() => {});
    expect(await failureOf(() => frames.makeRoom(64 * 1024 * 1024))).to.include({ code: 'unsupported' });
  });
});

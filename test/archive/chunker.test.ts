import { hash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { AVERAGE_CHUNK, ContentDefinedChunker, MAXIMUM_CHUNK, MINIMUM_CHUNK } from '../../core/archive/chunker.ts';
import { noise } from './members.ts';

const MEBIBYTE = 1024 * 1024;

function splitPointsOf(bytes: Buffer): number[] {
  const chunker = new ContentDefinedChunker();
  const cuts: number[] = [];
  for (let start = 0; start < bytes.length; start = cuts.at(-1)!) cuts.push(chunker.find(bytes, start, bytes.length, true));
  return cuts;
}

/** The same stream through a window to which pieces of these lengths are added, as a reader of a file would do it. */
function cutsInPieces(bytes: Buffer, pieceLengths: readonly number[]): number[] {
  const chunker = new ContentDefinedChunker();
  const cuts: number[] = [];
  let consumed = 0;
  let window = Buffer.alloc(0);
  let read = 0;
  for (let piece = 0; consumed < bytes.length; ) {
    const cut = chunker.find(window, 0, window.length, read === bytes.length);
    if (cut > 0) {
      consumed += cut;
      cuts.push(consumed);
      window = window.subarray(cut);
      continue;
    }
    const length = pieceLengths[piece++ % pieceLengths.length]!;
    window = Buffer.concat([window, bytes.subarray(read, read + length)]);
    read = Math.min(read + length, bytes.length);
  }
  return cuts;
}

function digestsOf(bytes: Buffer): Set<string> {
  let start = 0;
  return new Set(
    splitPointsOf(bytes).map((end) => {
      const digest = hash('sha256', bytes.subarray(start, end));
      start = end;
      return digest;
    }),
  );
}

describe('Content-defined chunks', () => {
  const stream = noise('stream', 48 * MEBIBYTE);

  it('keep their limits and come close to their average', () => {
    const cuts = splitPointsOf(stream);
    const lengths = cuts.map((cut, index) => cut - (cuts[index - 1] ?? 0));
    expect(cuts.at(-1)).to.equal(stream.length);
    for (const length of lengths.slice(0, -1)) expect(length).to.be.within(MINIMUM_CHUNK + 1, MAXIMUM_CHUNK);
    expect(stream.length / cuts.length).to.be.within(AVERAGE_CHUNK * 0.7, AVERAGE_CHUNK * 1.5);
  });

  it('lie where the format says: these are the first cuts of SHAKE-256("stream")', () => {
    expect(splitPointsOf(stream).slice(0, 4)).to.deep.equal([1201957, 2422669, 3584819, 4488238]);
  });

  it('do not depend on the pieces in which the stream comes', () => {
    const part = stream.subarray(0, 9 * MEBIBYTE);
    const expected = splitPointsOf(part);
    const lengths = fc.array(fc.integer({ min: 50_000, max: 3 * MEBIBYTE }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(lengths, (pieceLengths) => {
        expect(cutsInPieces(part, pieceLengths)).to.deep.equal(expected);
      }),
      { numRuns: 20 },
    );
  });

  it('are found by a search that goes on shortly before them', () => {
    const part = stream.subarray(0, 2 * MEBIBYTE);
    const expected = splitPointsOf(part);
    for (let before = 0; before < 40; before++) {
      expect(cutsInPieces(part, [expected[0]! - before, part.length]), `${before} bytes before`).to.deep.equal(expected);
    }
  });

  it('reappear after bytes were put in or taken out', () => {
    const before = digestsOf(stream);
    const middle = stream.length / 2;
    const changed = {
      'inserted at the start': Buffer.concat([Buffer.from('one more line\n'), stream]),
      'inserted in the middle': Buffer.concat([stream.subarray(0, middle), Buffer.from('x'), stream.subarray(middle)]),
      'removed from the start': stream.subarray(1000),
      appended: Buffer.concat([stream, noise('more', 2 * MEBIBYTE)]),
    };
    for (const [what, bytes] of Object.entries(changed)) {
      const after = digestsOf(bytes);
      const unknown = [...after].filter((digest) => !before.has(digest));
      expect(unknown.length, what).to.be.at.most(6);
    }
  });

  it('of zeros have the greatest length, and all bytes are in one', () => {
    expect(splitPointsOf(Buffer.alloc(10 * MEBIBYTE))).to.deep.equal([4 * MEBIBYTE, 8 * MEBIBYTE, 10 * MEBIBYTE]);
  });

  it('of a stream shorter than the least length are one', () => {
    expect(splitPointsOf(Buffer.alloc(1))).to.deep.equal([1]);
    expect(splitPointsOf(stream.subarray(0, MINIMUM_CHUNK))).to.deep.equal([MINIMUM_CHUNK]);
  });
});

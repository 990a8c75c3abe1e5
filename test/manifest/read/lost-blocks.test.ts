import { expect } from 'chai';
import fc from 'fast-check';
import type { Failure } from '../../../core/failure.ts';
import { type Entry, EntryFlags, type ManifestRow } from '../../../core/manifest/entry.ts';
import { findMerged, mergedEntries } from '../../../core/manifest/merge/merged-entries.ts';
import { comparePaths } from '../../../core/manifest/path-order.ts';
import { type LostStretch, ManifestReader } from '../../../core/manifest/read/manifest-reader.ts';
import { withSpare } from '../../../core/manifest/read/random-access.ts';
import { arranged, digestOf, entry, MemoryManifest, write } from '../sample.ts';

const PATH = 'units/site1-00000000/manifests/20260101T000000000Z-00000000.mf.zst';

const name = fc.constantFrom('a', 'b', 'c', 'a-b', 'd');
const path = fc.array(name, { minLength: 1, maxLength: 6 }).map((names) => names.join('/'));
const row = fc
  .tuple(path, fc.constantFrom('file', 'directory', 'directory', 'tombstone'))
  .map(([at, kind]): ManifestRow => (kind === 'tombstone' ? { path: at, kind } : entry(at, kind as 'file' | 'directory')));
const rows = fc.array(row, { minLength: 1, maxLength: 40 }).map(arranged);

/** Where the blocks of a manifest lie. */
function blocksOf(bytes: Buffer): { begin: number; end: number }[] {
  const source = new MemoryManifest(bytes);
  const reader = ManifestReader.open(source);
  source.reads.length = 0;
  for (let block = 0; block < reader.blockCount; block++) reader.block(block);
  return source.reads.map(({ offset, length }) => ({ begin: offset, end: offset + length }));
}

function flipped(bytes: Buffer, at: number): Buffer {
  const altered = Buffer.from(bytes);
  altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
  return altered;
}

const isIn = ({ from, to, isOne }: LostStretch, each: string): boolean =>
  isOne ? each === from : comparePaths(each, from) >= 0 && (to === undefined || comparePaths(each, to) < 0);

describe('a manifest of which blocks are damaged', () => {
  it('gives every row of the others, and says which paths are lost', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), (list, rowsPerBlock, which) => {
        const { bytes, finished } = write(list, rowsPerBlock);
        const blocks = blocksOf(bytes);
        let altered = bytes;
        for (const number of new Set(which.map((each) => each % blocks.length))) altered = flipped(altered, blocks[number]!.begin + 6);
        const lost: LostStretch[] = [];
        const reader = ManifestReader.open(new MemoryManifest(altered), finished, { onLost: (each) => lost.push(each) });
        const there = [...reader.rows()].map((each) => each.path);
        const all = list.map((each) => each.path);
        expect(there).to.deep.equal(all.filter((each) => !lost.some((stretch) => isIn(stretch, each))));
        expect(lost.length).to.equal(new Set(which.map((each) => each % blocks.length)).size);
        // The walk over it, and single paths, say the same.
        const entries = [...mergedEntries([reader])].map(({ entry: { path: each } }) => each);
        expect(entries).to.deep.equal(
          list.filter((each) => each.kind !== 'tombstone' && there.includes(each.path)).map((each) => each.path),
        );
        for (const each of entries) expect(findMerged([reader], each)?.path).to.equal(each);
        for (const from of all) {
          expect([...mergedEntries([reader], from)].map((placed) => placed.entry.path)).to.deep.equal(
            entries.filter((each) => comparePaths(each, from) >= 0),
          );
        }
      }),
      { numRuns: 100 },
    );
  });

  it('leaves what an older one says of the lost paths', () => {
    fc.assert(
      fc.property(rows, rows, fc.integer({ min: 1, max: 4 }), fc.nat(), (older, newer, rowsPerBlock, which) => {
        const below = write(older, 3);
        const { bytes, finished } = write(newer, rowsPerBlock);
        const blocks = blocksOf(bytes);
        const lost: LostStretch[] = [];
        const options = { onLost: (each: LostStretch) => void lost.push(each) };
        const altered = new MemoryManifest(flipped(bytes, blocks[which % blocks.length]!.begin + 6));
        const open = (source: MemoryManifest) => [
          ManifestReader.open(new MemoryManifest(below.bytes)),
          ManifestReader.open(source, finished, options),
        ];
        const whole = new Map([...mergedEntries(open(new MemoryManifest(bytes)))].map((placed) => [placed.entry.path, placed.layer]));
        const now = new Map([...mergedEntries(open(altered))].map((placed) => [placed.entry.path, placed.layer]));
        for (const [each, run] of whole) if (!lost.some((stretch) => isIn(stretch, each))) expect(now.get(each), each).to.equal(run);
        for (const [each, run] of now) {
          if (whole.get(each) !== run)
            expect(
              lost.some((stretch) => isIn(stretch, each) || each.startsWith(`${stretch.from}/`)),
              each,
            ).to.equal(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  const list = [entry('a', 'directory'), entry('a/x'), entry('a/y'), entry('b')];

  it('names the manifest and its snapshot where no part may be lost', () => {
    const { bytes, finished } = write(list, 2);
    const altered = new MemoryManifest(flipped(bytes, blocksOf(bytes)[1]!.begin + 6));
    const reader = ManifestReader.open(altered, { ...finished, path: PATH });
    const failure = catchFailure(() => [...reader.rows()]);
    expect(failure.code).to.equal('repository_damaged');
    expect(failure.affected).to.deep.equal(['20260101T000000000Z-00000000', PATH]);
    expect(failure.message).to.equal('the manifest of the snapshot 20260101T000000000Z-00000000: block 1 is altered');
    const cut = catchFailure(() => ManifestReader.open(new MemoryManifest(bytes.subarray(1)), { ...finished, path: PATH }));
    expect(cut.affected).to.include(PATH);
  });

  it('is read from a spare where there is a good one, index and blocks', () => {
    const { bytes, finished } = write(list, 2);
    for (const at of [0, blocksOf(bytes)[1]!.begin + 6, finished.index.offset + 6, bytes.length - 1]) {
      const told: string[] = [];
      const spare = { access: new MemoryManifest(bytes), used: ({ message }: Failure) => void told.push(message) };
      const source = withSpare(new MemoryManifest(flipped(bytes, at)), spare);
      expect([...ManifestReader.open(source, finished).rows()], `byte ${at}`).to.deep.equal(list);
      expect(told.length, `byte ${at}`).to.be.greaterThan(0);
    }
    const bad = flipped(bytes, blocksOf(bytes)[0]!.begin + 6);
    const source = withSpare(new MemoryManifest(bad), { access: new MemoryManifest(bad), used: () => expect.fail('it is as bad') });
    expect(catchFailure(() => [...ManifestReader.open(source, finished).rows()]).code).to.equal('repository_damaged');
  });

  it('passes over a row that makes no sense, and tells of it alone', () => {
    const odd = { ...entry('a/x'), size: 5 };
    // What is missing has no content, and an empty file misses none.
    const digest = digestOf('c');
    const content = { digest, extents: [{ pack: 'p/1', frame: 0, offset: 0, length: 1, digest }] };
    const contradicting = { ...entry('c'), size: 1, content, flags: EntryFlags.contentMissing };
    const empty = { ...entry('d'), flags: EntryFlags.contentMissing };
    const { bytes } = write([entry('a', 'directory', { mode: 0o77777 }), odd, entry('a/y'), entry('b'), contradicting, empty]);
    const lost: LostStretch[] = [];
    const reader = ManifestReader.open(new MemoryManifest(bytes), undefined, { onLost: (each) => lost.push(each) });
    expect([...mergedEntries([reader])].map((placed: { entry: Entry }) => placed.entry.path)).to.deep.equal(['a/y', 'b']);
    expect(lost.map(({ from, isOne }) => [from, isOne])).to.deep.equal([
      ['a', true],
      ['a/x', true],
      ['c', true],
      ['d', true],
    ]);
    expect(catchFailure(() => [...ManifestReader.open(new MemoryManifest(bytes)).rows()]).code).to.equal('repository_damaged');
  });
});

function catchFailure(action: () => unknown): Failure {
  try {
    action();
  } catch (error) {
    return error as Failure;
  }
  throw new Error('nothing failed');
}

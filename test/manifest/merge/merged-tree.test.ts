import { expect } from 'chai';
import fc from 'fast-check';
import type { ByteString, Entry, ManifestRow } from '../../../core/manifest/entry.ts';
import { endOfTree, findMerged, mergedEntries } from '../../../core/manifest/merge/merged-entries.ts';
import { MergedTree } from '../../../core/manifest/merge/merged-tree.ts';
import { comparePaths, isWithin } from '../../../core/manifest/path-order.ts';
import { ManifestReader } from '../../../core/manifest/read/manifest-reader.ts';
import { ancestors, arranged, entry, MemoryManifest, write, written } from '../sample.ts';

/** Few names and little depth, so that layers often meet; some that a plain comparison of paths would put elsewhere. */
const path = fc.array(fc.constantFrom('a', 'b', 'a-b', 'ab', '\xff', '\n'), { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));

const row = (layer: number): fc.Arbitrary<ManifestRow> =>
  fc.tuple(path, fc.constantFrom('directory', 'directory', 'file', 'symlink', 'tombstone')).map(([at, kind]): ManifestRow => {
    if (kind === 'tombstone') return { path: at, kind };
    return entry(at, kind as Entry['kind'], { uid: layer });
  });

const layers = fc
  .integer({ min: 1, max: 5 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, layer) => fc.array(row(layer), { maxLength: 14 }).map(arranged))));

interface Model {
  entries: Entry[];
  /** Directories that are only implied by what is below them. */
  isContext(path: ByteString): boolean;
  find(path: ByteString): Entry | undefined;
}

/** The point in time by its definition, path by path. */
function model(chain: readonly (readonly ManifestRow[])[]): Model {
  const newestFirst = chain.toReversed().map((list) => {
    const rowsByPath = new Map(list.map((each) => [each.path, each]));
    const implied = new Set(list.flatMap((each) => ancestors(each.path)).filter((each) => !rowsByPath.has(each)));
    return { rowsByPath, implied };
  });
  const look = (at: ByteString): { entry?: Entry; isImplied: boolean } => {
    let isImplied = false;
    for (const { rowsByPath, implied } of newestFirst) {
      const here = rowsByPath.get(at);
      if (here !== undefined) {
        if (here.kind === 'tombstone' || (isImplied && here.kind !== 'directory')) return { isImplied };
        return { entry: here, isImplied };
      }
      if (implied.has(at)) isImplied = true;
      const hides = (above: ManifestRow | undefined) => above !== undefined && above.kind !== 'directory';
      if (ancestors(at).some((above) => hides(rowsByPath.get(above)))) return { isImplied };
    }
    return { isImplied };
  };
  const all = [...new Set(chain.flat().map((each) => each.path))].sort(comparePaths);
  return {
    entries: all.map((at) => look(at).entry).filter((each) => each !== undefined),
    isContext: (at) => look(at).isImplied && look(at).entry === undefined,
    find: (at) => look(at).entry,
  };
}

const readers = (chain: readonly (readonly ManifestRow[])[], rowsPerBlock: number) => chain.map((list) => written(list, rowsPerBlock));
const blockSize = fc.integer({ min: 1, max: 9 });

describe('manifest: several layers as one tree', () => {
  it('gives the point in time as its definition has it', () => {
    fc.assert(
      fc.property(layers, blockSize, (chain, rowsPerBlock) => {
        const found = [...mergedEntries(readers(chain, rowsPerBlock))];
        expect(found.map((each) => each.entry)).to.deep.equal(model(chain).entries);
        for (const { entry: each, layer } of found) expect(each.uid).to.equal(layer);
      }),
      { numRuns: 150 },
    );
  });

  it('gives any stretch of it', () => {
    fc.assert(
      fc.property(layers, blockSize, path, path, (chain, rowsPerBlock, from, to) => {
        const { entries } = model(chain);
        const merged = (...bounds: ByteString[]) =>
          [...mergedEntries(readers(chain, rowsPerBlock), ...bounds)].map((each) => each.entry.path);
        const expected = (isIn: (at: ByteString) => boolean) => entries.map((each) => each.path).filter(isIn);
        expect(merged(from, to)).to.deep.equal(expected((at) => comparePaths(at, from) >= 0 && comparePaths(at, to) < 0));
        expect(merged(from, endOfTree(from))).to.deep.equal(expected((at) => isWithin(at, from)));
      }),
      { numRuns: 100 },
    );
  });

  it('finds one path with one block of each layer', () => {
    fc.assert(
      fc.property(layers, blockSize, fc.array(path, { maxLength: 10 }), (chain, rowsPerBlock, others) => {
        const expected = model(chain);
        for (const wanted of [...new Set(chain.flat().map((each) => each.path)), ...others]) {
          const sources = chain.map((list) => new MemoryManifest(write(list, rowsPerBlock).bytes));
          const opened = sources.map((source) => ManifestReader.open(source));
          for (const source of sources) source.reads.length = 0;
          expect(findMerged(opened, wanted)).to.deep.equal(expected.find(wanted));
          for (const source of sources) expect(source.reads.length).to.be.at.most(1);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('can be walked with any mixture of entering, leaving early, passing over and jumping', () => {
    fc.assert(
      fc.property(layers, blockSize, fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 30 }), (chain, rowsPerBlock, choices) => {
        const children = new Map<ByteString, ByteString[]>();
        const { entries, isContext } = model(chain);
        const implied = new Set(chain.flat().flatMap((each) => ancestors(each.path)));
        const live = new Set([...entries.map((each) => each.path), ...[...implied].filter(isContext)]);
        for (const at of [...live].sort(comparePaths)) {
          const above = at.slice(0, Math.max(at.lastIndexOf('/'), 0));
          children.set(above, [...(children.get(above) ?? []), at.slice(at.lastIndexOf('/') + 1)]);
        }
        const tree = new MergedTree(readers(chain, rowsPerBlock));
        const places = [{ at: '', left: [...(children.get('') ?? [])] }];
        for (let step = 0; ; step++) {
          const place = places.at(-1) as (typeof places)[number];
          expect(tree.directory).to.equal(place.at);
          expect(tree.peek()).to.equal(place.left[0]);
          const choice = choices[step % choices.length] as number;
          if (place.left.length === 0 || (choice === 0 && places.length > 1)) {
            if (places.length === 1) return;
            tree.ascend();
            places.pop();
            continue;
          }
          const here = tree.path;
          expect(tree.currentIsContext).to.equal(isContext(here));
          if (!tree.currentIsContext) expect(tree.entry()).to.deep.equal(entries.find((each) => each.path === here));
          if (choice === 1 && (place.left[0] as string) < 'b') {
            tree.seek('b');
            place.left = place.left.filter((name) => name >= 'b');
          } else if (choice < 5) {
            tree.skip();
            place.left.shift();
          } else {
            tree.descend();
            place.left.shift();
            places.push({ at: here, left: [...(children.get(here) ?? [])] });
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('says what comes from one layer alone', () => {
    const full = written([entry('a', 'directory'), entry('a/x'), entry('b', 'directory'), entry('b/y')]);
    const tree = new MergedTree([full, written([entry('b/z')])]);
    expect([tree.peek(), tree.isOnlyFrom(0)]).to.deep.equal(['a', true]);
    tree.skip();
    expect([tree.peek(), tree.isOnlyFrom(0)]).to.deep.equal(['b', false]);
  });

  it('gives places to come back to', () => {
    const chain = [
      written([entry('a'), entry('v/b'), entry('v/c')], 2),
      written([{ path: 'a', kind: 'tombstone' }, entry('v/b', 'symlink')], 2),
    ];
    for (const { entry: each, layer, block, row: at } of mergedEntries(chain)) expect(chain[layer]?.readAt(block, at)).to.deep.equal(each);
  });

  it('passes over a large directory without reading it', () => {
    const inside = Array.from({ length: 5000 }, (_, n) => entry(`big/${String(n).padStart(5, '0')}/file`));
    const { bytes } = write([...inside, entry('c'), entry('d')], 64);
    const source = new MemoryManifest(bytes);
    const tree = new MergedTree([ManifestReader.open(source)]);
    source.reads.length = 0;
    tree.skip();
    expect(tree.peek()).to.equal('c');
    expect(source.reads.length).to.equal(1);
  });

  it('begins in the middle without reading what is before', () => {
    const { bytes } = write(
      Array.from({ length: 5000 }, (_, n) => entry(`top/${String(n).padStart(5, '0')}/file`)),
      64,
    );
    const source = new MemoryManifest(bytes);
    const layers = [ManifestReader.open(source)];
    source.reads.length = 0;
    const first = mergedEntries(layers, 'top/04000').next().value;
    expect(first?.entry.path).to.equal('top/04000/file');
    expect(source.reads.length).to.be.at.most(3);
  });

  it('is empty for no layers and for empty ones', () => {
    expect(new MergedTree([]).peek()).to.equal(undefined);
    expect(new MergedTree([written([]), written([])]).peek()).to.equal(undefined);
    expect(findMerged([written([])], 'a')).to.equal(undefined);
  });
});

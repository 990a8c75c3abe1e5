import { expect } from 'chai';
import fc from 'fast-check';
import type { ByteString, Entry, ManifestRow } from '../../../core/manifest/entry.ts';
import { compactRows } from '../../../core/manifest/merge/compact-rows.ts';
import { mergedEntries } from '../../../core/manifest/merge/merged-entries.ts';
import { comparePaths, isWithin } from '../../../core/manifest/path-order.ts';
import { ManifestReader } from '../../../core/manifest/read/manifest-reader.ts';
import { ancestors, entry, MemoryManifest, write, written } from '../sample.ts';

type State = ReadonlyMap<ByteString, Entry>;

/** A tree as a scan sees it: `v` is a virtual folder without an entry, every other parent is a directory. */
const state: fc.Arbitrary<State> = fc
  .array(
    fc.tuple(
      fc.array(fc.constantFrom('a', 'b', 'a-b', 'c'), { minLength: 1, maxLength: 3 }),
      fc.constantFrom<Entry['kind']>('file', 'directory', 'symlink'),
      fc.nat({ max: 1 }),
      fc.boolean(),
    ),
    { maxLength: 10 },
  )
  .map((picks) => {
    const tree = new Map<ByteString, Entry>();
    for (const [names, kind, uid, isVirtual] of picks) {
      const path = `${isVirtual ? 'v/' : 'w'}${names.join('/')}`;
      const above = ancestors(path).filter((each) => each !== 'v');
      if (tree.has(path) || above.some((each) => (tree.get(each)?.kind ?? 'directory') !== 'directory')) continue;
      for (const each of above) if (!tree.has(each)) tree.set(each, entry(each, 'directory'));
      tree.set(path, entry(path, kind, { uid }));
    }
    return tree;
  });

/** The rows of an incremental, as a scan finds them. */
function changes(before: State, after: State): ManifestRow[] {
  const rows: ManifestRow[] = [];
  for (const [path, now] of after) {
    const then = before.get(path);
    if (then?.kind !== now.kind || then.uid !== now.uid) rows.push(now);
  }
  for (const path of before.keys()) {
    const goesWithAnother = ancestors(path).some((each) => before.has(each) && after.get(each)?.kind !== 'directory');
    if (!after.has(path) && !goesWithAnother) rows.push({ path, kind: 'tombstone' });
  }
  return rows.sort((a, b) => comparePaths(a.path, b.path));
}

const history = fc.array(state, { minLength: 1, maxLength: 5 }).map((states) => ({
  states,
  layers: states.map((each, index) => changes(states[index - 1] ?? new Map(), each)),
}));

const entriesOf = (layers: readonly ManifestReader[]) => [...mergedEntries(layers)].map((each) => each.entry);
const sorted = (each: State | undefined) =>
  [...(each ?? new Map<ByteString, Entry>()).values()].sort((a, b) => comparePaths(a.path, b.path));

describe('manifest: compaction', () => {
  it('makes a full that equals the point in time and has no tombstones', () => {
    fc.assert(
      fc.property(history, ({ states, layers }) => {
        const rows = [...compactRows(layers.map((each) => written(each, 3)))];
        expect(rows).to.deep.equal(sorted(states.at(-1)));
      }),
      { numRuns: 100 },
    );
  });

  it('makes a differential that stands for all layers above the full', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 5 }), ({ states, layers }, rowsPerBlock) => {
        const readers = layers.map((each) => written(each, rowsPerBlock));
        const base = readers[0] as ManifestReader;
        for (let upTo = 1; upTo < layers.length; upTo++) {
          const differential = written(compactRows(readers.slice(0, upTo + 1), { base }), rowsPerBlock);
          expect(entriesOf([base, differential])).to.deep.equal(sorted(states[upTo]));
          expect(entriesOf([base, differential, ...readers.slice(upTo + 1)])).to.deep.equal(sorted(states.at(-1)));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('puts nothing into a differential that the base has, and no tombstone below another', () => {
    fc.assert(
      fc.property(history, ({ layers }) => {
        const readers = layers.map((each) => written(each));
        const base = readers[0] as ManifestReader;
        const rows = [...compactRows(readers, { base })];
        const tombstones = rows.filter((each) => each.kind === 'tombstone').map((each) => each.path);
        for (const path of tombstones) {
          expect(
            [...base.rows()].some((each) => isWithin(each.path, path)),
            path,
          ).to.equal(true);
          expect(tombstones.some((other) => other !== path && isWithin(path, other))).to.equal(false);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('leaves a directory out that changed only inside', () => {
    const base = written([entry('d', 'directory'), entry('d/old')]);
    expect([...compactRows([base, written([entry('d/new')])], { base })]).to.deep.equal([entry('d/new')]);
  });

  it('hides what the base had below a directory that was deleted and came back', () => {
    const base = written([entry('n', 'directory'), entry('n/old')]);
    const gone = written([{ path: 'n', kind: 'tombstone' }]);
    const back = written([entry('n', 'directory', { uid: 5 }), entry('n/new')]);
    expect([...compactRows([base, gone, back], { base })]).to.deep.equal([
      entry('n', 'directory', { uid: 5 }),
      entry('n/new'),
      { path: 'n/old', kind: 'tombstone' },
    ]);
  });

  it('does not read what did not change', () => {
    const list = Array.from({ length: 4000 }, (_, n) => entry(`${n < 2000 ? 'first' : 'second'}/${String(n).padStart(5, '0')}/file`));
    const source = new MemoryManifest(write(list, 64).bytes);
    const base = ManifestReader.open(source);
    source.reads.length = 0;
    const rows = [...compactRows([base, written([entry('z')])], { base })];
    expect(rows).to.deep.equal([entry('z')]);
    expect(new Set(source.reads.map((read) => read.offset)).size).to.be.at.most(4);
  });

  it('wants the base to be the oldest layer', () => {
    const base = written([entry('a')]);
    expect(() => [...compactRows([written([]), base], { base })])
      .to.throw()
      .with.property('code', 'internal');
  });
});

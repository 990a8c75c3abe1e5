import { expect } from 'chai';
import { BlockCache } from '../../../core/manifest/read/block-cache.ts';
import type { BlockView } from '../../../core/manifest/read/block-view.ts';
import { ManifestReader } from '../../../core/manifest/read/manifest-reader.ts';
import { entry, MemoryManifest, write } from '../sample.ts';

describe('manifest: kept blocks', () => {
  it('are the ones used last, of each manifest its own', () => {
    const cache = new BlockCache(2);
    const [one, other] = [{}, {}];
    const reads: string[] = [];
    const get = (owner: object, number: number) =>
      cache.get(owner, number, () => {
        reads.push(`${owner === one ? 'one' : 'other'} ${number}`);
        return { index: number } as BlockView;
      });
    for (const [owner, number] of [
      [one, 0],
      [other, 0],
      [one, 0],
      [one, 1],
      [one, 0],
      [other, 0],
    ] as const) {
      expect(get(owner, number).index).to.equal(number);
    }
    expect(reads).to.deep.equal(['one 0', 'other 0', 'one 1', 'other 0']);
  });

  it('are enough for a chain whose members take turns: each block is read once', () => {
    const rows = Array.from({ length: 9 }, (_, number) => entry(`file-${number}`));
    const sources = Array.from({ length: 20 }, () => new MemoryManifest(write(rows, 3).bytes));
    const readers = ManifestReader.openAll(sources.map((source) => ({ source })));
    for (const source of sources) source.reads.length = 0;
    for (let row = 0; row < 3; row++) for (const reader of readers) reader.readAt(0, row);
    expect(sources.map(({ reads }) => reads.length)).to.deep.equal(sources.map(() => 1));
  });
});

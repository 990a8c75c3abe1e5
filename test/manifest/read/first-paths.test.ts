import { expect } from 'chai';
import { HEADER_BYTES } from '../../../core/manifest/format/envelope.ts';
import { ManifestIndex } from '../../../core/manifest/read/manifest-index.ts';
import { IndexBuilder } from '../../../core/manifest/write/index-builder.ts';

const DIGEST = Buffer.alloc(32);

function indexOf(paths: readonly string[]): ManifestIndex {
  const builder = new IndexBuilder();
  for (const [block, firstPath] of paths.entries())
    builder.add({ offset: HEADER_BYTES + block, length: 1, contentLength: 1, rows: 1, firstPath, digest: DIGEST });
  return new ManifestIndex(builder.build(0, []), HEADER_BYTES + paths.length);
}

describe('the first paths of blocks', function () {
  this.timeout(20_000);

  /** Names that share much, little and nothing with the one before. */
  const paths = Array.from({ length: 3000 }, (_, at) => {
    const digits = at.toString(4).padStart(6, '0');
    return `${'abcd'[Number(digits[0])]}/${[...digits].join('/')}${at % 3 === 0 ? `/${'x'.repeat(at % 50)}y` : ''}`;
  });

  it('are what was written, in whatever order they are asked for', () => {
    const index = indexOf(paths);
    const all = (order: readonly number[]) => order.map((block) => index.firstPath(block));
    const inOrder = paths.map((_, block) => block);
    expect(all(inOrder)).to.deep.equal(paths);
    expect(all(inOrder.toReversed())).to.deep.equal(paths.toReversed());
    const scattered = inOrder.map((block) => (block * 1201) % paths.length);
    expect(all(scattered)).to.deep.equal(scattered.map((block) => paths[block]));
    expect(all(inOrder.flatMap((block) => [block, Math.min(block + 1, paths.length - 1)])).filter((_, at) => at % 2 === 0)).to.deep.equal(
      paths,
    );
  });

  it('cost nothing for each block before them', () => {
    // All below one folder, whose name stands in the first block alone.
    const count = 200_000;
    const many = Array.from({ length: count }, (_, at) => `shadow/${at.toString(36).padStart(5, '0')}`);
    const index = indexOf(many);
    let wrong = 0;
    for (let block = count - 1; block >= 0; block--) if (index.firstPath(block) !== many[block]) wrong++;
    for (let block = 0; block < count; block++) if (index.firstPath(block) !== many[block]) wrong++;
    expect(wrong).to.equal(0);
  });
});

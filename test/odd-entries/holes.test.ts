import { execFileSync } from 'node:child_process';
import { closeSync, openSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { restore } from '../../core/commands/restore.ts';
import { joinSmallestHoles, RANGE_LIMIT } from '../../core/linux/holes.ts';
import { StatBuffer, statDescriptor } from '../../core/linux/stat.ts';
import type { DataRange } from '../../core/manifest/entry.ts';
import { StoredBytes } from '../../core/scan/read/stored-bytes.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

const BLOCK = 4096;

/** Ranges with these lengths of a hole and of the data behind it, in turn. */
function rangesOf(lengths: readonly (readonly [number, number])[]): DataRange[] {
  let offset = 0;
  return lengths.map(([hole, length]) => {
    const range = { offset: offset + hole, length };
    offset += hole + length;
    return range;
  });
}

const held = (ranges: readonly DataRange[]): number => ranges.reduce((sum, { length }) => sum + length, 0);

describe('a file of many holes', function () {
  this.timeout(120_000);

  it('is taken in so many pieces as are kept, at the price of its smallest holes', () => {
    const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 40 }), (pairs, count) => {
        const ranges = rangesOf(pairs);
        const joined = joinSmallestHoles(ranges, count);
        expect(joined).to.have.length(Math.min(count, ranges.length));
        const holes = pairs.slice(1).map(([hole]) => hole);
        const given = holes.sort((a, b) => a - b).slice(0, Math.max(0, ranges.length - count));
        expect(held(joined)).to.equal(held(ranges) + given.reduce((sum, hole) => sum + hole, 0));
        for (const { offset, length } of ranges) {
          expect(joined.some((range) => range.offset <= offset && range.offset + range.length >= offset + length)).to.equal(true);
        }
      }),
    );
  });

  it('costs about what it holds, in the backup and on the disk that it comes back to', async () => {
    const sandbox = new Sandbox();
    try {
      await sandbox.init();
      const image = join(sandbox.shadow, 'image');
      const descriptor = openSync(image, 'w');
      const data = Buffer.alloc(BLOCK, 'data');
      const pieces = RANGE_LIMIT + 500;
      for (let piece = 0; piece < pieces; piece++) writeSync(descriptor, data, 0, BLOCK, piece * 2 * BLOCK);
      closeSync(descriptor);
      truncateSync(image, 2 ** 43);
      const unit = await sandbox.back();
      expect(unit, JSON.stringify(unit.warnings)).to.include({ status: 'ok', warningCount: 0 });
      expect(unit.bytesRead).to.be.below((pieces + 501) * BLOCK);
      const to = join(sandbox.folder, 'to');
      expect(await restore({ unit: 'site1', to }, sandbox.context)).to.include({ status: 'ok' });
      const restored = join(to, 'shadow/image');
      expect(statSync(restored).blocks).to.be.below(statSync(image).blocks * 1.1);
      for (const piece of [0, 1, pieces - 1]) {
        const [was, is] = [image, restored].map((file) =>
          execFileSync('dd', [`if=${file}`, 'bs=4096', `skip=${2 * piece}`, 'count=2', 'status=none']),
        );
        expect(is).to.deep.equal(was);
      }
    } finally {
      await sandbox.remove();
    }
  });

  it('is refused where far more would be read of it than it takes on the disk', async () => {
    const sandbox = new Sandbox();
    try {
      const file = join(sandbox.shadow, 'file');
      writeFileSync(file, 'x');
      const descriptor = openSync(file, 'r');
      const stat = new StatBuffer();
      statDescriptor(descriptor, stat);
      // As if the file system had no holes to tell of: the size is data, and next to nothing of it is on the disk.
      stat.words[10] = 0;
      stat.words[11] = 17;
      stat.words[12] = 0xffff_ffff;
      closeSync(descriptor);
      expect(new StoredBytes(-1, stat, undefined).length).to.equal(17 * 2 ** 32);
      stat.words[12] = 8;
      const failure = await failureOf(() => new StoredBytes(openSync('/proc/self/status', 'r'), stat, undefined));
      expect(failure.code).to.equal('unsupported');
    } finally {
      await sandbox.remove();
    }
  });
});

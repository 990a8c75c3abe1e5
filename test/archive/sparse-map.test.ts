import { expect } from 'chai';
import { alignDataRanges, encodeSparseMap, sparseMapBound } from '../../core/archive/sparse-map.ts';

describe('The map of a sparse file', () => {
  it('lists the ranges, and a hole at the end by a last range of no length', () => {
    expect(encodeSparseMap([{ offset: 512, length: 1024 }], 1536).latin1Slice()).to.equal('1\n512\n1024\n'.padEnd(512, '\0'));
    expect(encodeSparseMap([], 2 ** 40).latin1Slice()).to.equal('1\n1099511627776\n0\n'.padEnd(512, '\0'));
  });

  it('stays within its bound with the largest numbers', () => {
    const ranges = Array.from({ length: 500 }, (_, index) => ({ offset: 2 ** 52 + index * 2 ** 20, length: 512 }));
    expect(encodeSparseMap(ranges, 2 ** 53 - 1).length).to.be.at.most(sparseMapBound(ranges.length));
  });

  it('refuses ranges that readers would misplace', () => {
    for (const ranges of [
      [
        { offset: 0, length: 100 },
        { offset: 512, length: 512 },
      ],
      [
        { offset: 512, length: 512 },
        { offset: 0, length: 512 },
      ],
      [
        { offset: 0, length: 1024 },
        { offset: 512, length: 512 },
      ],
      [{ offset: 4096, length: 512 }],
      [{ offset: 0, length: 0 }],
    ]) {
      expect(() => encodeSparseMap(ranges, 4096), JSON.stringify(ranges)).to.throw(RangeError);
    }
  });

  it('is made of whole blocks: ranges are widened to them and joined where they then meet', () => {
    expect(alignDataRanges([{ offset: 700, length: 10 }], 5000)).to.deep.equal([{ offset: 512, length: 512 }]);
    expect(
      alignDataRanges(
        [
          { offset: 10, length: 20 },
          { offset: 100, length: 5 },
          { offset: 530, length: 1 },
        ],
        5000,
      ),
    ).to.deep.equal([{ offset: 0, length: 1024 }]);
    expect(
      alignDataRanges(
        [
          { offset: 0, length: 512 },
          { offset: 4096, length: 904 },
        ],
        5000,
      ),
    ).to.deep.equal([
      { offset: 0, length: 512 },
      { offset: 4096, length: 904 },
    ]);
  });
});

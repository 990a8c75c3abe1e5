import type { DataRange } from '../manifest/entry.ts';
import { BLOCK } from './ustar.ts';

/** The most data ranges of one file; a file of more is stored whole, with zeros for its holes. */
export const SPARSE_RANGES_LIMIT = 1 << 20;

/**
 * `ranges` widened to whole 512-byte blocks (the last one at most to `size`) and joined where they then meet: readers of
 * GNU.sparse expect the data of each range to begin at a tar block. File systems answer in larger blocks, so this
 * rarely changes anything.
 */
export function alignDataRanges(ranges: readonly DataRange[], size: number): DataRange[] {
  const aligned: { offset: number; length: number }[] = [];
  for (const { offset, length } of ranges) {
    const begin = offset - (offset % BLOCK);
    const end = Math.min(Math.ceil((offset + length) / BLOCK) * BLOCK, size);
    const previous = aligned.at(-1);
    if (previous !== undefined && previous.offset + previous.length >= begin)
      previous.length = Math.max(previous.length, end - previous.offset);
    else aligned.push({ offset: begin, length: end - begin });
  }
  return aligned;
}

/**
 * The map that precedes the data of a member in GNU.sparse format 1.0 (GNU tar manual, "PAX Format, Version 1.0"): decimal
 * lines, the number of ranges and then offset and length of each, in whole blocks. A file that ends with a hole gets a last
 * range of no length at its end, which makes readers extend the file.
 */
export function encodeSparseMap(ranges: readonly DataRange[], size: number): Buffer {
  if (ranges.length > SPARSE_RANGES_LIMIT) throw new RangeError(`a sparse file of ${ranges.length} ranges`);
  let end = 0;
  ranges.forEach(({ offset, length }, index) => {
    const isLast = index === ranges.length - 1;
    if (offset < end || length < 1 || offset + length > size || (!isLast && length % BLOCK !== 0)) {
      throw new RangeError(`range ${index} of a sparse file (${offset}, ${length}) is out of place`);
    }
    end = offset + length;
  });
  const lines = ranges.map(({ offset, length }) => `${offset}\n${length}\n`);
  if (end < size) lines.push(`${size}\n0\n`);
  const text = Buffer.from(`${lines.length}\n${lines.join('')}`, 'latin1');
  const map = Buffer.alloc(paddedToBlock(text.length));
  text.copy(map);
  return map;
}

/** An upper bound of the length of the map of `count` ranges. */
export function sparseMapBound(count: number): number {
  const digits = 16;
  return paddedToBlock((count + 1) * 2 * (digits + 1) + digits + 1);
}

function paddedToBlock(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}

import type { DataRange } from '../manifest/entry.ts';
import { lastErrno, libc } from './libc.ts';
import { SystemError } from './system-error.ts';

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 6;
const EINVAL = 22;

/** Of a file in more pieces than this the smallest holes are taken as data: its map would cost more than they do. */
export const RANGE_LIMIT = 65536;

function seek(descriptor: number, offset: number, whence: number): number | undefined {
  const found = Number(libc.lseek(descriptor, offset, whence));
  if (found >= 0) return found;
  const errno = lastErrno();
  if (errno === ENXIO) return undefined;
  throw new SystemError('lseek', errno);
}

/**
 * The stretches of a file of `size` bytes that hold data; undefined when the file system cannot say. Moves the
 * descriptor's position: read with explicit offsets.
 */
export function dataRanges(descriptor: number, size: number): DataRange[] | undefined {
  let ranges: DataRange[] = [];
  try {
    for (let at = 0; at < size; ) {
      const start = seek(descriptor, at, SEEK_DATA);
      if (start === undefined || start >= size) break;
      const end = Math.min(seek(descriptor, start, SEEK_HOLE) ?? size, size);
      if (end <= start) break;
      ranges.push({ offset: start, length: end - start });
      at = end;
      if (ranges.length === 2 * RANGE_LIMIT) ranges = joinSmallestHoles(ranges, RANGE_LIMIT);
    }
  } catch (error) {
    if (error instanceof SystemError && error.errno === EINVAL) return undefined;
    throw error;
  }
  return joinSmallestHoles(ranges, RANGE_LIMIT);
}

/** At most `count` ranges that hold all of `ranges` and of the holes between them the smallest. */
export function joinSmallestHoles(ranges: DataRange[], count: number): DataRange[] {
  if (ranges.length <= count) return ranges;
  const holes = Float64Array.from({ length: ranges.length - 1 }, (_, index) => holeBehind(ranges, index));
  const excess = ranges.length - count;
  const largest = holes.toSorted()[excess - 1] as number;
  // Of those that are as large as the largest one to go, so many stay as may.
  let further = excess - holes.reduce((smaller, hole) => (hole < largest ? smaller + 1 : smaller), 0);
  const joined = [{ ...(ranges[0] as DataRange) }];
  for (const [index, hole] of holes.entries()) {
    const next = ranges[index + 1] as DataRange;
    const last = joined.at(-1) as { offset: number; length: number };
    if (hole < largest || (hole === largest && further-- > 0)) last.length = next.offset + next.length - last.offset;
    else joined.push({ ...next });
  }
  return joined;
}

function holeBehind(ranges: readonly DataRange[], index: number): number {
  const { offset, length } = ranges[index] as DataRange;
  return (ranges[index + 1] as DataRange).offset - offset - length;
}

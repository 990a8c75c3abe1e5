import type { DataRange } from '../manifest/entry.ts';
import { lastErrno, libc } from './libc.ts';
import { SystemError } from './system-error.ts';

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 6;
const EINVAL = 22;

/** A file in more pieces than this is taken as data from there on: its map would cost more than its holes. */
const RANGE_LIMIT = 65536;

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
  const ranges: DataRange[] = [];
  try {
    for (let at = 0; at < size; ) {
      const start = seek(descriptor, at, SEEK_DATA);
      if (start === undefined || start >= size) break;
      const isLast = ranges.length === RANGE_LIMIT - 1;
      const end = isLast ? size : Math.min(seek(descriptor, start, SEEK_HOLE) ?? size, size);
      if (end <= start) break;
      ranges.push({ offset: start, length: end - start });
      at = end;
    }
  } catch (error) {
    if (error instanceof SystemError && error.errno === EINVAL) return undefined;
    throw error;
  }
  return ranges;
}

import type { ByteString } from '../manifest/entry.ts';
import { libc } from './libc.ts';
import { check } from './system-error.ts';

const LISTING_LENGTH = 256 * 1024;
const listing = Buffer.alloc(LISTING_LENGTH);
const NAME_OFFSET = 19; // of d_name in struct linux_dirent64

/**
 * The names in an open directory, sorted bytewise, without `.` and `..`. Reads from the descriptor's position: give it a
 * freshly opened one. Memory grows with the longest single directory only.
 */
export function readNames(descriptor: number): ByteString[] {
  const names: ByteString[] = [];
  for (;;) {
    const filled = check(libc.getdents64(descriptor, listing, LISTING_LENGTH), 'getdents64');
    if (filled === 0) break;
    for (let at = 0; at < filled; ) {
      const recordLength = listing.readUInt16LE(at + 16);
      const start = at + NAME_OFFSET;
      const name = listing.latin1Slice(start, listing.indexOf(0, start));
      if (name !== '.' && name !== '..') names.push(name);
      at += recordLength;
    }
  }
  return names.sort();
}

import type { ByteString } from '../manifest/entry.ts';
import { libc } from './libc.ts';
import { check } from './system-error.ts';

const LISTING_LENGTH = 256 * 1024;
const listing = Buffer.alloc(LISTING_LENGTH);
const NAME_OFFSET = 19; // of d_name in struct linux_dirent64

/** The most names of one directory that are taken, and bytes in them: a listing that never ends must not fill the memory. */
const USUAL_LIMITS = { names: 4 * 1024 * 1024, bytes: 256 * 1024 * 1024 };

/** A directory whose listing cannot be used: the message says why. */
export class BadListing extends Error {
  override readonly name = 'BadListing';
}

/**
 * The names in an open directory, sorted bytewise, each once, without `.` and `..`. Reads from the descriptor's position: give it a
 * freshly opened one. Memory grows with the longest single directory only. Throws a `BadListing` where a listing goes on and on, or
 * names what cannot be a name.
 */
export function readNames(descriptor: number, limits = USUAL_LIMITS): ByteString[] {
  const names: ByteString[] = [];
  let bytes = 0;
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
    bytes += filled;
    if (names.length > limits.names || bytes > limits.bytes) {
      throw new BadListing(`its listing does not end after ${names.length} names`);
    }
  }
  return sortedOnce(names);
}

/** Network and stacked file systems name an entry twice at times, and old kernels pass on what no name can be. */
function sortedOnce(names: ByteString[]): ByteString[] {
  names.sort();
  let last: ByteString | undefined;
  let isOdd = false;
  for (const name of names) {
    if (name === last) isOdd = true;
    else if (name === '' || name.includes('/')) throw new BadListing('its listing has something in it that is no name');
    last = name;
  }
  return isOdd ? names.filter((name, index) => name !== names[index - 1]) : names;
}

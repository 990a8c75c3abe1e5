import { readlinkSync } from 'node:fs';
import type { ByteString } from '../manifest/entry.ts';
import { lastErrno } from './libc.ts';

const EBADF = 9;

/** The name under which the kernel reaches an open descriptor's own object, a link's too, without following further. */
export function descriptorPath(descriptor: number): ByteString {
  return `/proc/self/fd/${descriptor}`;
}

/** Where what the descriptor is open on stands now, for people; the kernel's name of the descriptor where it cannot be told. */
export function placeOf(descriptor: number): ByteString {
  const link = descriptorPath(descriptor);
  try {
    return readlinkSync(link, 'latin1');
  } catch {
    return link;
  }
}

/**
 * What `direct`, a call on the descriptor, returns. An O_PATH descriptor is refused by such calls: then what `byPath` returns for the name
 * under which the kernel reaches what it is open on. Otherwise the way through /proc is saved.
 */
export function callOn<Result>(descriptor: number, direct: () => number, byPath: (path: ByteString) => Result): number | Result {
  const result = direct();
  return result < 0 && lastErrno() === EBADF ? byPath(descriptorPath(descriptor)) : result;
}

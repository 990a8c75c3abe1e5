import type { ByteString } from './entry.ts';

/** The path without its last component; empty for a top folder. */
export function parentPath(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The path of `name` in the directory `parent`. */
export function childPath(parent: ByteString, name: ByteString): ByteString {
  return parent === '' ? name : `${parent}/${name}`;
}

/** The last component of a path. */
export function lastComponent(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1);
}

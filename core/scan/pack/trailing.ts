import type { Entry } from '../../manifest/entry.ts';

/**
 * Whether an entry has no place among the contents of a pack: directories and symbolic links are written when everything else
 * is there, because what is put into a directory changes its time. A link with several names has to come before those
 * names. tar has no type for sockets: the manifest alone keeps them.
 */
export function isTrailing(entry: Entry): boolean {
  return entry.kind === 'directory' || entry.kind === 'socket' || (entry.kind === 'symlink' && entry.linkCount === 1);
}

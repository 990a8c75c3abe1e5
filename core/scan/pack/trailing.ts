import type { ByteString, Entry } from '../../manifest/entry.ts';

/**
 * Whether an entry has no place among the contents of a pack: directories and most symbolic links are written when everything else
 * is there, because what is put into a directory changes its time. tar has no type for sockets: the manifest alone keeps them.
 */
export function isTrailing(entry: Entry): boolean {
  return entry.kind === 'directory' || entry.kind === 'socket' || isTrailingLink(entry);
}

/**
 * Whether an entry is a symbolic link with a member behind all contents. One with several names stands among the contents, unless it leads upwards:
 * before such a link its directory has to come.
 */
export function isTrailingLink({ kind, linkCount, linkTarget }: Entry): boolean {
  return kind === 'symlink' && (linkCount === 1 || (linkTarget !== undefined && leadsUpwards(linkTarget)));
}

/** Whether GNU tar makes a link of this target at the very end. */
export function leadsUpwards(target: ByteString): boolean {
  return target.startsWith('/') || target.split('/').includes('..');
}

import { type Entry, EntryFlags } from '../../manifest/entry.ts';
import { NameGroups } from '../../manifest/name-groups.ts';
import type { RowPlace } from './snapshot-view.ts';

/** The names of one file that a restore gives. */
export interface LinkGroup {
  /** The name that is written; the others are linked to it. */
  readonly first: RowPlace;
  /** Those met since. */
  readonly later: RowPlace[];
}

/**
 * Finds the names of a snapshot that are hard links of each other: those that agree in everything that makes them one file at one
 * time. Rows that were kept from an earlier state may have an inode number that was given to another file since.
 */
export class LinkGroups {
  readonly #groups = new NameGroups<LinkGroup>();

  /**
   * The group of an entry, this one included; its `later` is empty when this is the first that was met. `root` keeps names apart that are
   * written to different file systems.
   */
  meet(entry: Entry, root: number, { layer, block, row }: RowPlace): LinkGroup {
    const place = { layer, block, row };
    const key = `${root}:${identityOf(entry)}`;
    const { group, isFirst } = this.#groups.meet(key, entry.linkCount, () => ({ first: place, later: [] }));
    if (!isFirst) group.later.push(place);
    return group;
  }
}

/** What names of one file at one time agree in. */
export function identityOf(entry: Entry): string {
  const { kind, device, inode, linkCount, ctime, mtime, size, mode, uid, gid, linkTarget, content, flags } = entry;
  // A name whose content is missing is none of the others: it is named.
  const isMissing = flags & EntryFlags.contentMissing;
  const what = content?.digest.latin1Slice() ?? linkTarget ?? '';
  return `${device}:${inode}:${kind}:${linkCount}:${ctime}:${mtime}:${size}:${mode}:${uid}:${gid}:${isMissing}:${what}`;
}

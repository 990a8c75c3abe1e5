import type { Entry } from '../../manifest/entry.ts';
import { NameGroups } from '../../manifest/name-groups.ts';

/** The first name, in path order, of an entry that has several. */
export interface LinkLeader {
  /** Set when the first name was read; undefined while it is under way, and for good when it had vanished. */
  entry: Entry | undefined;
  /** Whether the packs of this snapshot have a tar member of the first name: without one tar has nothing to link to. */
  hasMember: boolean;
}

/** Finds the names of the entries that the walk meets that belong together, by their inode. */
export class HardLinks {
  readonly #groups = new NameGroups<LinkLeader>();

  /** The leader of an entry with `linkCount` names; `isFirst` when it is the first of them. */
  meet(device: bigint, inode: bigint, linkCount: number): { leader: LinkLeader; isFirst: boolean } {
    const { group, isFirst } = this.#groups.meet(`${device}:${inode}`, linkCount, () => ({ entry: undefined, hasMember: false }));
    return { leader: group, isFirst };
  }
}

import type { Entry } from '../../manifest/entry.ts';

/** The first name, in path order, of an entry that has several. */
export interface LinkLeader {
  /** Set when the first name was read; undefined while it is under way, and for good when it had vanished. */
  entry: Entry | undefined;
  /** Whether the packs of this snapshot have a tar member of the first name: without one tar has nothing to link to. */
  hasMember: boolean;
  /** Names that the walk has not yet met. */
  missing: number;
}

/** Finds the names that belong together. Only entries with several links are kept, and only until the last was met. */
export class HardLinks {
  readonly #leaders = new Map<string, LinkLeader>();

  /** The leader of an entry with `linkCount` names; `isFirst` when it is the first of them. */
  meet(device: bigint, inode: bigint, linkCount: number): { leader: LinkLeader; isFirst: boolean } {
    const key = `${device}:${inode}`;
    const leader = this.#leaders.get(key);
    if (leader === undefined) {
      const fresh = { entry: undefined, hasMember: false, missing: linkCount - 1 };
      this.#leaders.set(key, fresh);
      return { leader: fresh, isFirst: true };
    }
    leader.missing--;
    if (leader.missing === 0) this.#leaders.delete(key);
    return { leader, isFirst: false };
  }
}

import type { Entry } from '../manifest/entry.ts';
import type { RowPlace } from './snapshot-view.ts';

/**
 * Finds the names of a snapshot that are hard links of each other. A group is kept until all its names were met, so that the
 * memory follows the groups that are open at once.
 */
export class LinkGroups {
  readonly #groups = new Map<string, { readonly first: RowPlace; missing: number }>();

  /**
   * The first name that was met of this entry; undefined when this is the first. `root` keeps names apart that are written
   * to different file systems.
   */
  meet(entry: Entry, root: number, place: RowPlace): RowPlace | undefined {
    const key = `${root}:${entry.device}:${entry.inode}`;
    const group = this.#groups.get(key);
    if (group === undefined) {
      const { run, block, row } = place;
      this.#groups.set(key, { first: { run, block, row }, missing: entry.linkCount - 1 });
      return undefined;
    }
    group.missing--;
    if (group.missing === 0) this.#groups.delete(key);
    return group.first;
  }
}

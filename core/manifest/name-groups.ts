/** A group of names, and how many of them were not yet met. */
interface OpenGroup<Group> {
  readonly group: Group;
  missing: number;
}

/**
 * Finds the names that belong together, of files that have several. A group is kept until the last of its names was met, so that the
 * memory follows the groups that are open at once.
 */
export class NameGroups<Group> {
  readonly #open = new Map<string, OpenGroup<Group>>();

  /** The group of a file with `linkCount` names, told by `key`; `begin` makes it when this is the first of them that was met. */
  meet(key: string, linkCount: number, begin: () => Group): { group: Group; isFirst: boolean } {
    const open = this.#open.get(key);
    if (open === undefined) {
      const group = begin();
      this.#open.set(key, { group, missing: linkCount - 1 });
      return { group, isFirst: true };
    }
    open.missing--;
    if (open.missing === 0) this.#open.delete(key);
    return { group: open.group, isFirst: false };
  }
}

/** How many problems and paths an outcome names; all are counted. */
export const NAMED_LIMIT = 1000;

/** A list that names its first members and counts all. */
export class CountedList<Item> {
  readonly first: Item[] = [];
  count = 0;

  add(item: Item): void {
    if (this.count++ < NAMED_LIMIT) this.first.push(item);
  }
}

type ReadWhole = (name: string, limit: number) => Promise<Buffer>;

/** Requests under way besides the one that is waited for: enough that a long way costs little, and few enough for every store. */
const AT_ONCE = 8;
/** Rows of documents that are expected at once; one that nobody goes through to its end is forgotten at some time. */
const ROWS = 8;

/** Documents that are expected in an order, as far as they are under way. */
interface Row {
  readonly names: Iterator<string>;
  readonly limit: number;
  readonly underWay: Map<string, Promise<Buffer>>;
}

/** Reads documents before they are asked for, several at a time, in the order in which they will be. */
export class ReadAhead {
  readonly #read: ReadWhole;
  readonly #rows = new Set<Row>();

  constructor(read: ReadWhole) {
    this.#read = read;
  }

  expect(names: readonly string[], limit: number): void {
    const row = { names: names.values(), limit, underWay: new Map<string, Promise<Buffer>>() };
    this.#rows.add(row);
    const [oldest] = this.#rows;
    if (this.#rows.size > ROWS && oldest !== undefined) this.#rows.delete(oldest);
    this.#goOn(row);
  }

  /** What was read of it, or will be; undefined: it was not expected. */
  take(name: string): Promise<Buffer> | undefined {
    for (const row of this.#rows) {
      const read = row.underWay.get(name);
      if (read === undefined) continue;
      row.underWay.delete(name);
      this.#goOn(row);
      return read;
    }
    return undefined;
  }

  #goOn(row: Row): void {
    while (row.underWay.size < AT_ONCE) {
      const { value: name, done } = row.names.next();
      if (done === true) break;
      const read = this.#read(name, row.limit);
      // It may fail while nobody waits for it yet.
      read.catch(() => {});
      row.underWay.set(name, read);
    }
    if (row.underWay.size === 0) this.#rows.delete(row);
  }
}

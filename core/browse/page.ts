const DEFAULT_ROWS = 1000;

/** The most that the rows of a page take as JSON, in bytes: paths can be long, and peers take lines of some megabytes only. */
const BYTES = 4 * 1024 * 1024;

/** The rows of one page. */
export class Page<Row> {
  readonly rows: Row[] = [];
  readonly #limit: number;
  #bytes = 0;

  constructor(limit = DEFAULT_ROWS) {
    this.#limit = limit;
  }

  /** Whether the next row belongs to the next page. */
  get isFull(): boolean {
    return this.rows.length >= this.#limit || this.#bytes >= BYTES;
  }

  add(row: Row): void {
    this.rows.push(row);
    this.#bytes += Buffer.byteLength(JSON.stringify(row));
  }
}

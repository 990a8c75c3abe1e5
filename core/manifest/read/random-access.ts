/** Bytes that can be read anywhere: a local file, an object in memory. Owned by whoever opened it. */
export interface RandomAccess {
  readonly size: number;
  /** Open on a file that holds exactly these bytes, where there is one: threads share descriptors and nothing else. */
  readonly descriptor?: number;
  /** Exactly `length` bytes from `offset`; throws `repository_damaged` when there are fewer. */
  read(offset: number, length: number): Buffer;
  close(): void;
}

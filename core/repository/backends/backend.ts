/** What a listing says about one stored object. */
export interface ObjectInfo {
  /** Path below the repository, components joined by `/`. */
  readonly name: string;
  readonly size: number;
  /** When the object was stored, in milliseconds since 1970. */
  readonly modified: number;
}

/** An object on its way: nobody sees it before `commit`. */
export interface ObjectWriter {
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the whole object durable and visible under its name; `object_exists` when the name is taken. */
  commit(): Promise<void>;
  /** Drops what was written; harmless after `commit`. */
  abort(): Promise<void>;
}

/**
 * A place that keeps immutable objects by name. Everything above it works with any implementation; each passes the same
 * conformance suite. Missing objects are `repository_damaged` on `read`, undefined on `size`.
 */
export interface Backend {
  /** Where this is, for messages; never holds a secret. */
  readonly description: string;
  create(name: string): Promise<ObjectWriter>;
  /** `length` bytes from `offset`, or the whole object when both are left out. */
  read(name: string, offset?: number, length?: number): Promise<Buffer>;
  size(name: string): Promise<number | undefined>;
  /** Every object whose name begins with `prefix`, in no particular order. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Removes an object; a missing one is no error. */
  remove(name: string): Promise<void>;
}

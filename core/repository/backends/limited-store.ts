import type { Backend, ObjectInfo, ObjectLocks, ObjectWriter, Occupation, WriteMode } from './backend.ts';
import type { Store } from './store-backend.ts';

/**
 * The same store, of which no more than so many things are asked at a time; the others wait in their order. An object on its way is not counted while it is
 * written: several grow side by side, and each would wait for another to end.
 */
export class LimitedStore implements Store {
  readonly description: string;
  readonly #store: Store;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(store: Store, most: number) {
    this.description = store.description;
    this.#store = store;
    this.#free = most;
  }

  async #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await ask();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  get pageLength(): number | undefined {
    return this.#store.pageLength;
  }

  inspect(): Promise<Occupation> {
    return this.#inTurn(() => this.#store.inspect());
  }

  prepare(): Promise<void> {
    return this.#inTurn(() => this.#store.prepare());
  }

  async create(name: string, mode?: WriteMode): Promise<ObjectWriter> {
    const writer = await this.#inTurn(() => this.#store.create(name, mode));
    return {
      write: (chunk) => writer.write(chunk),
      commit: () => this.#inTurn(() => writer.commit()),
      abort: () => writer.abort(),
    };
  }

  read(name: string, offset?: number, length?: number): Promise<Buffer> {
    return this.#inTurn(() => this.#store.read(name, offset, length));
  }

  readWhole(name: string, limit: number): Promise<Buffer> {
    return this.#inTurn(() => this.#store.readWhole(name, limit));
  }

  size(name: string): Promise<number | undefined> {
    return this.#inTurn(() => this.#store.size(name));
  }

  /** Whoever goes through a listing may ask something else meanwhile: a turn is for the next object alone. */
  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const objects = this.#store.list(prefix)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { value, done } = await this.#inTurn(() => objects.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      await objects.return?.();
    }
  }

  folders(folder: string): Promise<string[]> {
    return this.#inTurn(() => this.#store.folders(folder));
  }

  remove(name: string): Promise<void> {
    return this.#inTurn(() => this.#store.remove(name));
  }

  discardAbandoned(before: number): Promise<number> {
    return this.#inTurn(() => this.#store.discardAbandoned(before));
  }

  discardUnfinished(folder: string): Promise<number> {
    return this.#inTurn(() => this.#store.discardUnfinished(folder));
  }

  get locks(): ObjectLocks | undefined {
    const { locks } = this.#store;
    if (locks === undefined) return undefined;
    return {
      rule: locks.rule,
      check: () => this.#inTurn(() => locks.check()),
      of: (name) => this.#inTurn(() => locks.of(name)),
      extend: (name, lock) => this.#inTurn(() => locks.extend(name, lock)),
    };
  }

  get tryWriting(): Backend['tryWriting'] {
    const store = this.#store;
    if (store.tryWriting === undefined) return undefined;
    return (folder) => this.#inTurn(async () => store.tryWriting?.(folder));
  }

  get lacking(): Backend['lacking'] {
    const store = this.#store;
    if (store.lacking === undefined) return undefined;
    return (name) => this.#inTurn(async () => (await store.lacking?.(name)) ?? []);
  }

  get space(): Backend['space'] {
    const store = this.#store;
    if (store.space === undefined) return undefined;
    return () => this.#inTurn(async () => store.space?.());
  }

  get removeFolder(): Backend['removeFolder'] {
    const store = this.#store;
    if (store.removeFolder === undefined) return undefined;
    return (folder, before) => this.#inTurn(async () => store.removeFolder?.(folder, before));
  }
}

import { AskedStore } from './asked-store.ts';
import type { ObjectInfo, ObjectWriter, Store, WriteMode } from './backend.ts';

/**
 * The same store, of which no more than so many things are asked at a time; the others wait in their order. An object on its way is not counted while it is
 * written: several grow side by side, and each would wait for another to end.
 */
export class LimitedStore extends AskedStore {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(store: Store, most: number) {
    super(store);
    this.#free = most;
  }

  /** In its turn. */
  protected override async ask<T>(action: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  override async create(name: string, mode?: WriteMode): Promise<ObjectWriter> {
    const writer = await super.create(name, mode);
    return {
      write: (chunk) => writer.write(chunk),
      commit: () => this.ask(() => writer.commit()),
      abort: () => writer.abort(),
    };
  }

  /** Whoever goes through a listing may ask something else meanwhile: a turn is for the next object alone. */
  override async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const objects = this.store.list(prefix)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { value, done } = await this.ask(() => objects.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      await objects.return?.();
    }
  }
}

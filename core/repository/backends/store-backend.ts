import type { RandomAccess } from '../../manifest/read/random-access.ts';
import type { Backend, ObjectInfo, ObjectLocks, ObjectWriter, Occupation, WriteMode } from './backend.ts';
import { checkObjectName } from './object-name.ts';
import { type Patience, Pauses, persistently, USUAL_PATIENCE } from './retry.ts';
import { type ReadObjectNow, SparseCopy } from './sparse-copy.ts';

/** A place that is reached over a network. */
export type Store = Omit<Backend, 'openDirectly' | 'expectAll' | 'expectWhole'>;

/**
 * A store as a backend: calls that fail in passing are repeated, and what is read without waiting is kept in a local file. What is on its way when a
 * writer fails the store itself repeats.
 */
export class StoreBackend implements Backend {
  readonly description: string;
  readonly isDistant = true;
  readonly #store: Store;
  readonly #readNow: ReadObjectNow;
  readonly #patience: Patience;

  /** `readNow` reads of the same store without waiting. */
  constructor(store: Store, readNow: ReadObjectNow, patience = USUAL_PATIENCE) {
    this.description = store.description;
    this.#store = store;
    this.#readNow = readNow;
    this.#patience = patience;
  }

  openDirectly(name: string, length: number, folder: string): RandomAccess {
    checkObjectName(name);
    return new SparseCopy(folder, name, length, (offset, count) => this.#readNow(name, offset, count));
  }

  #persistently<T>(action: () => Promise<T>): Promise<T> {
    return persistently(action, this.#patience);
  }

  inspect(): Promise<Occupation> {
    return this.#persistently(() => this.#store.inspect());
  }

  prepare(): Promise<void> {
    return this.#persistently(() => this.#store.prepare());
  }

  create(name: string, mode?: WriteMode): Promise<ObjectWriter> {
    return this.#persistently(() => this.#store.create(name, mode));
  }

  read(name: string, offset?: number, length?: number): Promise<Buffer> {
    return this.#persistently(() => this.#store.read(name, offset, length));
  }

  readWhole(name: string, limit: number): Promise<Buffer> {
    return this.#persistently(() => this.#store.readWhole(name, limit));
  }

  get pageLength(): number | undefined {
    return this.#store.pageLength;
  }

  size(name: string): Promise<number | undefined> {
    return this.#persistently(() => this.#store.size(name));
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    // A listing that broke off begins anew: what was told already is not told twice.
    const told = new Set<string>();
    const pauses = new Pauses(this.#patience);
    for (;;) {
      try {
        for await (const object of this.#store.list(prefix)) {
          if (told.has(object.name)) continue;
          told.add(object.name);
          pauses.renew();
          yield object;
        }
        pauses.answered();
        return;
      } catch (error) {
        await pauses.after(error);
      }
    }
  }

  folders(folder: string): Promise<string[]> {
    return this.#persistently(() => this.#store.folders(folder));
  }

  remove(name: string): Promise<void> {
    return this.#persistently(() => this.#store.remove(name));
  }

  discardAbandoned(before: number): Promise<number> {
    return this.#persistently(() => this.#store.discardAbandoned(before));
  }

  discardUnfinished(folder: string): Promise<number> {
    return this.#persistently(() => this.#store.discardUnfinished(folder));
  }

  get locks(): ObjectLocks | undefined {
    const { locks } = this.#store;
    if (locks === undefined) return undefined;
    return {
      rule: locks.rule,
      check: () => this.#persistently(() => locks.check()),
      of: (name) => this.#persistently(() => locks.of(name)),
      extend: (name, lock) => this.#persistently(() => locks.extend(name, lock)),
    };
  }

  get tryWriting(): Backend['tryWriting'] {
    const store = this.#store;
    if (store.tryWriting === undefined) return undefined;
    return (folder) => this.#persistently(async () => store.tryWriting?.(folder));
  }

  get lacking(): Backend['lacking'] {
    const store = this.#store;
    if (store.lacking === undefined) return undefined;
    return (name) => this.#persistently(async () => (await store.lacking?.(name)) ?? []);
  }

  get space(): Backend['space'] {
    const store = this.#store;
    if (store.space === undefined) return undefined;
    return () => this.#persistently(async () => store.space?.());
  }

  get removeFolder(): Backend['removeFolder'] {
    const store = this.#store;
    if (store.removeFolder === undefined) return undefined;
    return (folder, before) => this.#persistently(async () => store.removeFolder?.(folder, before));
  }
}

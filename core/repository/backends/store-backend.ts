import type { RandomAccess } from '../../manifest/read/random-access.ts';
import { AskedStore } from './asked-store.ts';
import type { Backend, ObjectInfo, Store } from './backend.ts';
import { checkObjectName } from './object-name.ts';
import { type Patience, Pauses, persistently, USUAL_PATIENCE } from './retry.ts';
import { type ReadObjectNow, SparseCopy } from './sparse-copy.ts';

/**
 * A store as a backend: calls that fail in passing are repeated, and what is read without waiting is kept in a local file. What is on its way when a
 * writer fails the store itself repeats.
 */
export class StoreBackend extends AskedStore implements Backend {
  readonly isDistant = true;
  readonly #readNow: ReadObjectNow;
  readonly #patience: Patience;

  /** `readNow` reads of the same store without waiting. */
  constructor(store: Store, readNow: ReadObjectNow, patience = USUAL_PATIENCE) {
    super(store);
    this.#readNow = readNow;
    this.#patience = patience;
  }

  openDirectly(name: string, length: number, folder: string): RandomAccess {
    checkObjectName(name);
    return new SparseCopy(folder, name, length, (offset, count) => this.#readNow(name, offset, count));
  }

  protected override ask<T>(action: () => Promise<T>): Promise<T> {
    return persistently(action, this.#patience);
  }

  override async *list(prefix: string): AsyncIterable<ObjectInfo> {
    // A listing that broke off begins anew: what was told already is not told twice.
    const told = new Set<string>();
    const pauses = new Pauses(this.#patience);
    for (;;) {
      try {
        for await (const object of this.store.list(prefix)) {
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
}

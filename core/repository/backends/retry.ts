import { setTimeout as wait } from 'node:timers/promises';
import { asFailure } from '../../failure.ts';
import type { RandomAccess } from '../../manifest/read/random-access.ts';
import type { Backend, ObjectInfo, ObjectWriter, Occupation, WriteMode } from './backend.ts';

/** How long is tried again, in milliseconds. */
export interface Patience {
  /** The longest first pause; each is twice as long. */
  readonly first: number;
  readonly longest: number;
  /** After so long no new attempt begins. */
  readonly total: number;
}

/** A store that restarts is back within minutes; whoever waits for a restore gives up later than that. */
export const USUAL_PATIENCE: Patience = { first: 200, longest: 20_000, total: 300_000 };

/**
 * Tries an action again as long as it fails in a way that passes by itself (`Failure.retry`). Pauses grow and are random between zero and
 * their length, so that many servers do not come back in the same moment ("full jitter": M. Brooker, Exponential Backoff and Jitter, 2015).
 */
export async function persistently<T>(action: () => Promise<T>, patience = USUAL_PATIENCE): Promise<T> {
  const end = performance.now() + patience.total;
  for (let pause = patience.first; ; pause = Math.min(2 * pause, patience.longest)) {
    try {
      return await action();
    } catch (error) {
      const failure = asFailure(error);
      if (!failure.retry || failure.code === 'disk_full' || performance.now() >= end) throw failure;
    }
    await wait(Math.random() * pause);
  }
}

/** A backend whose calls are repeated when they fail in passing. What is on its way when a writer fails its own backend repeats. */
export class PersistentBackend implements Backend {
  readonly description: string;
  readonly #backend: Backend;
  readonly #patience: Patience;

  constructor(backend: Backend, patience = USUAL_PATIENCE) {
    this.description = backend.description;
    this.#backend = backend;
    this.#patience = patience;
  }

  openDirectly(name: string, length: number, folder: string): RandomAccess {
    return this.#backend.openDirectly(name, length, folder);
  }

  #persistently<T>(action: () => Promise<T>): Promise<T> {
    return persistently(action, this.#patience);
  }

  inspect(): Promise<Occupation> {
    return this.#persistently(() => this.#backend.inspect());
  }

  prepare(): Promise<void> {
    return this.#persistently(() => this.#backend.prepare());
  }

  create(name: string, mode?: WriteMode): Promise<ObjectWriter> {
    return this.#persistently(() => this.#backend.create(name, mode));
  }

  read(name: string, offset?: number, length?: number): Promise<Buffer> {
    return this.#persistently(() => this.#backend.read(name, offset, length));
  }

  size(name: string): Promise<number | undefined> {
    return this.#persistently(() => this.#backend.size(name));
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    // A listing that broke off begins anew: what was told already is not told twice.
    const told = new Set<string>();
    const end = performance.now() + this.#patience.total;
    for (let pause = this.#patience.first; ; pause = Math.min(2 * pause, this.#patience.longest)) {
      try {
        for await (const object of this.#backend.list(prefix)) {
          if (told.has(object.name)) continue;
          told.add(object.name);
          yield object;
        }
        return;
      } catch (error) {
        const failure = asFailure(error);
        if (!failure.retry || performance.now() >= end) throw failure;
      }
      await wait(Math.random() * pause);
    }
  }

  folders(folder: string): Promise<string[]> {
    return this.#persistently(() => this.#backend.folders(folder));
  }

  remove(name: string): Promise<void> {
    return this.#persistently(() => this.#backend.remove(name));
  }

  discardAbandoned(before: number): Promise<number> {
    return this.#persistently(() => this.#backend.discardAbandoned(before));
  }

  discardUnfinished(folder: string): Promise<number> {
    return this.#persistently(() => this.#backend.discardUnfinished(folder));
  }

  get removeFolder(): Backend['removeFolder'] {
    const backend = this.#backend;
    if (backend.removeFolder === undefined) return undefined;
    return (folder, before) => this.#persistently(async () => backend.removeFolder?.(folder, before));
  }
}

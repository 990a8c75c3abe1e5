import type { RandomAccess } from '../../manifest/read/random-access.ts';
import type { Backend, ObjectInfo, ObjectWriter, Occupation, Store, WriteMode } from './backend.ts';
import { currentTraffic } from './operation.ts';
import type { RequestKind } from './traffic.ts';

/** The same store, with each call counted as a request: of a store that cannot count by itself what it sends. */
export class CountingStore implements Store {
  readonly description: string;
  readonly #store: Store;

  constructor(store: Store) {
    this.description = store.description;
    this.#store = store;
  }

  get pageLength(): number | undefined {
    return this.#store.pageLength;
  }

  async #counted(kind: RequestKind, bytes: Promise<Buffer>): Promise<Buffer> {
    count(kind);
    const read = await bytes;
    currentTraffic()?.received(read.length);
    return read;
  }

  inspect(): Promise<Occupation> {
    count('list');
    return this.#store.inspect();
  }

  prepare(): Promise<void> {
    count('other');
    return this.#store.prepare();
  }

  async create(name: string, mode?: WriteMode): Promise<ObjectWriter> {
    count('write');
    const writer = await this.#store.create(name, mode);
    return {
      write: async (chunk) => {
        await writer.write(chunk);
        currentTraffic()?.sent(chunk.length);
      },
      commit: () => writer.commit(),
      abort: () => writer.abort(),
    };
  }

  read(name: string, offset?: number, length?: number): Promise<Buffer> {
    return this.#counted('read', this.#store.read(name, offset, length));
  }

  readWhole(name: string, limit: number): Promise<Buffer> {
    return this.#counted('read', this.#store.readWhole(name, limit));
  }

  size(name: string): Promise<number | undefined> {
    count('size');
    return this.#store.size(name);
  }

  list(prefix: string): AsyncIterable<ObjectInfo> {
    count('list');
    return this.#store.list(prefix);
  }

  folders(folder: string): Promise<string[]> {
    count('list');
    return this.#store.folders(folder);
  }

  remove(name: string): Promise<void> {
    count('remove');
    return this.#store.remove(name);
  }

  discardAbandoned(before: number): Promise<number> {
    count('other');
    return this.#store.discardAbandoned(before);
  }

  discardUnfinished(folder: string): Promise<number> {
    count('other');
    return this.#store.discardUnfinished(folder);
  }

  get tryWriting(): Store['tryWriting'] {
    const store = this.#store;
    if (store.tryWriting === undefined) return undefined;
    return async (folder) => {
      count('write');
      await store.tryWriting?.(folder);
    };
  }

  get lacking(): Store['lacking'] {
    const store = this.#store;
    if (store.lacking === undefined) return undefined;
    return async (name) => {
      count('other');
      return (await store.lacking?.(name)) ?? [];
    };
  }

  get space(): Store['space'] {
    const store = this.#store;
    if (store.space === undefined) return undefined;
    return async () => {
      count('other');
      return store.space?.();
    };
  }

  get removeFolder(): Store['removeFolder'] {
    const store = this.#store;
    if (store.removeFolder === undefined) return undefined;
    return async (folder, before) => {
      count('remove');
      await store.removeFolder?.(folder, before);
    };
  }
}

/** The same of a place whose files can be opened. */
export class CountingBackend extends CountingStore implements Backend {
  readonly #backend: Backend;

  constructor(backend: Backend) {
    super(backend);
    this.#backend = backend;
  }

  openDirectly(name: string, length: number, folder: string): RandomAccess {
    count('read');
    return this.#backend.openDirectly(name, length, folder);
  }

  get forgetCached(): Backend['forgetCached'] {
    return this.#backend.forgetCached?.bind(this.#backend);
  }
}

function count(kind: RequestKind): void {
  currentTraffic()?.count(kind);
}

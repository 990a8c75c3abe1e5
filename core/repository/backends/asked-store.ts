import type { Backend, ObjectInfo, ObjectLocks, ObjectWriter, Occupation, Store, WriteMode } from './backend.ts';

/** Another store, where everything that is asked of it goes through `ask`: what decorators have in common. */
export abstract class AskedStore implements Store {
  readonly description: string;
  protected readonly store: Store;

  constructor(store: Store) {
    this.description = store.description;
    this.store = store;
  }

  protected abstract ask<T>(action: () => Promise<T>): Promise<T>;

  abstract list(prefix: string): AsyncIterable<ObjectInfo>;

  get pageLength(): number | undefined {
    return this.store.pageLength;
  }

  inspect(): Promise<Occupation> {
    return this.ask(() => this.store.inspect());
  }

  prepare(): Promise<void> {
    return this.ask(() => this.store.prepare());
  }

  create(name: string, mode?: WriteMode): Promise<ObjectWriter> {
    return this.ask(() => this.store.create(name, mode));
  }

  read(name: string, offset?: number, length?: number): Promise<Buffer> {
    return this.ask(() => this.store.read(name, offset, length));
  }

  readWhole(name: string, limit: number): Promise<Buffer> {
    return this.ask(() => this.store.readWhole(name, limit));
  }

  size(name: string): Promise<number | undefined> {
    return this.ask(() => this.store.size(name));
  }

  folders(folder: string): Promise<string[]> {
    return this.ask(() => this.store.folders(folder));
  }

  remove(name: string): Promise<void> {
    return this.ask(() => this.store.remove(name));
  }

  discardAbandoned(before: number): Promise<number> {
    return this.ask(() => this.store.discardAbandoned(before));
  }

  discardUnfinished(folder: string): Promise<number> {
    return this.ask(() => this.store.discardUnfinished(folder));
  }

  get locks(): ObjectLocks | undefined {
    const { locks } = this.store;
    if (locks === undefined) return undefined;
    return {
      rule: locks.rule,
      check: () => this.ask(() => locks.check()),
      of: (name) => this.ask(() => locks.of(name)),
      extend: (name, lock) => this.ask(() => locks.extend(name, lock)),
    };
  }

  get tryWriting(): Backend['tryWriting'] {
    const store = this.store;
    if (store.tryWriting === undefined) return undefined;
    return (folder) => this.ask(async () => store.tryWriting?.(folder));
  }

  get lacking(): Backend['lacking'] {
    const store = this.store;
    if (store.lacking === undefined) return undefined;
    return (name) => this.ask(async () => (await store.lacking?.(name)) ?? []);
  }

  get space(): Backend['space'] {
    const store = this.store;
    if (store.space === undefined) return undefined;
    return () => this.ask(async () => store.space?.());
  }

  get removeFolder(): Backend['removeFolder'] {
    const store = this.store;
    if (store.removeFolder === undefined) return undefined;
    return (folder, before) => this.ask(async () => store.removeFolder?.(folder, before));
  }
}

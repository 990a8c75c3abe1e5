import { Failure } from '../../core/failure.ts';
import type { RandomAccess } from '../../core/manifest/read/random-access.ts';
import type { Backend, ObjectInfo, ObjectWriter, Occupation, WriteMode } from '../../core/repository/backends/backend.ts';

/** Every call that a backend or one of its writers can get. */
export type Call =
  | 'inspect'
  | 'prepare'
  | 'create'
  | 'write'
  | 'commit'
  | 'abort'
  | 'read'
  | 'size'
  | 'list'
  | 'folders'
  | 'remove'
  | 'discardAbandoned'
  | 'discardUnfinished';

/** What stands for the end of the process: nothing that comes after it has any effect. */
export class Killed extends Error {
  constructor() {
    super('killed');
  }
}

/**
 * A backend that fails. `failures` says what each named call throws, once or for ever. `killAt` is the number of the
 * changing call (create, write, commit, remove) at which the process "dies": that call and all later ones do nothing.
 */
export class FaultyBackend implements Backend {
  readonly description: string;
  readonly calls: Call[] = [];
  readonly #inner: Backend;
  readonly #failures = new Map<Call, { error: Error; times: number }>();
  killAt = Number.POSITIVE_INFINITY;
  #changes = 0;

  constructor(inner: Backend) {
    this.#inner = inner;
    this.description = inner.description;
  }

  /** Lets `call` fail the next `times` times; for ever when left out. */
  fail(call: Call, error: Error, times = Number.POSITIVE_INFINITY): void {
    this.#failures.set(call, { error, times });
  }

  /** How many changing calls there were. */
  get changes(): number {
    return this.#changes;
  }

  #enter(call: Call): void {
    if (this.#changes >= this.killAt) throw new Killed();
    if (call === 'create' || call === 'write' || call === 'commit' || call === 'remove') {
      this.#changes++;
      if (this.#changes >= this.killAt) throw new Killed();
    }
    this.calls.push(call);
    const failure = this.#failures.get(call);
    if (failure === undefined || failure.times === 0) return;
    failure.times--;
    throw failure.error;
  }

  async inspect(): Promise<Occupation> {
    this.#enter('inspect');
    return await this.#inner.inspect();
  }

  async prepare(): Promise<void> {
    this.#enter('prepare');
    await this.#inner.prepare();
  }

  async create(name: string, mode?: WriteMode): Promise<ObjectWriter> {
    this.#enter('create');
    const writer = await this.#inner.create(name, mode);
    return {
      write: async (chunk) => {
        this.#enter('write');
        await writer.write(chunk);
      },
      commit: async () => {
        this.#enter('commit');
        await writer.commit();
      },
      abort: async () => {
        // A dead process aborts nothing, but the test's own files shall be closed.
        const dead = this.#changes >= this.killAt;
        await writer.abort();
        if (!dead) this.#enter('abort');
      },
    };
  }

  async read(name: string, offset?: number, length?: number): Promise<Buffer> {
    this.#enter('read');
    return await this.#inner.read(name, offset, length);
  }

  async readWhole(name: string, limit: number): Promise<Buffer> {
    this.#enter('read');
    return await this.#inner.readWhole(name, limit);
  }

  async size(name: string): Promise<number | undefined> {
    this.#enter('size');
    return await this.#inner.size(name);
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    this.#enter('list');
    yield* this.#inner.list(prefix);
  }

  async folders(folder: string): Promise<string[]> {
    this.#enter('folders');
    return await this.#inner.folders(folder);
  }

  async remove(name: string): Promise<void> {
    this.#enter('remove');
    await this.#inner.remove(name);
  }

  async discardUnfinished(folder: string): Promise<number> {
    this.#enter('discardUnfinished');
    return await this.#inner.discardUnfinished(folder);
  }

  async discardAbandoned(before: number): Promise<number> {
    this.#enter('discardAbandoned');
    return await this.#inner.discardAbandoned(before);
  }

  openDirectly(name: string, length: number, folder: string): RandomAccess {
    this.#enter('read');
    return this.#inner.openDirectly(name, length, folder);
  }
}

/** A failure as a full disk makes it. */
export function diskFull(): Failure {
  return new Failure('disk_full', 'no space left on device', { retry: true });
}

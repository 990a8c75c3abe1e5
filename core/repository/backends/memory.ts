import { Failure } from '../../failure.ts';
import { exactRange, type RandomAccess } from '../../manifest/read/random-access.ts';
import type { Backend, ObjectInfo, ObjectWriter, Occupation, WriteMode } from './backend.ts';
import { missingObject, nameTaken, tooLong } from './object-failures.ts';
import { checkObjectName } from './object-name.ts';
import { SparseCopy } from './sparse-copy.ts';

/** Keeps the objects in this process' memory: for tests and simulations. */
export class MemoryBackend implements Backend {
  readonly description = 'memory';
  readonly #objects = new Map<string, { readonly bytes: Buffer; readonly modified: number }>();
  #prepared = false;

  async inspect(): Promise<Occupation> {
    if (this.#objects.size > 0) return 'occupied';
    return this.#prepared ? 'empty' : 'absent';
  }

  async prepare(): Promise<void> {
    this.#prepared = true;
  }

  async create(name: string, mode: WriteMode = 'new'): Promise<ObjectWriter> {
    checkObjectName(name);
    const chunks: Uint8Array[] = [];
    let open = true;
    const needOpen = () => {
      if (!open) throw new Failure('internal', `${name} is not being written any more`);
    };
    return {
      write: async (chunk) => {
        needOpen();
        chunks.push(Buffer.from(chunk));
      },
      commit: async () => {
        needOpen();
        if (mode === 'new' && this.#objects.has(name)) throw nameTaken(name);
        open = false;
        this.#objects.set(name, { bytes: Buffer.concat(chunks), modified: Date.now() });
      },
      abort: async () => {
        open = false;
      },
    };
  }

  async read(name: string, offset = 0, length?: number): Promise<Buffer> {
    checkObjectName(name);
    const object = this.#objects.get(name);
    if (object === undefined) throw missingObject(name);
    const end = exactRange(name, object.bytes.length, offset, length);
    return Buffer.from(object.bytes.subarray(offset, end));
  }

  async readWhole(name: string, limit: number): Promise<Buffer> {
    const size = await this.size(name);
    if (size !== undefined && size > limit) throw tooLong(name, size, limit);
    return this.read(name);
  }

  openDirectly(name: string, length: number, folder: string): RandomAccess {
    const object = this.#objects.get(name);
    if (object === undefined) throw missingObject(name);
    return new SparseCopy(folder, name, length, (offset, count) => object.bytes.subarray(offset, offset + count));
  }

  async size(name: string): Promise<number | undefined> {
    checkObjectName(name);
    return this.#objects.get(name)?.bytes.length;
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    for (const [name, { bytes, modified }] of [...this.#objects]) {
      if (name.startsWith(prefix)) yield { name, size: bytes.length, modified };
    }
  }

  async folders(folder: string): Promise<string[]> {
    const start = `${checkObjectName(folder).join('/')}/`;
    const names = new Set<string>();
    for (const name of this.#objects.keys()) {
      const end = name.startsWith(start) ? name.indexOf('/', start.length) : -1;
      if (end > 0) names.add(name.slice(start.length, end));
    }
    return [...names];
  }

  async remove(name: string): Promise<void> {
    checkObjectName(name);
    this.#objects.delete(name);
  }

  async discardAbandoned(): Promise<number> {
    return 0;
  }

  async discardUnfinished(): Promise<number> {
    return 0;
  }
}

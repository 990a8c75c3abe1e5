import { createHash } from 'node:crypto';
import type { ObjectWriter } from './backends/backend.ts';
import type { ObjectReference } from './record.ts';
import type { ServerFolder } from './server-folder.ts';

/** An object of a server's folder on its way, counted and hashed as it goes. */
export class ObjectOutput {
  readonly #path: string;
  readonly #writer: ObjectWriter;
  readonly #hash = createHash('sha256');
  #length = 0;

  private constructor(path: string, writer: ObjectWriter) {
    this.#path = path;
    this.#writer = writer;
  }

  static async create(folder: ServerFolder, path: string): Promise<ObjectOutput> {
    return new ObjectOutput(path, await folder.backend.create(folder.nameOf(path)));
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#length += chunk.length;
    await this.#writer.write(chunk);
  }

  /** Makes the object durable and visible; what it returns belongs into the snapshot's record. */
  async commit(): Promise<ObjectReference> {
    await this.#writer.commit();
    return { path: this.#path, length: this.#length, sha256: this.#hash.digest('hex') };
  }

  /** Drops what was written; harmless after `commit`. */
  async abort(): Promise<void> {
    await this.#writer.abort();
  }
}

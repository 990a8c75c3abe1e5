import { createHash, type Hash } from 'node:crypto';
import type { NewHeader } from '../crypto/header.ts';
import { StreamWriter } from '../crypto/stream-writer.ts';
import type { ObjectWriter } from './backends/backend.ts';
import type { ObjectReference } from './record.ts';
import { protect } from './recovery/protect.ts';
import type { ServerFolder } from './server-folder.ts';

/** A stored object, and of an encrypted one what its content is, where that was asked for. */
export interface StoredObject extends ObjectReference {
  readonly content?: { readonly length: number; readonly sha256: string };
}

/** How an object is encrypted on its way. */
interface Sealing {
  readonly keys: string;
  readonly header: NewHeader;
  readonly writer: StreamWriter;
}

/** An object of a server's folder on its way: encrypted where the server does that, counted and hashed as it is stored. */
export class ObjectOutput {
  readonly #path: string;
  readonly #writer: ObjectWriter;
  readonly #hash = createHash('sha256');
  readonly #sealing: Sealing | undefined;
  /** Of what came, where it is wanted. */
  readonly #content: Hash | undefined;
  readonly #onStored: (sealing: Sealing) => void;
  readonly #folder: ServerFolder;
  #length = 0;
  #contentLength = 0;

  private constructor(
    folder: ServerFolder,
    path: string,
    writer: ObjectWriter,
    sealing: Sealing | undefined,
    withContent: boolean,
    onStored: (sealing: Sealing) => void,
  ) {
    this.#folder = folder;
    this.#path = path;
    this.#writer = writer;
    this.#sealing = sealing;
    this.#content = withContent && sealing !== undefined ? createHash('sha256') : undefined;
    this.#onStored = onStored;
  }

  /** With `withContent` the digest of an encrypted object's content is told, too. */
  static async create(folder: ServerFolder, path: string, withContent = false): Promise<ObjectOutput> {
    const begun = await folder.keys.newHeader();
    const sealing = begun === undefined ? undefined : { ...begun, writer: new StreamWriter(begun.header.key.key) };
    const name = folder.nameOf(path);
    const writer = await folder.backend.create(name);
    const output = new ObjectOutput(folder, path, writer, sealing, withContent, ({ header }) => folder.keys.remember(name, header.key));
    try {
      if (sealing !== undefined) await output.#store(sealing.header.bytes);
    } catch (error) {
      await writer.abort().catch(() => {});
      throw error;
    }
    return output;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#content?.update(chunk);
    this.#contentLength += chunk.length;
    if (this.#sealing === undefined) return this.#store(chunk);
    await this.#sealing.writer.push(chunk, this.#store);
  }

  readonly #store = async (bytes: Uint8Array): Promise<void> => {
    this.#hash.update(bytes);
    this.#length += bytes.length;
    await this.#writer.write(bytes);
  };

  /** Makes the object durable and visible, and its recovery data where that is wanted; what it returns belongs into the snapshot's record. */
  async commit(): Promise<StoredObject> {
    if (this.#sealing !== undefined) await this.#sealing.writer.finish(this.#store);
    await this.#writer.commit();
    const stored = { path: this.#path, length: this.#length, sha256: this.#hash.digest('hex') };
    await protect(this.#folder, stored);
    if (this.#sealing === undefined) return stored;
    this.#onStored(this.#sealing);
    const { keys } = this.#sealing;
    if (this.#content === undefined) return { ...stored, keys };
    return { ...stored, keys, content: { length: this.#contentLength, sha256: this.#content.digest('hex') } };
  }

  /** Drops what was written; harmless after `commit`. */
  async abort(): Promise<void> {
    await this.#writer.abort();
  }
}

import { createHash, type Hash } from 'node:crypto';
import type { NewHeader } from '../crypto/header.ts';
import { StreamWriter } from '../crypto/stream-writer.ts';
import type { ObjectWriter, WriteMode } from './backends/backend.ts';
import type { ObjectReference } from './record.ts';
import { protect } from './recovery/protect.ts';
import type { ServerFolder } from './server-folder.ts';

/** A stored object, and of an encrypted one what its content is, where that was asked for. */
export interface StoredObject extends ObjectReference {
  readonly content?: { readonly length: number; readonly sha256: string };
}

/** How an object is to be stored. */
export interface OutputOptions {
  /** Whether the digest of an encrypted object's content is told, too. */
  readonly withContent?: boolean;
  readonly mode?: WriteMode;
  /** By which what is stored passes, as at some rate. */
  readonly through?: (writer: ObjectWriter) => ObjectWriter;
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
  #finished: StoredObject | undefined;

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

  static async create(
    folder: ServerFolder,
    path: string,
    { withContent = false, mode = 'new', through = (writer) => writer }: OutputOptions = {},
  ): Promise<ObjectOutput> {
    const begun = await folder.keys.newHeader();
    const sealing = begun === undefined ? undefined : { ...begun, writer: new StreamWriter(begun.header.key.key) };
    const name = folder.nameOf(path);
    const writer = through(await folder.backend.create(name, mode));
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

  /** Ends what is written: what the object is going to be. It is not there yet. */
  async finish(): Promise<StoredObject> {
    if (this.#finished !== undefined) return this.#finished;
    if (this.#sealing !== undefined) await this.#sealing.writer.finish(this.#store);
    const stored = { path: this.#path, length: this.#length, sha256: this.#hash.digest('hex') };
    const keys = this.#sealing === undefined ? {} : { keys: this.#sealing.keys };
    const content = this.#content === undefined ? {} : { content: { length: this.#contentLength, sha256: this.#content.digest('hex') } };
    this.#finished = { ...stored, ...keys, ...content };
    return this.#finished;
  }

  /** Makes the object durable and visible, and its recovery data where that is wanted; what it returns belongs into the snapshot's record. */
  async commit(): Promise<StoredObject> {
    const stored = await this.finish();
    await this.#writer.commit();
    await protect(this.#folder, stored);
    if (this.#sealing !== undefined) this.#onStored(this.#sealing);
    return stored;
  }

  /** Drops what was written; harmless after `commit`. */
  async abort(): Promise<void> {
    await this.#writer.abort();
  }
}

import { createHash, type Hash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { ObjectReference } from '../repository/record.ts';
import type { ServerFolder } from '../repository/server-folder.ts';

/** So much is read at a time. A whole number of the chunks of an encrypted object. */
const PART = 4 * 1024 * 1024;

/**
 * What an object holds, whether it is stored encrypted or not, part by part. What is stored is compared with its digest on the way: `repository_damaged` comes
 * at the end, when it is another, so nothing may be made of the parts before that. Throws `identity_missing`, `identity_wrong`.
 */
export async function* verifiedContent(source: ServerFolder, object: ObjectReference): AsyncGenerator<Buffer> {
  const stored = new StoredBytes(source, object);
  const { length, read } = await source.openContent(object.path, object.length, (at, count) => stored.read(at, count));
  stored.begin();
  for (let at = 0; at < length; at += PART) yield await read(at, Math.min(PART, length - at));
  await stored.requireDigest();
}

/** What is stored of an object. From `begin` on it is hashed as it is read, which goes from its beginning to its end. */
class StoredBytes {
  readonly #source: ServerFolder;
  readonly #object: ObjectReference;
  readonly #hash: Hash = createHash('sha256');
  /** Of a short one all of it, read at once. */
  #whole: Promise<Buffer> | undefined;
  #isBegun = false;
  #hashed = 0;

  constructor(source: ServerFolder, object: ObjectReference) {
    this.#source = source;
    this.#object = object;
  }

  begin(): void {
    this.#isBegun = true;
  }

  /** In memory that is its reader's alone. */
  async read(at: number, count: number): Promise<Buffer> {
    const bytes = await this.#read(at, count);
    if (this.#isBegun) {
      await this.#hashTo(at);
      this.#hash.update(bytes);
      this.#hashed += bytes.length;
    }
    return bytes;
  }

  /** What nobody else reads, such as a header, belongs to the digest, too. */
  async #hashTo(end: number): Promise<void> {
    if (this.#hashed >= end) return;
    this.#hash.update(await this.#read(this.#hashed, end - this.#hashed));
    this.#hashed = end;
  }

  async #read(at: number, count: number): Promise<Buffer> {
    const { path, length } = this.#object;
    if (length > PART) return this.#source.readObject(path, at, count);
    this.#whole ??= this.#source.readObject(path, 0, length);
    const part = Buffer.allocUnsafeSlow(count);
    if ((await this.#whole).copy(part, 0, at) === count) return part;
    throw new Failure('repository_damaged', `${this.#source.nameOf(path)} is cut`, { affected: [this.#source.nameOf(path)] });
  }

  async requireDigest(): Promise<void> {
    const { path, length, sha256 } = this.#object;
    await this.#hashTo(length);
    if (this.#hashed === length && this.#hash.digest('hex') === sha256) return;
    const name = this.#source.nameOf(path);
    throw new Failure('repository_damaged', `${name} is not what was stored, so it is not copied`, { affected: [name] });
  }
}

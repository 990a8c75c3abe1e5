import { createHash } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { ObjectWriter } from '../repository/backends/backend.ts';
import { eachOf } from '../repository/each-of.ts';
import { isSealed, recoveryPath, snapshotPath } from '../repository/layout.ts';
import type { ObjectReference, SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { LogLink } from '../repository/run-record.ts';
import { requireAdmitted } from '../repository/stored-document.ts';
import { type Copied, isDamage } from './copied.ts';
import { AT_ONCE, type Copier, type CopyWork, checkCancelled, lengths, type Throttle } from './copier.ts';

const PART = 4 * 1024 * 1024;
/** No document is longer (core/repository/documents.ts). */
const LONGEST_DOCUMENT = 64 * 1024 * 1024;

/** Copies objects in the same bytes. */
export class ObjectCopier implements Copier {
  readonly speaksForItself = false;
  readonly runsAtOnce = 8;
  readonly source: Repository;
  readonly target: Repository;
  /** What is in the source and in the target, with its length. */
  readonly inSource: ReadonlyMap<string, number>;
  readonly #inTarget: Map<string, number>;
  readonly #copied: Copied;
  readonly #throttle: Throttle;
  readonly #signal: AbortSignal;

  private constructor(
    source: Repository,
    target: Repository,
    lists: { readonly source: Map<string, number>; readonly target: Map<string, number> },
    { copied, throttle, signal }: CopyWork,
  ) {
    this.source = source;
    this.target = target;
    this.inSource = lists.source;
    this.#inTarget = lists.target;
    this.#copied = copied;
    this.#throttle = throttle;
    this.#signal = signal;
  }

  static async open(source: Repository, target: Repository, work: CopyWork): Promise<ObjectCopier> {
    return new ObjectCopier(source, target, { source: await lengths(source), target: await lengths(target) }, work);
  }

  get inTarget(): Iterable<string> {
    return this.#inTarget.keys();
  }

  async beginUnit(): Promise<void> {}

  linkThere(link: LogLink): LogLink {
    return link;
  }

  has(path: string, length = this.inSource.get(path)): boolean {
    return this.#inTarget.get(path) === length && length !== undefined;
  }

  async snapshot(record: SnapshotRecord): Promise<void> {
    const path = snapshotPath(record.unit, record.id);
    await eachOf([...record.packs, record.manifest], AT_ONCE, async (object) => {
      await this.#stored(object);
      await this.#unchecked(recoveryPath(object.path));
    });
    await this.document(path, this.source.recordDigest(record));
    await this.#unchecked(recoveryPath(path));
  }

  /** With `sha256` it is that document, whoever signed it. One without may have been deleted since the source was listed. */
  async document(path: string, sha256?: string): Promise<void> {
    if (this.has(path)) return;
    const name = this.source.nameOf(path);
    let bytes: Buffer;
    try {
      bytes = await this.source.backend.readWhole(name, LONGEST_DOCUMENT);
    } catch (error) {
      if (sha256 === undefined && isDamage(error) && (await this.source.objectSize(path)) === undefined) return;
      throw error;
    }
    // The identity that a passphrase opens has no signature; its digest stands in the key record.
    if (sha256 !== undefined) requireDigest(createHash('sha256').update(bytes).digest('hex'), sha256, name);
    else if (!isSealed(path)) await requireAdmitted(this.source, name, bytes);
    await this.#put(path, bytes.length, async (writer) => writer.write(bytes));
  }

  /** Copies what a record names, if it is not there, part by part. */
  async #stored({ path, length, sha256 }: ObjectReference): Promise<void> {
    if (this.has(path, length)) return;
    const name = this.source.nameOf(path);
    await this.#put(path, length, async (writer) => {
      const hash = createHash('sha256');
      for (let at = 0; at < length; at += PART) {
        checkCancelled(this.#signal);
        const part = await this.source.readObject(path, at, Math.min(PART, length - at));
        hash.update(part);
        await writer.write(part);
      }
      requireDigest(hash.digest('hex'), sha256, name);
    });
  }

  /** Copies what checks itself: recovery data. */
  async #unchecked(path: string): Promise<void> {
    const length = this.inSource.get(path);
    if (length === undefined || this.has(path)) return;
    await this.#put(path, length, async (writer) => {
      for (let at = 0; at < length; at += PART) await writer.write(await this.source.readObject(path, at, Math.min(PART, length - at)));
    });
  }

  async #put(path: string, length: number, write: (writer: ObjectWriter) => Promise<void>): Promise<void> {
    checkCancelled(this.#signal);
    const name = this.target.nameOf(path);
    const before = this.#inTarget.get(path);
    const writer = this.#throttle(await this.target.backend.create(name, before === undefined ? 'new' : 'replacing'));
    try {
      await write(writer);
      await writer.commit();
    } catch (error) {
      // Somebody else copies the same.
      if (!(error instanceof Failure && error.code === 'object_exists')) throw error;
    } finally {
      await writer.abort();
    }
    this.#inTarget.set(path, length);
    this.#copied.add(length);
    if (before !== undefined) this.#copied.again(name, before, length);
  }

  async remove(path: string): Promise<void> {
    await this.target.removeObject(path);
    this.#inTarget.delete(path);
  }
}

function requireDigest(found: string, expected: string, name: string): void {
  if (found === expected) return;
  throw new Failure('repository_damaged', `${name} is not what was stored, so it is not copied`, { affected: [name] });
}

import { createHash, randomBytes } from 'node:crypto';
import type { CompletedPart, PutObjectCommandInput, S3Client, StorageClass } from '@aws-sdk/client-s3';
import { Failure } from '../../../failure.ts';
import type { ObjectLock, ObjectWriter, WriteMode } from '../backend.ts';
import { nameTaken } from '../object-failures.ts';
import { type Patience, persistently } from '../retry.ts';
import { lookAt, WRITER } from './look-at.ts';
import { lockProperties, locksOf, type S3ObjectLocks } from './object-locks.ts';
import { nameOf, statusOf, strangeAnswer } from './s3-failure.ts';
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand } from './sdk.ts';
import type { S3Store } from './store.ts';
import { dropUpload } from './unfinished-uploads.ts';

const MIB = 1024 ** 2;
/** A store takes parts of 5 MiB and more, 10,000 of them: the later ones of a long object are longer. */
const PART = 8 * MIB;
const PARTS_OF_ONE_SIZE = 1000;
const LONGEST_PART = 256 * MIB;
/** Parts under way at once, besides the one that is being filled. */
const AT_ONCE = 2;

type Properties = Omit<PutObjectCommandInput, 'Bucket' | 'Key' | 'Body'>;

/** An object on its way to a store: in memory until it is longer than a part, then part by part. */
export class S3Writer implements ObjectWriter {
  readonly #store: S3Store;
  readonly #name: string;
  readonly #mode: WriteMode;
  readonly #patience: Patience;
  readonly #writer = randomBytes(12).toString('hex');
  readonly #parts: CompletedPart[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #buffer: Buffer = Buffer.allocUnsafe(64 * 1024);
  #filled = 0;
  #upload: string | undefined;
  #failure: Failure | undefined;
  readonly #locks: S3ObjectLocks | undefined;
  readonly #lock: ObjectLock | undefined;
  #isOpen = true;

  constructor(store: S3Store, name: string, mode: WriteMode, patience: Patience) {
    this.#mode = mode;
    this.#store = store;
    this.#name = name;
    this.#patience = patience;
    this.#locks = locksOf(store);
    this.#lock = this.#locks?.ofNew();
  }

  get #target(): { Bucket: string; Key: string } {
    return { Bucket: this.#store.bucket, Key: this.#store.keyOf(this.#name) };
  }

  get #properties(): Properties {
    const { storageClass, serverSideEncryption, encryptionKey } = this.#store.options;
    return {
      Metadata: { [WRITER]: this.#writer },
      ...(storageClass === undefined ? {} : { StorageClass: storageClass as StorageClass }),
      ...(serverSideEncryption === undefined ? {} : { ServerSideEncryption: serverSideEncryption }),
      ...(encryptionKey === undefined ? {} : { SSEKMSKeyId: encryptionKey }),
      ...(this.#lock === undefined ? {} : lockProperties(this.#lock)),
    };
  }

  /** That there is no object of this name, unless one is to be replaced. */
  get #condition(): { IfNoneMatch?: string } {
    return this.#mode === 'new' && this.#store.takesConditions ? { IfNoneMatch: '*' } : {};
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new Failure('internal', `${this.#name} is not being written any more`);
    if (this.#failure !== undefined) throw this.#failure;
  }

  get #partSize(): number {
    return Math.min(LONGEST_PART, PART * 2 ** Math.floor(this.#parts.length / PARTS_OF_ONE_SIZE));
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkOpen();
    for (let at = 0; at < chunk.length; ) {
      const size = this.#partSize;
      this.#grow(Math.min(size, this.#filled + chunk.length - at));
      const count = Math.min(size - this.#filled, chunk.length - at);
      this.#buffer.set(chunk.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === size) await this.#sendPart();
    }
  }

  /** Most objects are small: memory for a whole part is taken when it is needed. */
  #grow(needed: number): void {
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.min(this.#partSize, Math.max(needed, 2 * this.#buffer.length)));
    this.#buffer.copy(larger, 0, 0, this.#filled);
    this.#buffer = larger;
  }

  /** Begins to send what is in the buffer as the next part; waits while as many are under way as may be. */
  async #sendPart(): Promise<void> {
    this.#upload ??= await this.#begin();
    const number = this.#parts.length + 1;
    const part: CompletedPart = { PartNumber: number };
    this.#parts.push(part);
    const body = this.#buffer.subarray(0, this.#filled);
    this.#buffer = Buffer.allocUnsafe(0);
    this.#filled = 0;
    const sent = this.#send(number, body).then(
      (etag) => {
        part.ETag = etag;
      },
      (error: Failure) => {
        this.#failure ??= error;
      },
    );
    this.#underWay.add(sent);
    void sent.then(() => this.#underWay.delete(sent));
    while (this.#underWay.size >= AT_ONCE) await Promise.race(this.#underWay);
    this.#checkOpen();
  }

  #begin(): Promise<string> {
    return persistently(async () => {
      const command = new CreateMultipartUploadCommand({ ...this.#target, ...this.#properties });
      const { UploadId } = await this.#store.send(this.#name, (client) => client.send(command));
      if (UploadId === undefined) throw new Failure('repository_refused', `${this.#name}: the store names no upload`);
      return UploadId;
    }, this.#patience);
  }

  async #send(number: number, body: Buffer): Promise<string> {
    const digest = md5(body);
    return await persistently(async () => {
      const command = new UploadPartCommand({
        ...this.#target,
        UploadId: this.#upload,
        PartNumber: number,
        Body: body,
        ContentLength: body.length,
        ContentMD5: digest,
      });
      const { ETag } = await this.#store.send(this.#name, (client) => client.send(command));
      if (ETag === undefined) throw new Failure('repository_refused', `${this.#name}: the store confirms no part`);
      return ETag;
    }, this.#patience);
  }

  /** Has the store begin an object of several parts, and drop it: it takes one only from whoever may write. */
  async tryOut(): Promise<void> {
    this.#checkOpen();
    this.#upload = await this.#begin();
    // Whether what was begun may be dropped was not asked.
    await this.abort().catch(() => {});
  }

  async commit(): Promise<void> {
    this.#checkOpen();
    if (this.#upload === undefined) await this.#putWhole();
    else await this.#complete();
    this.#upload = undefined;
    this.#close();
  }

  async #putWhole(): Promise<void> {
    const body = this.#buffer.subarray(0, this.#filled);
    const digest = md5(body);
    await this.#once((client) =>
      client.send(
        new PutObjectCommand({
          ...this.#target,
          ...this.#properties,
          Body: body,
          ContentLength: body.length,
          ContentMD5: digest,
          ...this.#condition,
        }),
      ),
    );
  }

  async #complete(): Promise<void> {
    if (this.#filled > 0) await this.#sendPart();
    await Promise.all(this.#underWay);
    this.#checkOpen();
    // Not every store obeys the condition on a completion.
    if (this.#mode === 'new' && (await this.#owner()) !== undefined) throw nameTaken(this.#name);
    await this.#once((client) =>
      client.send(
        new CompleteMultipartUploadCommand({
          ...this.#target,
          UploadId: this.#upload,
          MultipartUpload: { Parts: this.#parts },
          ...this.#condition,
        }),
      ),
    );
    this.#upload = undefined;
    await this.#lockWhole();
  }

  /** Not every store locks an object that came in parts: Ceph 16 takes the lock of one, and forgets it. */
  async #lockWhole(): Promise<void> {
    const [lock, locks] = [this.#lock, this.#locks];
    if (lock !== undefined && locks !== undefined) await persistently(() => locks.extend(this.#name, lock), this.#patience);
  }

  /** Has the store take the object unless there is one. After a lost answer the object itself says whether it is this one. */
  async #once(request: (client: S3Client) => Promise<{ readonly ETag?: string | undefined }>): Promise<void> {
    await persistently(async () => {
      if (this.#mode === 'new' && !this.#store.takesConditions && (await this.#isStored())) return;
      try {
        const { ETag } = await this.#store.send(this.#name, request);
        // Whoever stands in front of the store can say that all is well, too: the store itself names a tag.
        if (ETag === undefined && (await this.#owner()) !== this.#writer) throw strangeAnswer(this.#name, 'the store confirms nothing');
      } catch (error) {
        const failure = error as Failure;
        const isTaken = statusOf(failure.cause) === 412 || nameOf(failure.cause) === 'PreconditionFailed';
        const isGone = nameOf(failure.cause) === 'NoSuchUpload';
        if (this.#mode === 'new' && this.#store.takesConditions && isNotKnown(failure)) {
          this.#store.takesConditions = false;
          return this.#once(request);
        }
        if (!isTaken && !isGone) throw error;
        if ((await this.#owner()) === this.#writer) return;
        throw isTaken ? nameTaken(this.#name) : error;
      }
    }, this.#patience);
  }

  /** Whether the object is there already, after an answer that was lost; throws `object_exists` when it is another writer's. */
  async #isStored(): Promise<boolean> {
    const owner = await this.#owner();
    if (owner !== undefined && owner !== this.#writer) throw nameTaken(this.#name);
    return owner !== undefined;
  }

  /** Which writer the object of this name is from; undefined when there is none. */
  #owner(): Promise<string | undefined> {
    return persistently(async () => (await lookAt(this.#store, this.#name))?.writer, this.#patience);
  }

  #close(): void {
    this.#isOpen = false;
    this.#buffer = Buffer.allocUnsafe(0);
    this.#filled = 0;
  }

  async abort(): Promise<void> {
    const upload = this.#upload;
    this.#upload = undefined;
    this.#close();
    if (upload === undefined) return;
    await Promise.all(this.#underWay);
    await dropUpload(this.#store, this.#target.Key, upload);
  }
}

/** Whether a store says that it does not know what a request has: of all that it has, a condition is what stores lack. */
function isNotKnown({ cause, message }: Failure): boolean {
  if (statusOf(cause) === 501 || nameOf(cause) === 'NotImplemented') return true;
  return statusOf(cause) === 400 && /unsupported header|if-none-match/i.test(message);
}

/** Not against forgery: the one digest that every store compares with what arrived (RFC 1864). */
function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}

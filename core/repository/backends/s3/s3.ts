import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { GetObjectCommandOutput, ListObjectsV2CommandInput, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { Failure } from '../../../failure.ts';
import { exactRange } from '../../../manifest/read/random-access.ts';
import { SAFETY_AGE } from '../../safety-age.ts';
import type { Lack, ObjectInfo, ObjectWriter, Occupation, Store, WriteMode } from '../backend.ts';
import { missingObject, tooLong } from '../object-failures.ts';
import { checkObjectName, isObjectName } from '../object-name.ts';
import { type Patience, USUAL_PATIENCE } from '../retry.ts';
import { bucketLacks } from './lacking.ts';
import { isSize, lookAt } from './look-at.ts';
import { locksOf, type S3ObjectLocks } from './object-locks.ts';
import { isMissing, statusOf, strangeAnswer } from './s3-failure.ts';
import { CreateBucketCommand, DeleteObjectCommand, GetObjectCommand, HeadBucketCommand, ListObjectsV2Command } from './sdk.ts';
import { bodyOf, type S3Store } from './store.ts';
import { dropUploads } from './unfinished-uploads.ts';
import { S3Writer } from './upload.ts';

/** Pages that bring nothing further; a store that skips much may have some. */
const MOST_IDLE_PAGES = 200;

type Query = Omit<ListObjectsV2CommandInput, 'Bucket'>;

/** The id of the version of an object that is meant; undefined: there is none. */
export type VersionOf = (name: string) => Promise<string | undefined>;

/** Objects in a bucket of any store that speaks S3. Folders are nothing but parts of names there. */
export class S3Backend implements Store {
  readonly description: string;
  readonly pageLength = 1000;
  readonly locks: S3ObjectLocks | undefined;
  readonly #store: S3Store;
  readonly #patience: Patience;
  readonly #versionOf: VersionOf | undefined;

  /** `versionOf` says which version of an object is read; left out: the current one. */
  constructor(store: S3Store, patience = USUAL_PATIENCE, versionOf?: VersionOf) {
    this.description = store.description;
    this.#store = store;
    this.#patience = patience;
    this.#versionOf = versionOf;
    this.locks = locksOf(store);
  }

  async inspect(): Promise<Occupation> {
    try {
      const { prefix } = this.#store;
      const page = await this.#page({ Prefix: prefix, MaxKeys: 2 });
      // An object with the name of the folder itself is how other programs make an empty one.
      const isContents = ({ Key = '' }): boolean => Key !== prefix && Key.startsWith(prefix);
      return (page.Contents ?? []).some(isContents) ? 'occupied' : 'empty';
    } catch (error) {
      if (error instanceof Failure && error.code === 'repository_missing') return 'absent';
      throw error;
    }
  }

  async prepare(): Promise<void> {
    const { bucket, description } = this.#store;
    try {
      await this.#store.send(description, (client) => client.send(new HeadBucketCommand({ Bucket: bucket })));
    } catch (error) {
      if (statusOf((error as Failure).cause) !== 404) throw error;
      const command = new CreateBucketCommand({ Bucket: bucket, ...(this.locks && { ObjectLockEnabledForBucket: true }) });
      await this.#store.send(description, (client) => client.send(command));
    }
    await this.locks?.check();
  }

  async lacking(name: string): Promise<readonly Lack[]> {
    const bytes = await this.read(name);
    const writer = await this.create(name);
    try {
      await writer.write(bytes);
      await writer.commit();
      return await bucketLacks(this.#store, false);
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'object_exists')) throw error;
      return await bucketLacks(this.#store, this.#store.takesConditions);
    } finally {
      await writer.abort();
    }
  }

  async create(name: string, mode: WriteMode = 'new'): Promise<ObjectWriter> {
    checkObjectName(name);
    return new S3Writer(this.#store, name, mode, this.#patience);
  }

  async read(name: string, offset = 0, length?: number): Promise<Buffer> {
    checkObjectName(name);
    if (length === undefined || length <= 0 || offset < 0 || !Number.isSafeInteger(offset + length)) {
      const size = await this.size(name);
      if (size === undefined) throw missingObject(name);
      const end = exactRange(name, size, offset, length);
      return end === offset ? Buffer.alloc(0) : this.#range(name, offset, end);
    }
    return this.#range(name, offset, offset + length);
  }

  async readWhole(name: string, limit: number): Promise<Buffer> {
    checkObjectName(name);
    const { body, size } = await this.#stretch(name, 0, limit + 1, (size) => Math.min(size, limit + 1)).catch(async (error: Failure) => {
      // Nothing can be cut out of an empty object.
      if (statusOf(error.cause) !== 416) throw error;
      const size = await this.size(name);
      if (size === undefined) throw missingObject(name);
      if (size === 0) return { body: undefined, size };
      throw strangeAnswer(name, `of ${size} bytes the store gives none`, error);
    });
    if (size > limit) {
      body?.destroy();
      throw tooLong(name, size, limit);
    }
    return body === undefined ? Buffer.alloc(0) : bodyOf(name, body, size);
  }

  /** The bytes from `offset` up to `end`, which are one or more. */
  async #range(name: string, offset: number, end: number): Promise<Buffer> {
    try {
      const { body } = await this.#stretch(name, offset, end, (size) => exactRange(name, size, offset, end - offset));
      return await bodyOf(name, body, end - offset);
    } catch (error) {
      if (statusOf((error as Failure).cause) === 416) exactRange(name, (await this.size(name)) ?? 0, offset, end - offset);
      throw error;
    }
  }

  /** A stretch on its way, and how long the object is; by that `expected` says where the stretch ends, or throws. */
  async #stretch(
    name: string,
    offset: number,
    end: number,
    expected: (size: number) => number,
  ): Promise<{ readonly body: Readable; readonly size: number }> {
    const version = await this.#versionOf?.(name);
    if (this.#versionOf !== undefined && version === undefined) throw missingObject(name);
    const chosen = version === undefined ? {} : { VersionId: version };
    const command = new GetObjectCommand({ ...this.#target(name), ...chosen, Range: `bytes=${offset}-${end - 1}` });
    let answer: GetObjectCommandOutput;
    try {
      answer = await this.#store.send(name, (client) => client.send(command));
    } catch (error) {
      throw isMissing((error as Failure).cause) ? missingObject(name, (error as Failure).cause) : error;
    }
    const body = answer.Body as Readable;
    const [, from, to, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? '') ?? [];
    try {
      const last = size === undefined ? Number.NaN : expected(Number(size)) - 1;
      if (Number(from) === offset && Number(to) === last) return { body, size: Number(size) };
      throw strangeAnswer(name, `another stretch came than was asked for (${answer.ContentRange ?? 'all of it'})`);
    } catch (error) {
      body.destroy();
      throw error;
    }
  }

  async size(name: string): Promise<number | undefined> {
    checkObjectName(name);
    const found = await lookAt(this.#store, name);
    if (found !== undefined) return found.size;
    // An answer to that question has no words: those to another say whether it came from the store.
    try {
      const { body } = await this.#stretch(name, 0, 1, () => 1);
      body.destroy();
    } catch (error) {
      if (isMissing((error as Failure).cause)) return undefined;
      if (statusOf((error as Failure).cause) !== 416) throw error;
    }
    throw strangeAnswer(name, 'the store says that it is not there, and then that it is');
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const { prefix: beginning } = this.#store;
    for await (const page of this.#pages({ Prefix: this.#store.keyOf(prefix) })) {
      for (const { Key = '', Size, LastModified } of page.Contents ?? []) {
        const name = Key.startsWith(beginning) ? Key.slice(beginning.length) : '';
        // What others keep there, and what a store says that was not asked.
        if (!name.startsWith(prefix) || !isObjectName(name)) continue;
        // What has no time would count as long ago, and what is being written now as left behind.
        if (!isSize(Size) || LastModified === undefined) throw this.#noListing();
        yield { name, size: Size, modified: LastModified.getTime() };
      }
    }
  }

  async folders(folder: string): Promise<string[]> {
    checkObjectName(folder);
    const beginning = this.#store.keyOf(`${folder}/`);
    const names: string[] = [];
    for await (const page of this.#pages({ Prefix: beginning, Delimiter: '/' })) {
      for (const { Prefix = '' } of page.CommonPrefixes ?? []) {
        const name = Prefix.startsWith(beginning) ? Prefix.slice(beginning.length, -1) : '';
        if (isObjectName(name) && !name.includes('/')) names.push(name);
      }
    }
    return names;
  }

  async #page(query: Query): Promise<ListObjectsV2CommandOutput> {
    const command = new ListObjectsV2Command({ Bucket: this.#store.bucket, ...query });
    const page = await this.#store.send(this.description, (client) => client.send(command));
    // Whatever else came, such as the page of a proxy, would look as if nothing were there.
    if (page.IsTruncated === undefined) throw this.#noListing();
    return page;
  }

  #noListing(): Failure {
    return strangeAnswer(this.description, 'the answer is no listing');
  }

  async *#pages(query: Query): AsyncGenerator<ListObjectsV2CommandOutput> {
    const seen = new Set<string>();
    let furthest = '';
    let idle = 0;
    for (let token: string | undefined; ; ) {
      const page = await this.#page(token === undefined ? query : { ...query, ContinuationToken: token });
      yield page;
      if (page.IsTruncated !== true) return;
      token = page.NextContinuationToken;
      // Whatever follows would look as if it were not there.
      if (token === undefined) throw this.#noListing();
      const last = page.Contents?.at(-1)?.Key ?? page.CommonPrefixes?.at(-1)?.Prefix ?? '';
      idle = last > furthest ? 0 : idle + 1;
      if (last > furthest) furthest = last;
      if (seen.has(token) || idle > MOST_IDLE_PAGES) {
        throw new Failure('repository_refused', `${this.description}: the store lists without an end`, { affected: [this.description] });
      }
      seen.add(token);
    }
  }

  async remove(name: string): Promise<void> {
    checkObjectName(name);
    try {
      await this.#store.send(name, (client) => client.send(new DeleteObjectCommand(this.#target(name))));
    } catch (error) {
      if (!isMissing((error as Failure).cause)) throw error;
    }
  }

  async tryWriting(folder: string): Promise<void> {
    const name = checkObjectName(`${folder}/trial-${randomBytes(12).toString('hex')}`).join('/');
    await new S3Writer(this.#store, name, 'new', this.#patience).tryOut();
  }

  #target(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#store.bucket, Key: this.#store.keyOf(name) };
  }

  /** Uploads that were begun outside of any server's folder, and are older. */
  async discardAbandoned(before: number): Promise<number> {
    const { prefix } = this.#store;
    return dropUploads(this.#store, prefix, before, (key) => !key.startsWith(`${prefix}servers/`));
  }

  /** Nobody can tell whether an upload goes on: one that is a day old does not. */
  async discardUnfinished(folder: string): Promise<number> {
    checkObjectName(folder);
    return dropUploads(this.#store, this.#store.keyOf(`${folder}/`), Date.now() - SAFETY_AGE, () => true);
  }
}

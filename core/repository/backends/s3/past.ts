import type { ListObjectVersionsCommandInput, ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3';
import { Failure } from '../../../failure.ts';
import type { ObjectInfo, ObjectWriter, Occupation, Store } from '../backend.ts';
import { checkObjectName, isObjectName } from '../object-name.ts';
import { USUAL_PATIENCE } from '../retry.ts';
import { S3Backend } from './s3.ts';
import { strangeAnswer } from './s3-failure.ts';
import { ListObjectVersionsCommand } from './sdk.ts';
import type { S3Store } from './store.ts';

/** The version of an object that was the current one. */
interface Version extends ObjectInfo {
  readonly id: string;
}

/** What a listing says of one version, or of a mark of deletion, which has no size. */
interface Listed {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly LastModified?: Date | undefined;
  readonly Size?: number | undefined;
}

type Newest = Map<string, { readonly version: Version; readonly isThere: boolean }>;
type Query = Omit<ListObjectVersionsCommandInput, 'Bucket'>;

/** So many versions are asked for where one object is meant. */
const ALONE = 100;

/**
 * A bucket that keeps versions, as it was at a time: what was deleted or overwritten since is there, and what was stored since is not. Only to be read: whoever
 * can delete in such a bucket can hide what is there, and not take it away.
 */
export class S3Past implements Store {
  readonly description: string;
  readonly #at: number;
  readonly #store: S3Store;
  readonly #objects: S3Backend;
  /** By its name; null: it was not there. Nothing of it can change any more. */
  readonly #known = new Map<string, Version | null>();

  /** `at` is the time in milliseconds since 1970. */
  constructor(store: S3Store, at: number, patience = USUAL_PATIENCE) {
    this.description = `${store.description} as of ${new Date(at).toISOString()}`;
    this.#at = at;
    this.#store = store;
    this.#objects = new S3Backend(store, patience, async (name) => (await this.#find(name))?.id);
  }

  async inspect(): Promise<Occupation> {
    try {
      for await (const _ of this.list('')) return 'occupied';
      return 'empty';
    } catch (error) {
      if (error instanceof Failure && error.code === 'repository_missing') return 'absent';
      throw error;
    }
  }

  async prepare(): Promise<void> {
    throw this.#readOnly();
  }

  async create(): Promise<ObjectWriter> {
    throw this.#readOnly();
  }

  async remove(): Promise<void> {
    throw this.#readOnly();
  }

  #readOnly(): Failure {
    return new Failure('repository_refused', `${this.description} can only be read`, {
      affected: [this.description],
      advice: 'Take asOf out of the setting s3 to write there, or name another place.',
    });
  }

  read(name: string, offset?: number, length?: number): Promise<Buffer> {
    return this.#objects.read(name, offset, length);
  }

  readWhole(name: string, limit: number): Promise<Buffer> {
    return this.#objects.readWhole(name, limit);
  }

  async size(name: string): Promise<number | undefined> {
    return (await this.#find(name))?.size;
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const beginning = this.#store.keyOf(prefix);
    const newest: Newest = new Map();
    for await (const page of this.#pages({ Prefix: beginning })) this.#learn(page, beginning, newest);
    this.#keep(newest);
    for (const name of [...newest.keys()].sort()) {
      const version = this.#known.get(name);
      if (version != null && isObjectName(name)) yield { name, size: version.size, modified: version.modified };
    }
  }

  async folders(folder: string): Promise<string[]> {
    checkObjectName(folder);
    const beginning = this.#store.keyOf(`${folder}/`);
    const folders = new Set<string>();
    for await (const page of this.#pages({ Prefix: beginning, Delimiter: '/' })) {
      for (const { Prefix = '' } of page.CommonPrefixes ?? []) {
        const name = Prefix.startsWith(beginning) ? Prefix.slice(beginning.length, -1) : '';
        if (isObjectName(name) && !name.includes('/')) folders.add(name);
      }
    }
    return [...folders];
  }

  /** Nothing that is being written now belongs to the past. */
  async discardAbandoned(): Promise<number> {
    return 0;
  }

  async discardUnfinished(): Promise<number> {
    return 0;
  }

  async #find(name: string): Promise<Version | undefined> {
    checkObjectName(name);
    if (!this.#known.has(name)) {
      const key = this.#store.keyOf(name);
      const newest: Newest = new Map();
      for await (const page of this.#pages({ Prefix: key, MaxKeys: ALONE })) {
        this.#learn(page, key, newest);
        // Other names begin so, too, and come behind it.
        if (page.NextKeyMarker !== key) break;
      }
      // Not before the answer is there: whoever asks meanwhile, or again because it failed, would take that for an object that is not there.
      this.#known.set(name, null);
      this.#keep(new Map([...newest].filter(([found]) => found === name)));
    }
    return this.#known.get(name) ?? undefined;
  }

  /** Takes what a page of a listing says of the names that begin so. */
  #learn({ Versions = [], DeleteMarkers = [] }: ListObjectVersionsCommandOutput, beginning: string, newest: Newest): void {
    const learn = ({ Key = '', VersionId, LastModified, Size = 0 }: Listed, isThere: boolean): void => {
      const time = LastModified?.getTime();
      if (!Key.startsWith(beginning) || VersionId === undefined || time === undefined || !(time <= this.#at)) return;
      const name = Key.slice(this.#store.prefix.length);
      const known = newest.get(name);
      // Of the same moment the one counts that can be read, and of several the first: a store lists the newest first.
      if (known !== undefined && (known.version.modified > time || (known.version.modified === time && known.isThere))) return;
      newest.set(name, { version: { name, id: VersionId, size: Size, modified: time }, isThere });
    };
    for (const version of Versions) learn(version, true);
    for (const mark of DeleteMarkers) learn(mark, false);
  }

  #keep(newest: Newest): void {
    for (const [name, { version, isThere }] of newest) this.#known.set(name, isThere ? version : null);
  }

  async *#pages(query: Query): AsyncGenerator<ListObjectVersionsCommandOutput> {
    const seen = new Set<string>();
    for (let marker: Query = {}; ; ) {
      const command = new ListObjectVersionsCommand({ Bucket: this.#store.bucket, ...query, ...marker });
      const page = await this.#store.send(this.description, (client) => client.send(command));
      const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page;
      // Whatever else came, or follows, would look as if it had not been there.
      if (IsTruncated === undefined || (IsTruncated && NextKeyMarker === undefined))
        throw strangeAnswer(this.description, 'the answer is no listing');
      yield page;
      if (!IsTruncated) return;
      const place = JSON.stringify([NextKeyMarker, NextVersionIdMarker]);
      if (seen.has(place)) throw new Failure('repository_refused', `${this.description}: the store lists the same page again and again`);
      seen.add(place);
      marker = { KeyMarker: NextKeyMarker, ...(NextVersionIdMarker === undefined ? {} : { VersionIdMarker: NextVersionIdMarker }) };
    }
  }
}

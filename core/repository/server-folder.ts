import type { Notify } from '../context/notice.ts';
import { StreamReader } from '../crypto/stream-reader.ts';
import { asFailure } from '../failure.ts';
import type { Backend, ObjectInfo } from './backends/backend.ts';
import type { DocumentKind } from './documents.ts';
import type { RepositoryIdentity } from './identity.ts';
import { keptNames, letGoOfObject } from './kept-objects.ts';
import { ofObject, ServerKeys } from './keys/server-keys.ts';
import { isSealed, serverFolder } from './layout.ts';
import type { Place } from './opened-place.ts';
import type { Signatures } from './signatures/signatures.ts';

type ReadRange = (offset: number, length: number) => Promise<Buffer>;

/** The content of an object, whether it is stored encrypted or not. */
export interface ObjectContent {
  /** In bytes. */
  readonly length: number;
  readonly read: ReadRange;
}

/** One server's folder of a repository, as objects. All paths are below that folder. */
export class ServerFolder {
  readonly backend: Backend;
  readonly identity: RepositoryIdentity;
  /** The id of the server. */
  readonly server: string;
  /** Whether this machine writes as that server. */
  readonly isOwn: boolean;
  /** The part of the state directory that belongs to this repository. */
  readonly stateFolder: string;
  /** Who signs, and whose signatures are taken. */
  readonly signatures: Signatures;
  /** Where to tell what the operator should know. */
  readonly notify: Notify;
  /** How much recovery data new objects get, in percent; undefined: none. */
  readonly recovery: number | undefined;
  /** For whom is encrypted, and what opens it. */
  readonly keys: ServerKeys;
  readonly #folder: string;

  constructor(place: Place, server: string, isOwn: boolean, keys = new ServerKeys(place, server)) {
    const { backend, repository, stateFolder, notify, recovery, signatures } = place;
    this.backend = backend;
    this.signatures = signatures;
    this.identity = repository;
    this.server = server;
    this.isOwn = isOwn;
    this.stateFolder = stateFolder;
    this.notify = notify;
    this.recovery = recovery;
    this.keys = keys;
    this.#folder = serverFolder(server);
  }

  /** The name that an object has in the backend. */
  nameOf(path: string): string {
    return `${this.#folder}/${path}`;
  }

  /** Notifies of an error that keeps one object from being used, and not the others. */
  report(error: unknown): void {
    const { code, message, affected } = asFailure(error);
    this.notify({ level: 'error', code, message, affected });
  }

  /**
   * What an object of `size` bytes holds: of a plain one its bytes, of an encrypted one what is inside, of which the end is checked first. `read` reads
   * what is stored, where the caller wants to see that. Throws `identity_missing`, `identity_wrong`, `repository_damaged`.
   */
  async openContent(
    path: string,
    size: number,
    read: ReadRange = (at, length) => this.readObject(path, at, length),
  ): Promise<ObjectContent> {
    if (!isSealed(path)) return { length: size, read };
    const name = this.nameOf(path);
    const key = await this.keys.streamKey(name, size);
    try {
      const reader = await StreamReader.open(size, key, read);
      const readPlain: ReadRange = (at, length) => reader.read(at, length).catch((error) => Promise.reject(ofObject(name, error)));
      return { length: reader.plainLength, read: readPlain };
    } catch (error) {
      throw ofObject(name, error);
    }
  }

  /** `length` bytes of an object as it is stored, from `offset`; the whole object when both are left out. */
  readObject(path: string, offset?: number, length?: number): Promise<Buffer> {
    return this.backend.read(this.nameOf(path), offset, length);
  }

  /** In bytes as it is stored; undefined when there is no such object. */
  objectSize(path: string): Promise<number | undefined> {
    return this.backend.size(this.nameOf(path));
  }

  /** Whether there is no such object, also where something else stands in the place of its folder. */
  async isGone(path: string): Promise<boolean> {
    try {
      return (await this.objectSize(path)) === undefined;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== 'repository_damaged') throw failure;
      return true;
    }
  }

  /** Has an object that was stored read from its disk the next time, where that can be asked, and not from memory. */
  forgetCached(path: string): void {
    this.backend.forgetCached?.(this.nameOf(path));
  }

  /** Says which documents are going to be read, in which order. */
  expectDocuments({ limit }: Pick<DocumentKind<unknown>, 'limit'>, paths: readonly string[]): void {
    this.backend.expectWhole?.(
      paths.map((path) => this.nameOf(path)),
      limit,
    );
  }

  /** Says that all that the server has is going to be asked for. */
  expectAll(): void {
    this.backend.expectAll?.(this.#folder);
  }

  /** Removes an object, which nobody misses then; a missing one is no error. */
  async removeObject(path: string): Promise<void> {
    const name = this.nameOf(path);
    letGoOfObject(this.stateFolder, name);
    await this.backend.remove(name);
  }

  /** The names of objects with this beginning that this machine keeps copies of, and that are neither in `listed` nor stored since. */
  async missingObjects(prefix: string, listed: ReadonlySet<string>): Promise<string[]> {
    if (!this.isOwn) return [];
    const unlisted = keptNames(this.stateFolder, this.server).filter((name) => name.startsWith(this.nameOf(prefix)) && !listed.has(name));
    const missing: string[] = [];
    for (const name of unlisted) if (await this.isGone(name.slice(this.nameOf('').length))) missing.push(name);
    return missing;
  }

  /** Every stored object whose path begins with `prefix`, with its path below the server's folder. */
  async *listObjects(prefix: string): AsyncIterable<ObjectInfo> {
    for await (const object of this.backend.list(this.nameOf(prefix))) {
      yield { ...object, name: object.name.slice(this.#folder.length + 1) };
    }
  }
}

import { asFailure } from '../failure.ts';
import type { Backend, ObjectInfo } from './backends/backend.ts';
import type { RepositoryIdentity } from './identity.ts';
import { serverFolder } from './layout.ts';
import type { Notify } from './notice.ts';
import type { Place } from './server-identity.ts';

/** One server's folder of a repository, as objects. All paths are below that folder. */
export class ServerFolder {
  readonly backend: Backend;
  readonly identity: RepositoryIdentity;
  /** The id of the server. */
  readonly server: string;
  /** The part of the state directory that belongs to this repository. */
  readonly stateFolder: string;
  /** Where to tell what the operator should know. */
  readonly notify: Notify;
  readonly #folder: string;

  constructor({ backend, repository, stateFolder, notify }: Place, server: string) {
    this.backend = backend;
    this.identity = repository;
    this.server = server;
    this.stateFolder = stateFolder;
    this.notify = notify;
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

  /** `length` bytes of an object from `offset`; the whole object when both are left out. */
  readObject(path: string, offset?: number, length?: number): Promise<Buffer> {
    return this.backend.read(this.nameOf(path), offset, length);
  }

  /** In bytes; undefined when there is no such object. */
  objectSize(path: string): Promise<number | undefined> {
    return this.backend.size(this.nameOf(path));
  }

  /** Has an object that was stored read from its disk the next time, where that can be asked, and not from memory. */
  forgetCached(path: string): void {
    this.backend.forgetCached?.(this.nameOf(path));
  }

  /** Removes an object; a missing one is no error. */
  removeObject(path: string): Promise<void> {
    return this.backend.remove(this.nameOf(path));
  }

  /** Every stored object whose path begins with `prefix`, with its path below the server's folder. */
  async *listObjects(prefix: string): AsyncIterable<ObjectInfo> {
    for await (const object of this.backend.list(this.nameOf(prefix))) {
      yield { ...object, name: object.name.slice(this.#folder.length + 1) };
    }
  }
}

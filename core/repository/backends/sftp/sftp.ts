import { posix } from 'node:path';
import { Failure } from '../../../failure.ts';
import { exactRange } from '../../../manifest/read/random-access.ts';
import { SAFETY_AGE } from '../../safety-age.ts';
import type { Lack, ObjectInfo, ObjectWriter, Occupation, Store, WriteMode } from '../backend.ts';
import { INCOMING, incomingOf, isContents, TRIAL_FILE } from '../incoming.ts';
import { missingObject, tooLong } from '../object-failures.ts';
import { checkObjectName, isObjectName } from '../object-name.ts';
import { type Patience, USUAL_PATIENCE } from '../retry.ts';
import { SftpConnection, type SftpLocation, type SftpSettings } from './connection.ts';
import { RemoteFiles, type RemoteHandle } from './remote-files.ts';
import { Status, statusOf } from './sftp-failure.ts';
import { SftpWriter } from './sftp-writer.ts';

/** Packs are read frame by frame: those that were read last stay open. */
const OPEN_FILES = 16;

/** The place that a location names. Nothing is asked of it yet. */
export function openSftp(location: SftpLocation, settings: SftpSettings, patience: Patience): SftpBackend {
  return new SftpBackend(new SftpConnection(location, settings), patience);
}

const FOLDERS_AT_ONCE = 8;

/** What follows where a server lacks a request that OpenSSH's has. */
const LACKS: readonly (Lack & { readonly extension: string })[] = [
  {
    ...{ extension: 'fsync@openssh.com', what: 'durable' },
    message: 'the server cannot be asked to put a file on its disk: a power failure there may cut what it has confirmed',
  },
  {
    ...{ extension: 'posix-rename@openssh.com', what: 'replace' },
    message: 'nothing can be put in the place of a damaged object at once: a repair removes it first',
  },
  { extension: 'statvfs@openssh.com', what: 'space', message: 'the server does not say how much room its disk has' },
];

interface OpenObject extends RemoteHandle {
  readonly size: number;
}

/** Objects as files on an SFTP server. */
export class SftpBackend implements Store {
  readonly description: string;
  readonly #files: RemoteFiles;
  readonly #patience: Patience;
  readonly #open = new Map<string, Promise<OpenObject>>();

  constructor(connection: SftpConnection, patience = USUAL_PATIENCE) {
    this.description = connection.description;
    this.#files = new RemoteFiles(connection);
    this.#patience = patience;
  }

  async inspect(): Promise<Occupation> {
    const status = await this.#files.statOnTheWay(this.#files.root);
    if (status === undefined) return 'absent';
    if (!status.isDirectory()) {
      throw new Failure('repository_missing', `${this.description} is not a folder`, { affected: [this.description] });
    }
    const names = (await this.#files.list(this.#files.root)).map(({ filename }) => filename);
    return names.some(isContents) ? 'occupied' : 'empty';
  }

  async prepare(): Promise<void> {
    await this.#files.makeRoot();
  }

  async lacking(): Promise<readonly Lack[]> {
    const offered = await this.#files.extensions();
    return LACKS.filter(({ extension }) => !offered.has(extension)).map(({ what, message }) => ({ what, message }));
  }

  async create(name: string, mode: WriteMode = 'new'): Promise<ObjectWriter> {
    const folder = posix.join(this.#files.root, ...incomingOf(checkObjectName(name)));
    return new SftpWriter(this.#files, folder, name, mode, () => this.#forget(name), this.#patience);
  }

  async read(name: string, offset = 0, length?: number): Promise<Buffer> {
    checkObjectName(name);
    const object = await this.#opened(name);
    const end = exactRange(name, object.size, offset, length);
    const bytes = await this.#files.read(name, object, offset, end - offset);
    // It was cut after it was opened.
    exactRange(name, offset + bytes.length, offset, end - offset);
    return bytes;
  }

  async readWhole(name: string, limit: number): Promise<Buffer> {
    checkObjectName(name);
    const { size } = await this.#opened(name);
    if (size > limit) throw tooLong(name, size, limit);
    return this.read(name, 0, size);
  }

  async #opened(name: string): Promise<OpenObject> {
    const known = this.#open.get(name);
    if (known !== undefined) {
      const object = await known.catch(() => undefined);
      if (object !== undefined && this.#files.isUsable(object)) return object;
      this.#open.delete(name);
    }
    const opening = this.#openObject(name);
    this.#open.set(name, opening);
    const [oldest] = this.#open.keys();
    if (this.#open.size > OPEN_FILES && oldest !== undefined) this.#forget(oldest);
    return await opening;
  }

  #forget(name: string): void {
    const known = this.#open.get(name);
    this.#open.delete(name);
    void known?.then(
      (object) => this.#files.close(object),
      () => {},
    );
  }

  async #openObject(name: string): Promise<OpenObject> {
    const path = this.#files.pathOf(name);
    const opening = this.#files.open(path, 'r');
    opening.catch(() => {});
    const size = await this.#files.size(path);
    if (size === undefined) {
      void opening.then((handle) => this.#files.close(handle)).catch(() => {});
      throw missingObject(name);
    }
    try {
      return { ...(await opening), size };
    } catch (error) {
      if (statusOf((error as Failure).cause) === Status.missing) throw missingObject(name);
      throw error;
    }
  }

  async size(name: string): Promise<number | undefined> {
    checkObjectName(name);
    return await this.#files.size(this.#files.pathOf(name));
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1).replace(/\/$/, '');
    if (folder !== '') checkObjectName(folder);
    for await (const object of this.#walk(folder)) if (object.name.startsWith(prefix)) yield object;
  }

  /** One level after the other; several folders of a level are asked for at once. */
  async *#walk(top: string): AsyncGenerator<ObjectInfo> {
    const folders = [top];
    while (folders.length > 0) {
      const some = folders.splice(0, FOLDERS_AT_ONCE);
      const listed = await Promise.all(some.map((folder) => this.#files.list(this.#files.pathOf(folder))));
      for (const [index, entries] of listed.entries()) {
        for (const { filename, attrs } of entries) {
          const name = some[index] === '' ? filename : `${some[index]}/${filename}`;
          if (!isObjectName(name)) continue;
          if (attrs.isFile()) yield { name, size: attrs.size, modified: attrs.mtime * 1000 };
          else if (attrs.isDirectory()) folders.push(name);
        }
      }
    }
  }

  async folders(folder: string): Promise<string[]> {
    checkObjectName(folder);
    const entries = await this.#files.list(this.#files.pathOf(folder));
    return entries.filter(({ filename, attrs }) => attrs.isDirectory() && isObjectName(filename)).map(({ filename }) => filename);
  }

  async remove(name: string): Promise<void> {
    checkObjectName(name);
    this.#forget(name);
    await this.#files.remove(this.#files.pathOf(name));
  }

  async removeFolder(folder: string, before: number): Promise<void> {
    checkObjectName(folder);
    const path = this.#files.pathOf(folder);
    const status = await this.#files.stat(path);
    if (status?.isDirectory() !== true || status.mtime * 1000 >= before) return;
    for (const name of await this.folders(folder)) await this.removeFolder(`${folder}/${name}`, before);
    if ((await this.#files.list(path)).length === 0) await this.#files.removeFolder(path);
  }

  async tryWriting(folder: string): Promise<void> {
    checkObjectName(folder);
    const incoming = posix.join(this.#files.root, folder, INCOMING);
    // Always the same: where nothing may be deleted it stays, and no second one comes.
    const file = posix.join(incoming, TRIAL_FILE);
    const handle = await this.#files.inFolder(incoming, () => this.#files.open(file, 'w'));
    try {
      await this.#files.write(handle, Buffer.alloc(4096), 0);
    } finally {
      await this.#files.close(handle);
      await this.#dropUnfinished(file);
    }
  }

  space(): Promise<{ free: number; size: number } | undefined> {
    return this.#files.space();
  }

  discardAbandoned(before: number): Promise<number> {
    return this.#discard(posix.join(this.#files.root, INCOMING), before);
  }

  /** Nobody can tell from here whether it is still being written: what is a day old is not. */
  async discardUnfinished(folder: string): Promise<number> {
    checkObjectName(folder);
    return this.#discard(posix.join(this.#files.root, folder, INCOMING), Date.now() - SAFETY_AGE);
  }

  async #discard(folder: string, before: number): Promise<number> {
    let count = 0;
    for (const { filename, attrs } of await this.#files.list(folder)) {
      if (!attrs.isFile() || attrs.mtime * 1000 >= before) continue;
      if (await this.#dropUnfinished(posix.join(folder, filename))) count++;
    }
    return count;
  }

  /** Whether the server let it go: one on which nothing may be deleted keeps it. */
  async #dropUnfinished(path: string): Promise<boolean> {
    try {
      await this.#files.remove(path);
      return true;
    } catch (error) {
      if (statusOf((error as Failure).cause) === Status.denied) return false;
      throw error;
    }
  }
}

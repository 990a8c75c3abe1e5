import { fsyncSync } from 'node:fs';
import { makeDurableFolder } from '../../config/durable-folder.ts';
import { untrusted } from '../../config/trusted-place.ts';
import { breath, isBreathDue } from '../../context/breath.ts';
import { Failure } from '../../failure.ts';
import { readNames } from '../../linux/directories.ts';
import { FileBytes } from '../../linux/file-bytes.ts';
import { closeDescriptor, forgetCached, openAt, removeDirectoryAt } from '../../linux/files.ts';
import { O_NONBLOCK, O_RDONLY } from '../../linux/flags.ts';
import { tryLock } from '../../linux/locks.ts';
import { freeSpace } from '../../linux/space.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { RandomAccess } from '../../manifest/read/random-access.ts';
import type { Backend, ObjectInfo, ObjectWriter, Occupation, WriteMode } from './backend.ts';
import { INCOMING, isContents } from './incoming.ts';
import { localFailure } from './local-failure.ts';
import { isMissing, LocalRoot, openFolder } from './local-folder.ts';
import { LocalWriter, removeIfThere } from './local-writer.ts';
import { missingObject, tooLong } from './object-failures.ts';
import { checkObjectName } from './object-name.ts';

const OTHERS_MAY_WRITE = 0o022;
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

/** Objects as files below a directory that nobody but root can write to. */
export class LocalBackend implements Backend {
  readonly description: string;
  readonly #root: LocalRoot;

  /** `root` is an absolute path. */
  constructor(root: string) {
    this.#root = new LocalRoot(root);
    this.description = root;
  }

  async inspect(): Promise<Occupation> {
    let root: number;
    try {
      root = this.#root.open();
    } catch (error) {
      if (isMissing(error)) return 'absent';
      if (errorCode(error) === 'ENOTDIR') {
        throw new Failure('repository_missing', `${this.description} is not a directory`, { affected: [this.description], cause: error });
      }
      throw localFailure(this.description, error);
    }
    try {
      this.#checkPrivate(root);
      return readNames(root).some(isContents) ? 'occupied' : 'empty';
    } finally {
      closeDescriptor(root);
    }
  }

  /** Whoever can put objects there decides what a restore writes as root. */
  #checkPrivate(root: number): void {
    const status = new StatBuffer();
    statDescriptor(root, status);
    const user = process.geteuid?.();
    if (status.uid !== user) {
      const message = `${this.description} belongs to the user ${status.uid}, and this program runs as the user ${user}`;
      const advice = user === 0 ? 'Make root its owner.' : 'Run this as root.';
      throw new Failure(user === 0 ? 'repository_foreign' : 'not_root', message, { affected: [this.description], advice });
    }
    if ((status.mode & OTHERS_MAY_WRITE) === 0) {
      const weak = untrusted(this.description);
      if (weak === undefined) return;
      throw new Failure(
        'repository_foreign',
        `others could put another folder in the place of ${this.description}: ${weak.place}: ${weak.reason}`,
        {
          affected: [weak.place],
          advice: 'Make root the owner of every folder above the repository, and take the write permission from group and others.',
        },
      );
    }
    throw new Failure('repository_foreign', `others than its owner can write to ${this.description}`, {
      affected: [this.description],
      advice: 'Take the write permission from group and others.',
    });
  }

  async prepare(): Promise<void> {
    try {
      makeDurableFolder(this.description);
    } catch (error) {
      throw localFailure(this.description, error);
    }
  }

  async create(name: string, mode: WriteMode = 'new'): Promise<ObjectWriter> {
    const components = checkObjectName(name);
    try {
      return new LocalWriter(this.#root, components, mode);
    } catch (error) {
      throw localFailure(name, error);
    }
  }

  /** Calls `action` with an open folder; undefined when there is no such folder. */
  #inFolder<T>(components: readonly string[], action: (folder: number) => T): T | undefined {
    let folder: number | undefined;
    try {
      folder = openFolder(this.#root, components, false);
      return folder === undefined ? undefined : action(folder);
    } catch (error) {
      throw error instanceof Failure ? error : localFailure(components.join('/'), error);
    } finally {
      if (folder !== undefined) closeDescriptor(folder);
    }
  }

  /** Calls `action` with the open folder of an object and the object's last component. */
  #inFolderOf<T>(name: string, action: (folder: number, last: string) => T): T | undefined {
    const components = checkObjectName(name);
    return this.#inFolder(components.slice(0, -1), (folder) => action(folder, components.at(-1) as string));
  }

  openDirectly(name: string): RandomAccess {
    return this.#openObject(name);
  }

  #openObject(name: string): FileBytes {
    const access = this.#inFolderOf(name, (folder, last) => {
      try {
        return new FileBytes(openAt(folder, last, O_RDONLY | O_NONBLOCK), name);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
    if (access === undefined) throw missingObject(name);
    return access;
  }

  forgetCached(name: string): void {
    const access = this.#openObject(name);
    forgetCached(access.descriptor);
    access.close();
  }

  async read(name: string, offset = 0, length?: number): Promise<Buffer> {
    if (isBreathDue()) await breath();
    const access = this.openDirectly(name);
    try {
      return access.read(offset, length ?? access.size - offset);
    } catch (error) {
      throw error instanceof Failure ? error : localFailure(name, error);
    } finally {
      access.close();
    }
  }

  async readWhole(name: string, limit: number): Promise<Buffer> {
    if (isBreathDue()) await breath();
    const access = this.openDirectly(name);
    try {
      if (access.size > limit) throw tooLong(name, access.size, limit);
      return access.read(0, access.size);
    } catch (error) {
      throw error instanceof Failure ? error : localFailure(name, error);
    } finally {
      access.close();
    }
  }

  async size(name: string): Promise<number | undefined> {
    if (isBreathDue()) await breath();
    return this.#inFolderOf(name, (folder, last) => {
      const status = new StatBuffer();
      return statAt(folder, last, status) && status.isFile ? status.size : undefined;
    });
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    for (const object of this.#walk(folder === '' ? [] : checkObjectName(folder.slice(0, -1)))) {
      if (isBreathDue()) await breath();
      if (object.name.startsWith(prefix)) yield object;
    }
  }

  *#walk(components: readonly string[]): Generator<ObjectInfo> {
    const level = this.#readFolder(components);
    yield* level.objects;
    for (const name of level.folders) yield* this.#walk([...components, name]);
  }

  async folders(folder: string): Promise<string[]> {
    if (isBreathDue()) await breath();
    return this.#readFolder(checkObjectName(folder)).folders;
  }

  #readFolder(components: readonly string[]): { objects: ObjectInfo[]; folders: string[] } {
    const objects: ObjectInfo[] = [];
    const folders: string[] = [];
    this.#inFolder(components, (folder) => {
      const status = new StatBuffer();
      for (const name of readNames(folder)) {
        // Hidden names are not objects; an entry that vanished since was removed by somebody else.
        if (name.startsWith('.') || !statAt(folder, name, status)) continue;
        const modified = Number(status.mtime / NANOSECONDS_PER_MILLISECOND);
        if (status.isDirectory) folders.push(name);
        else if (status.isFile) objects.push({ name: [...components, name].join('/'), size: status.size, modified });
      }
    });
    return { objects, folders };
  }

  async remove(name: string): Promise<void> {
    if (isBreathDue()) await breath();
    this.#inFolderOf(name, (folder, last) => {
      removeIfThere(folder, last);
      fsyncSync(folder);
    });
  }

  async removeFolder(folder: string, before: number): Promise<void> {
    const status = new StatBuffer();
    const limit = BigInt(Math.trunc(before)) * NANOSECONDS_PER_MILLISECOND;
    // Before what is in it goes, which changes it.
    const isOld = this.#inFolderOf(folder, (parent, name) => statAt(parent, name, status) && status.isDirectory && status.mtime < limit);
    if (isOld !== true) return;
    for (const name of this.#readFolder(checkObjectName(folder)).folders) await this.removeFolder(`${folder}/${name}`, before);
    this.#inFolderOf(folder, removeIfEmpty);
  }

  async space(): Promise<{ free: number; size: number }> {
    const root = this.#root.open();
    try {
      const { bytes: free, size } = freeSpace(root);
      return { free, size };
    } finally {
      closeDescriptor(root);
    }
  }

  async discardAbandoned(before: number): Promise<number> {
    const limit = BigInt(Math.trunc(before)) * NANOSECONDS_PER_MILLISECOND;
    return this.#discard([INCOMING], ({ mtime }) => mtime < limit) + this.#discardNeverBegun(limit);
  }

  /** The folders of owners in which nothing was ever stored: whoever was stopped so early does not know that it was it. */
  #discardNeverBegun(limit: bigint): number {
    let count = 0;
    for (const top of this.#readFolder([]).folders) {
      for (const owner of this.#readFolder([top]).folders) {
        const folder = [top, owner];
        if (this.#inFolder(folder, (descriptor) => isNeverBegun(descriptor, limit)) !== true) continue;
        count += this.#discard([...folder, INCOMING], ({ mtime }) => mtime < limit);
        this.#inFolder(folder, (descriptor) => removeIfEmpty(descriptor, INCOMING));
        this.#inFolder([top], (descriptor) => removeIfEmpty(descriptor, owner));
      }
    }
    return count;
  }

  async discardUnfinished(folder: string): Promise<number> {
    return this.#discard([...checkObjectName(folder), INCOMING], () => true);
  }

  #discard(components: readonly string[], isOld: (status: StatBuffer) => boolean): number {
    const status = new StatBuffer();
    let count = 0;
    this.#inFolder(components, (folder) => {
      for (const name of readNames(folder)) {
        if (!statAt(folder, name, status) || !status.isFile || !isOld(status)) continue;
        if (removeUnlessHeld(folder, name)) count++;
      }
    });
    return count;
  }
}

/** Whether an owner's folder holds nothing but unfinished objects, of which the last was begun before `limit`. */
function isNeverBegun(folder: number, limit: bigint): boolean {
  const status = new StatBuffer();
  const names = readNames(folder);
  if (names.length !== 1 || names[0] !== INCOMING) return false;
  return statAt(folder, INCOMING, status) && status.isDirectory && status.mtime < limit;
}

function removeIfEmpty(parent: number, name: string): void {
  try {
    removeDirectoryAt(parent, name);
  } catch (error) {
    if (!isMissing(error) && errorCode(error) !== 'ENOTEMPTY') throw error;
  }
}

/**
 * Removes a file that nobody is writing any more, and says whether it did. While it is removed the lock is held: who has just made the file
 * and not locked it yet sees that by the lock, or afterwards by the missing name, and takes another one.
 */
function removeUnlessHeld(folder: number, name: string): boolean {
  let descriptor: number;
  try {
    descriptor = openAt(folder, name, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  try {
    if (!tryLock(descriptor)) return false;
    removeIfThere(folder, name);
    return true;
  } finally {
    closeDescriptor(descriptor);
  }
}

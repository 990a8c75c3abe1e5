import { posix } from 'node:path';
import type { FileEntryWithStats, SFTPWrapper, Stats } from 'ssh2';
import { Failure } from '../../../failure.ts';
import { nameTaken } from '../object-failures.ts';
import { isEntries, isHandle, isSpace, isStats } from './answers.ts';
import type { SftpConnection } from './connection.ts';
import { type Callback, Requests } from './requests.ts';
import { diskFull, isNotOffered, Status, statusOf } from './sftp-failure.ts';

/** In bytes; what every server gives in one answer. */
const PIECE = 32 * 1024;
const UNDER_WAY = 64;
/** More names than a folder of a repository ever has; and answers without one, of which there should be none. */
const MOST_NAMES = 2_000_000;
const MOST_EMPTY = 20;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** An open file, which ends with the connection that it was opened on. */
export interface RemoteHandle {
  readonly sftp: SFTPWrapper;
  readonly handle: Buffer;
}

/** As the library has it, and its types have not. */
type ReadFolder = (
  handle: Buffer,
  options: { readonly full: true },
  answer: (error: Error | undefined, entries?: FileEntryWithStats[]) => void,
) => void;

function isOpen(answer: unknown): answer is RemoteHandle {
  return isHandle((answer as RemoteHandle).handle);
}

/** Files on an SFTP server. Every call throws what `sftpFailure` makes of the answer. */
export class RemoteFiles {
  /** The folder of the repository. */
  readonly root: string;
  readonly #requests: Requests;
  readonly #folders = new Map<string, Promise<void>>();
  #mayRename = true;

  constructor(connection: SftpConnection) {
    this.root = connection.root;
    this.#requests = new Requests(connection);
  }

  /** Where an object is. */
  pathOf(name: string): string {
    return posix.join(this.root, name);
  }

  isUsable({ sftp }: RemoteHandle): boolean {
    return this.#requests.isCurrent(sftp);
  }

  open(path: string, flags: 'r' | 'r+' | 'w'): Promise<RemoteHandle> {
    return this.#requests.ask(path, isOpen, (sftp, answer) => {
      sftp.open(path, flags === 'w' ? 'w' : flags, FILE_MODE, (error, handle) => answer(error, { sftp, handle }));
    });
  }

  async write({ sftp, handle }: RemoteHandle, piece: Buffer, position: number): Promise<void> {
    try {
      await this.#requests.tell('a write', (_, done) => sftp.write(handle, piece, 0, piece.length, position, done), sftp);
    } catch (error) {
      if (statusOf((error as Failure).cause) === Status.failure && (await this.#isFull(sftp))) throw diskFull(error);
      throw error;
    }
  }

  /** Whether the server says that its disk has no room, where it can be asked. */
  async #isFull(sftp: SFTPWrapper): Promise<boolean> {
    return (await this.space(sftp).catch(() => undefined))?.free === 0;
  }

  /** What the server's disk has free and holds in all, in bytes; undefined where it cannot be asked. `on`: on this connection alone. */
  async space(on?: SFTPWrapper): Promise<{ free: number; size: number } | undefined> {
    try {
      const { f_bavail, f_blocks, f_frsize } = await this.#requests.ask(
        this.root,
        isSpace,
        (sftp, answer) => sftp.ext_openssh_statvfs(this.root, answer as never),
        on,
      );
      // Some tell of no disk at all.
      return f_blocks > 0 ? { free: f_bavail * f_frsize, size: f_blocks * f_frsize } : undefined;
    } catch (error) {
      if (isUnsupported(error)) return undefined;
      throw error;
    }
  }

  /** The requests beyond the protocol's own that the server said it takes: by what the library itself goes. */
  async extensions(): Promise<ReadonlySet<string>> {
    let names: string[] = [];
    await this.#requests.tell('the server', (sftp, done) => {
      names = Object.keys((sftp as unknown as { readonly _extensions?: object })._extensions ?? {});
      done(undefined);
    });
    return new Set(names);
  }

  /** Makes a file durable where the server can be asked to. */
  async flush({ sftp, handle }: RemoteHandle): Promise<void> {
    try {
      await this.#requests.tell('a flush', (_, done) => sftp.ext_openssh_fsync(handle, done), sftp);
    } catch (error) {
      if (!isUnsupported(error)) throw error;
    }
  }

  /** Never fails: what ends is not used any more. */
  async close({ sftp, handle }: RemoteHandle): Promise<void> {
    if (!this.#requests.isCurrent(sftp)) return;
    await this.#requests.tell('a file', (_, done) => sftp.close(handle, done), sftp).catch(() => {});
  }

  /** Exactly `length` bytes, or fewer where the file ends; several requests are under way at once. */
  async read(path: string, { sftp, handle }: RemoteHandle, offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let next = 0;
    let end = length;
    const fetch = async (): Promise<void> => {
      while (next < end) {
        const begin = next;
        const stop = Math.min(begin + PIECE, length);
        // The others begin behind it.
        next = stop;
        for (let at = begin; at < stop; ) {
          const count = await this.#readPiece(path, sftp, handle, bytes, at, stop - at, offset + at);
          if (count === 0) {
            end = Math.min(end, at);
            return;
          }
          at += count;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(UNDER_WAY, Math.ceil(length / PIECE)) }, fetch));
    return bytes.subarray(0, end);
  }

  /** How many bytes came; 0 at the end of the file. */
  async #readPiece(
    path: string,
    sftp: SFTPWrapper,
    handle: Buffer,
    bytes: Buffer,
    at: number,
    length: number,
    position: number,
  ): Promise<number> {
    return this.#requests.ask(
      path,
      (count): count is number => typeof count === 'number' && count >= 0 && count <= length,
      (_, answer) => {
        sftp.read(handle, bytes, at, length, position, (error, count) => {
          if (statusOf(error) === Status.end) answer(undefined, 0);
          else answer(error ?? undefined, count);
        });
      },
      sftp,
    );
  }

  /** Undefined when nothing is there. */
  stat(path: string): Promise<Stats | undefined> {
    return this.#stat(path, (sftp, answer) => sftp.lstat(path, answer as never));
  }

  /** The same of what a link leads to: of the way to the repository, which is the administrator's. Below that links lead nowhere. */
  statOnTheWay(path: string): Promise<Stats | undefined> {
    return this.#stat(path, (sftp, answer) => sftp.stat(path, answer as never));
  }

  async #stat(path: string, send: (sftp: SFTPWrapper, answer: Callback<unknown>) => void): Promise<Stats | undefined> {
    try {
      return await this.#requests.ask(path, isStats, send);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Of a regular file, in bytes; undefined when there is none. */
  async size(path: string): Promise<number | undefined> {
    const status = await this.stat(path);
    return status?.isFile() === true ? status.size : undefined;
  }

  /** What is in a folder; nothing when it is missing. */
  async list(path: string): Promise<FileEntryWithStats[]> {
    try {
      return await this.#list(path);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async #list(path: string): Promise<FileEntryWithStats[]> {
    const folder = await this.#requests.ask(path, isOpen, (sftp, answer) => {
      sftp.opendir(path, (error, handle) => answer(error, { sftp, handle }));
    });
    try {
      const entries: FileEntryWithStats[] = [];
      for (let empty = 0; entries.length <= MOST_NAMES && empty <= MOST_EMPTY; ) {
        // The last answer says nothing but that it is the last: it is asked for along with the one before.
        for (const more of await Promise.all([this.#nextEntries(path, folder), this.#nextEntries(path, folder)])) {
          if (more === undefined) return entries;
          if (more.length === 0) empty++;
          for (const entry of more) if (entry.filename !== '.' && entry.filename !== '..') entries.push(entry);
        }
      }
      throw new Failure('repository_refused', `${path}: the server lists without an end`, { affected: [path] });
    } finally {
      void this.close(folder);
    }
  }

  /** The entries of one answer; undefined after the last. */
  async #nextEntries(path: string, { sftp, handle }: RemoteHandle): Promise<FileEntryWithStats[] | undefined> {
    return this.#requests.ask(
      path,
      (answer): answer is FileEntryWithStats[] | undefined => answer === undefined || isEntries(answer),
      (_, answer) => {
        // The library, left to itself, leaves two names out, and fails when there are none.
        (sftp.readdir as unknown as ReadFolder).call(sftp, handle, { full: true }, (error, entries) => {
          if (statusOf(error) === Status.end) answer(undefined, undefined);
          else answer(error ?? undefined, entries ?? null);
        });
      },
      sftp,
    );
  }

  /** Makes a folder and those above it, down from the repository's, which is not made: it can be on a disk that is not there. */
  makeFolder(path: string): Promise<void> {
    if (path === this.root) return Promise.resolve();
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const making = this.#makeAll(path);
    this.#folders.set(path, making);
    making.catch(() => this.#folders.delete(path));
    return making;
  }

  /**
   * All of them are asked for at once, and then whether the last is there: a server does what is asked of it in its order. Where it is not, one after the
   * other tells why.
   */
  async #makeAll(path: string): Promise<void> {
    const missing: string[] = [];
    for (let each = path; each !== this.root && each !== '/' && !this.#folders.has(each); each = posix.dirname(each)) missing.unshift(each);
    const make = (each: string) => this.#requests.tell(each, (sftp, done) => sftp.mkdir(each, { mode: FOLDER_MODE }, done));
    const asked = missing.map((each) => make(each).catch(() => {}));
    const status = await this.stat(path);
    await Promise.all(asked);
    if (status?.isDirectory() === true) return;
    for (const each of missing) await this.#make(each);
  }

  /** Does something in a folder, which is made where it is missing: who prunes elsewhere removes folders in which nothing is. */
  async inFolder<T>(path: string, action: () => Promise<T>): Promise<T> {
    await this.makeFolder(path);
    try {
      return await action();
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#folders.clear();
      await this.makeFolder(path);
      return action();
    }
  }

  /** Makes the folder of the repository and those above it. */
  async makeRoot(path = this.root): Promise<void> {
    const there = await this.statOnTheWay(path);
    if (there?.isDirectory() === true) return;
    if (there !== undefined) throw new Failure('repository_foreign', `${path} on the server is no folder`, { affected: [path] });
    if (path !== '/') await this.makeRoot(posix.dirname(path));
    await this.#make(path);
  }

  async #make(path: string): Promise<void> {
    try {
      await this.#requests.tell(path, (sftp, done) => sftp.mkdir(path, { mode: FOLDER_MODE }, done));
    } catch (error) {
      // It was there, or somebody else was quicker.
      if ((await this.stat(path))?.isDirectory() !== true) throw error;
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await this.#requests.tell(path, (sftp, done) => sftp.unlink(path, done));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async removeFolder(path: string): Promise<void> {
    await this.#requests.tell(path, (sftp, done) => sftp.rmdir(path, done));
    this.#folders.delete(path);
  }

  /**
   * Gives a file the name of an object, which must be free; tells whether it still has the one that it had. A rename of this version of SFTP replaces
   * nothing (section 6.5); where the server permits none, a further name does the same.
   */
  async publish(from: string, to: string, name: string): Promise<'renamed' | 'linked'> {
    if (this.#mayRename) {
      try {
        await this.#requests.tell(name, (sftp, done) => sftp.rename(from, to, done));
        return 'renamed';
      } catch (error) {
        // Some say that it failed, others that it is there (11 in later versions of the protocol).
        const status = statusOf((error as Failure).cause);
        if (status !== undefined && status !== Status.denied && (await this.size(to)) !== undefined) throw nameTaken(name);
        if (status !== Status.denied) throw error;
        this.#mayRename = false;
      }
    }
    try {
      await this.#requests.tell(name, (sftp, done) => sftp.ext_openssh_hardlink(from, to, done));
      return 'linked';
    } catch (error) {
      if (statusOf((error as Failure).cause) === Status.failure && (await this.size(to)) !== undefined) throw nameTaken(name);
      throw error;
    }
  }

  /** Gives a file the name of an object, whatever has it. After a lost answer the file may have it already. */
  async replace(from: string, to: string, name: string): Promise<void> {
    if ((await this.size(from)) === undefined && (await this.size(to)) !== undefined) return;
    try {
      await this.#requests.tell(name, (sftp, done) => sftp.ext_openssh_rename(from, to, done));
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      // It cannot be done at once there. What is replaced was damaged, and what comes is whole.
      await this.remove(to);
      await this.publish(from, to, name);
    }
  }

  /** Whether two files have the same bytes: asked only after an answer was lost. */
  async haveSameBytes(one: string, other: string): Promise<boolean> {
    const size = await this.size(one);
    if (size === undefined || size !== (await this.size(other))) return false;
    const [first, second] = [await this.open(one, 'r'), await this.open(other, 'r')];
    try {
      for (let at = 0; at < size; at += PIECE * UNDER_WAY) {
        const length = Math.min(PIECE * UNDER_WAY, size - at);
        if (!(await this.read(one, first, at, length)).equals(await this.read(other, second, at, length))) return false;
      }
      return true;
    } finally {
      await this.close(first);
      await this.close(second);
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Failure && statusOf(error.cause) === Status.missing;
}

function isUnsupported(error: unknown): boolean {
  return error instanceof Failure && (statusOf(error.cause) === Status.unsupported || isNotOffered(error.cause));
}

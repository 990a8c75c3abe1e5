import { posix } from 'node:path';
import type { FileEntryWithStats, SFTPWrapper, Stats } from 'ssh2';
import { Failure } from '../../../failure.ts';
import { nameTaken } from '../object-failures.ts';
import { isEntries, isHandle, isSpace, isStats, strangeAnswer } from './answers.ts';
import type { Session, SftpConnection } from './connection.ts';
import { diskFull, Status, sftpFailure, statusOf } from './sftp-failure.ts';

/** In bytes; what every server gives in one answer. */
const PIECE = 32 * 1024;
const UNDER_WAY = 64;
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** An open file, which ends with the connection that it was opened on. */
export interface RemoteHandle {
  readonly sftp: SFTPWrapper;
  readonly handle: Buffer;
}

/** A session, and those who wait for an answer on it: all hear when it ends. */
interface OpenSession extends Session {
  readonly waiting: Set<(error: Error) => void>;
}

function isNothing(_: unknown): _ is undefined {
  return true;
}

function isOpen(answer: unknown): answer is RemoteHandle {
  return isHandle((answer as RemoteHandle).handle);
}

type Callback<T> = (error: Error | undefined, value: T) => void;

/** Files on an SFTP server. Every call throws what `sftpFailure` makes of the answer. */
export class RemoteFiles {
  readonly #connection: SftpConnection;
  readonly #folders = new Set<string>();
  #current: OpenSession | undefined;
  #mayRename = true;

  constructor(connection: SftpConnection) {
    this.#connection = connection;
  }

  get root(): string {
    return this.#connection.root;
  }

  /** Where an object is. */
  pathOf(name: string): string {
    return posix.join(this.root, name);
  }

  isUsable({ sftp }: RemoteHandle): boolean {
    return sftp === this.#current?.sftp;
  }

  /** Sends one request, and looks whether it is answered; rejects also when the connection ends before that. */
  async #ask<T>(
    what: string,
    isAnswer: (answer: unknown) => answer is T,
    send: (sftp: SFTPWrapper, answer: Callback<unknown>) => void,
    on?: SFTPWrapper,
  ): Promise<T> {
    const { sftp, socket, waiting } = await this.#session(what, on);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    if (waiting.size === 0) socket.ref();
    waiting.add(reject);
    try {
      send(sftp, (error, value) => (error === undefined || error === null ? resolve(value) : reject(error)));
      const answer = await promise;
      if (!isAnswer(answer)) throw strangeAnswer(what);
      return answer;
    } catch (error) {
      throw sftpFailure(what, error);
    } finally {
      waiting.delete(reject);
      // An idle connection does not keep the program from ending.
      if (waiting.size === 0) socket.unref();
    }
  }

  /** Sends a request that is answered with nothing but whether it was done. */
  #tell(what: string, send: (sftp: SFTPWrapper, done: (error?: Error | null) => void) => void, on?: SFTPWrapper): Promise<void> {
    return this.#ask(what, isNothing, (sftp, answer) => send(sftp, (error) => answer(error ?? undefined, undefined)), on);
  }

  /** The session as it is now, or the one that a file was opened on: when that has ended, so has the file. */
  async #session(what: string, on: SFTPWrapper | undefined): Promise<OpenSession> {
    if (on !== undefined) {
      if (this.#current?.sftp === on) return this.#current;
      throw sftpFailure(what, new Error('the connection was closed'));
    }
    const { sftp, socket } = await this.#connection.session();
    if (this.#current?.sftp === sftp) return this.#current;
    const waiting = new Set<(error: Error) => void>();
    this.#current = { sftp, socket, waiting };
    sftp.once('close', () => {
      if (this.#current?.sftp === sftp) this.#current = undefined;
      for (const reject of waiting) reject(new Error('the connection was closed'));
    });
    return this.#current;
  }

  open(path: string, flags: 'r' | 'r+' | 'w'): Promise<RemoteHandle> {
    return this.#ask(path, isOpen, (sftp, answer) => {
      sftp.open(path, flags === 'w' ? 'w' : flags, FILE_MODE, (error, handle) => answer(error, { sftp, handle }));
    });
  }

  async write({ sftp, handle }: RemoteHandle, piece: Buffer, position: number): Promise<void> {
    try {
      await this.#tell('a write', (_, done) => sftp.write(handle, piece, 0, piece.length, position, done), sftp);
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
      const { f_bavail, f_blocks, f_frsize } = await this.#ask(
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

  /** Makes a file durable where the server can be asked to. */
  async flush({ sftp, handle }: RemoteHandle): Promise<void> {
    try {
      await this.#tell('a flush', (_, done) => sftp.ext_openssh_fsync(handle, done), sftp);
    } catch (error) {
      if (!isUnsupported(error)) throw error;
    }
  }

  /** Never fails: what ends is not used any more. */
  async close({ sftp, handle }: RemoteHandle): Promise<void> {
    if (sftp !== this.#current?.sftp) return;
    await this.#tell('a file', (_, done) => sftp.close(handle, done), sftp).catch(() => {});
  }

  /** Exactly `length` bytes, or fewer where the file ends; several requests are under way at once. */
  async read(path: string, { sftp, handle }: RemoteHandle, offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let next = 0;
    let end = length;
    const fetch = async (): Promise<void> => {
      while (next < end) {
        const begin = next;
        next = Math.min(begin + PIECE, length);
        for (let at = begin; at < next; ) {
          const count = await this.#readPiece(path, sftp, handle, bytes, at, Math.min(next, length) - at, offset + at);
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
    return this.#ask(
      path,
      (count): count is number => typeof count === 'number' && count >= 0 && count <= length,
      (_, answer) => {
        sftp.read(handle, bytes, at, length, position, (error, count) => {
          // The end of the file is an answer of its own (SSH_FX_EOF).
          if (statusOf(error) === 1) answer(undefined, 0);
          else answer(error ?? undefined, count);
        });
      },
      sftp,
    );
  }

  /** Undefined when nothing is there. */
  async stat(path: string): Promise<Stats | undefined> {
    try {
      return await this.#ask(path, isStats, (sftp, answer) => sftp.lstat(path, answer as never));
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
      return await this.#ask(path, isEntries, (sftp, answer) => sftp.readdir(path, answer as never));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** Makes a folder and those above it, down from the repository's, which is not made: it can be on a disk that is not there. */
  async makeFolder(path: string): Promise<void> {
    if (path === this.root || this.#folders.has(path)) return;
    await this.makeFolder(posix.dirname(path));
    await this.#make(path);
    this.#folders.add(path);
  }

  /** Makes the folder of the repository and those above it. */
  async makeRoot(path = this.root): Promise<void> {
    if ((await this.stat(path))?.isDirectory() === true) return;
    if (path !== '/') await this.makeRoot(posix.dirname(path));
    await this.#make(path);
  }

  async #make(path: string): Promise<void> {
    try {
      await this.#tell(path, (sftp, done) => sftp.mkdir(path, { mode: FOLDER_MODE }, done));
    } catch (error) {
      // It was there, or somebody else was quicker.
      if ((await this.stat(path))?.isDirectory() !== true) throw error;
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await this.#tell(path, (sftp, done) => sftp.unlink(path, done));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async removeFolder(path: string): Promise<void> {
    await this.#tell(path, (sftp, done) => sftp.rmdir(path, done));
    this.#folders.delete(path);
  }

  /**
   * Gives a file the name of an object, which must be free. A rename of this version of SFTP replaces nothing (section 6.5); where the server permits
   * none, a further name does the same.
   */
  async publish(from: string, to: string, name: string): Promise<void> {
    if (this.#mayRename) {
      try {
        await this.#tell(name, (sftp, done) => sftp.rename(from, to, done));
        return;
      } catch (error) {
        if (statusOf((error as Failure).cause) === Status.failure && (await this.size(to)) !== undefined) throw nameTaken(name);
        if (statusOf((error as Failure).cause) !== Status.denied) throw error;
        this.#mayRename = false;
      }
    }
    try {
      await this.#tell(name, (sftp, done) => sftp.ext_openssh_hardlink(from, to, done));
    } catch (error) {
      if (statusOf((error as Failure).cause) === Status.failure && (await this.size(to)) !== undefined) throw nameTaken(name);
      throw error;
    }
  }

  /** Gives a file the name of an object, whatever has it. After a lost answer the file may have it already. */
  async replace(from: string, to: string, name: string): Promise<void> {
    if ((await this.size(from)) === undefined && (await this.size(to)) !== undefined) return;
    await this.#tell(name, (sftp, done) => sftp.ext_openssh_rename(from, to, done));
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

/** Some extensions are not offered: the library throws before it asks. */
function isUnsupported(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  const { cause } = error;
  return statusOf(cause) === Status.unsupported || (cause instanceof Error && /does not support|not supported/i.test(cause.message));
}

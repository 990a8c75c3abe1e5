import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { crc32 } from 'node:zlib';
import { Failure } from '../../../failure.ts';
import type { ObjectWriter, WriteMode } from '../backend.ts';
import { nameTaken } from '../object-failures.ts';
import { type Patience, persistently } from '../retry.ts';
import type { RemoteFiles, RemoteHandle } from './remote-files.ts';
import { Status, statusOf } from './sftp-failure.ts';

/** What goes into one request, in bytes: every server takes this much (draft-ietf-secsh-filexfer-02, section 3). */
const PIECE = 32 * 1024;
const UNDER_WAY = 64;

/** A piece that was sent: where it begins, how long it is, and a sum by which it is known again. */
interface Piece {
  readonly position: number;
  readonly length: number;
  readonly sum: number;
}

/**
 * An object on its way: a file beside the objects that gets its name when it is whole. A lost connection is begun again, and goes on where it was: then what
 * had arrived before is compared, because a server that lost its power has confirmed what it does not have.
 */
export class SftpWriter implements ObjectWriter {
  readonly #files: RemoteFiles;
  readonly #name: string;
  readonly #temporary: string;
  readonly #mode: WriteMode;
  readonly #onReplaced: () => void;
  readonly #patience: Patience;
  readonly #underWay = new Set<Promise<void>>();
  readonly #pieces: Piece[] = [];
  #handle: Promise<RemoteHandle> | undefined;
  #length = 0;
  #wasMade = false;
  /** Whether the file may still have its first name. */
  #isThere = false;
  #wasLost = false;
  #failure: Failure | undefined;
  #isOpen = true;
  /** Whether an answer can have been lost by which the object got its name. */
  #mayBeDone = false;
  /** What stands under the name of the object, as it was asked for before. */
  #look: Promise<number | undefined> | undefined;

  /** `folder` is the one for what is being written, below the repository. */
  constructor(files: RemoteFiles, folder: string, name: string, mode: WriteMode, onReplaced: () => void, patience: Patience) {
    this.#onReplaced = onReplaced;
    this.#mode = mode;
    this.#files = files;
    this.#name = name;
    this.#temporary = posix.join(folder, randomBytes(12).toString('hex'));
    this.#patience = patience;
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new Failure('internal', `${this.#name} is not being written any more`);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The file that is written to: made the first time, and opened again on another connection. */
  async #open(): Promise<RemoteHandle> {
    const known = await this.#handle?.catch(() => undefined);
    if (known !== undefined && this.#files.isUsable(known)) return known;
    this.#wasLost ||= this.#wasMade;
    const opening = this.#wasMade ? this.#files.open(this.#temporary, 'r+') : this.#make();
    this.#handle = opening;
    return await opening;
  }

  async #make(): Promise<RemoteHandle> {
    const handle = await this.#files.inFolder(posix.dirname(this.#temporary), () => this.#files.open(this.#temporary, 'w'));
    this.#wasMade = true;
    this.#isThere = true;
    return handle;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkOpen();
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = Buffer.from(chunk.subarray(at, at + PIECE));
      const position = this.#length;
      this.#length += piece.length;
      this.#pieces.push({ position, length: piece.length, sum: crc32(piece) });
      // One after the other until the file is there: two must not make it.
      if (!this.#wasMade) await persistently(() => this.#open(), this.#patience);
      const sent = persistently(async () => this.#files.write(await this.#open(), piece, position), this.#patience).catch(
        (error: Failure) => {
          this.#failure ??= error;
        },
      );
      this.#underWay.add(sent);
      void sent.then(() => this.#underWay.delete(sent));
      while (this.#underWay.size >= UNDER_WAY) await Promise.race(this.#underWay);
      this.#checkOpen();
    }
  }

  async commit(): Promise<void> {
    this.#checkOpen();
    try {
      await persistently(() => this.#open(), this.#patience);
      await Promise.all(this.#underWay);
      this.#checkOpen();
      this.#lookAhead();
      await persistently(async () => this.#files.flush(await this.#open()), this.#patience);
      if (this.#wasLost) await this.#compare();
      await this.#giveName();
    } finally {
      await this.abort();
    }
  }

  /** What is needed to give the name is asked for along with the flush: each takes a way there and back. Whatever fails is asked for again. */
  #lookAhead(): void {
    const target = this.#files.pathOf(this.#name);
    this.#files.makeFolder(posix.dirname(target)).catch(() => {});
    this.#look = this.#files.size(target);
    this.#look.catch(() => {});
  }

  /** Reads what was sent, and throws `io_error` where something else is there. */
  async #compare(): Promise<void> {
    for (let at = 0; at < this.#pieces.length; at += UNDER_WAY) {
      const some = this.#pieces.slice(at, at + UNDER_WAY);
      const begin = some[0]?.position ?? 0;
      const length = some.reduce((sum, piece) => sum + piece.length, 0);
      const bytes = await persistently(async () => this.#files.read(this.#temporary, await this.#open(), begin, length), this.#patience);
      if (some.every((piece) => crc32(bytes.subarray(piece.position - begin, piece.position - begin + piece.length)) === piece.sum))
        continue;
      throw new Failure('io_error', `${this.#name}: when the server came back it had not all that it had confirmed`, {
        affected: [this.#name],
        advice: 'Run again: nothing of it was recorded.',
        retry: true,
      });
    }
  }

  /** A name that is taken is never given again. After a lost answer the files say whether it was given. */
  async #giveName(): Promise<void> {
    const target = this.#files.pathOf(this.#name);
    await persistently(() => this.#files.inFolder(posix.dirname(target), () => this.#publish(target)), this.#patience);
    if (this.#mode === 'replacing') this.#onReplaced();
  }

  async #publish(target: string): Promise<void> {
    if (this.#mode === 'replacing') return this.#files.replace(this.#temporary, target, this.#name);
    const look = this.#look ?? this.#files.size(target);
    this.#look = undefined;
    if ((await look) !== undefined) {
      if (this.#mayBeDone && (await this.#isThis(target))) return;
      throw nameTaken(this.#name);
    }
    this.#mayBeDone = true;
    if ((await this.#files.publish(this.#temporary, target, this.#name)) === 'renamed') this.#isThere = false;
  }

  /** Whether the object is what this writer wrote: its own file has become it, or has the same bytes. */
  async #isThis(target: string): Promise<boolean> {
    if ((await this.#files.size(this.#temporary)) === undefined) return true;
    return this.#files.haveSameBytes(this.#temporary, target);
  }

  async abort(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await Promise.all(this.#underWay);
    const handle = await this.#handle?.catch(() => undefined);
    if (handle !== undefined) void this.#files.close(handle);
    if (!this.#isThere) return;
    try {
      await this.#files.remove(this.#temporary);
    } catch (error) {
      // A server on which nothing may be deleted keeps it.
      if (statusOf((error as Failure).cause) !== Status.denied) throw error;
    }
  }
}

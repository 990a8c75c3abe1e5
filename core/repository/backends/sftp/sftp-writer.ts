import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { Failure } from '../../../failure.ts';
import type { ObjectWriter, WriteMode } from '../backend.ts';
import { nameTaken } from '../object-failures.ts';
import { type Patience, persistently } from '../retry.ts';
import type { RemoteFiles, RemoteHandle } from './remote-files.ts';
import { Status, statusOf } from './sftp-failure.ts';

/** What goes into one request, in bytes: every server takes this much (draft-ietf-secsh-filexfer-02, section 3). */
const PIECE = 32 * 1024;
const UNDER_WAY = 64;

/** An object on its way: a file beside the objects that gets its name when it is whole. A lost connection is begun again, and goes on where it was. */
export class SftpWriter implements ObjectWriter {
  readonly #files: RemoteFiles;
  readonly #name: string;
  readonly #temporary: string;
  readonly #mode: WriteMode;
  readonly #onReplaced: () => void;
  readonly #patience: Patience;
  readonly #underWay = new Set<Promise<void>>();
  #handle: Promise<RemoteHandle> | undefined;
  #length = 0;
  #wasMade = false;
  #failure: Failure | undefined;
  #isOpen = true;

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
    const opening = this.#wasMade ? this.#files.open(this.#temporary, 'r+') : this.#make();
    this.#handle = opening;
    return await opening;
  }

  async #make(): Promise<RemoteHandle> {
    await this.#files.makeFolder(posix.dirname(this.#temporary));
    const handle = await this.#files.open(this.#temporary, 'w');
    this.#wasMade = true;
    return handle;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkOpen();
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = Buffer.from(chunk.subarray(at, at + PIECE));
      const position = this.#length;
      this.#length += piece.length;
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
      await persistently(async () => this.#files.flush(await this.#open()), this.#patience);
      await this.#giveName();
    } finally {
      await this.abort();
    }
  }

  /** A name that is taken is never given again. After a lost answer the files say whether it was given. */
  async #giveName(): Promise<void> {
    await persistently(() => this.#files.makeFolder(posix.dirname(this.#files.pathOf(this.#name))), this.#patience);
    const target = this.#files.pathOf(this.#name);
    let mayBeDone = false;
    if (this.#mode === 'replacing') {
      await persistently(() => this.#files.replace(this.#temporary, target, this.#name), this.#patience);
      return this.#onReplaced();
    }
    return persistently(async () => {
      const there = await this.#files.size(target);
      if (there !== undefined) {
        if (mayBeDone && (await this.#isThis(target))) return;
        throw nameTaken(this.#name);
      }
      mayBeDone = true;
      await this.#files.publish(this.#temporary, target, this.#name);
    }, this.#patience);
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
    if (handle !== undefined) await this.#files.close(handle);
    if (!this.#wasMade) return;
    try {
      await this.#files.remove(this.#temporary);
    } catch (error) {
      // A server on which nothing may be deleted keeps it.
      if (statusOf((error as Failure).cause) !== Status.denied) throw error;
    }
  }
}

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Failure } from '../../../failure.ts';
import type { ObjectWriter, WriteMode } from '../backend.ts';
import { nameTaken } from '../object-failures.ts';
import { whileWanted } from '../operation.ts';
import { type Rclone, type RcloneChild, rcloneFailure } from './command.ts';

/** What else a writer needs of the place. */
interface Files {
  /** Undefined when nothing is there. */
  sizeOf(path: string): Promise<number | undefined>;
  remove(path: string): Promise<void>;
}

/** An object on its way: `rclone rcat` writes it under another name, and it is moved when it is whole. */
export class RcloneWriter implements ObjectWriter {
  readonly #rclone: Rclone;
  readonly #name: string;
  readonly #temporary: string;
  readonly #mode: WriteMode;
  readonly #files: Files;
  #child: RcloneChild | undefined;
  #length = 0;
  #isMoved = false;
  #isOpen = true;

  /** `folder` is the one for what is being written. */
  constructor(rclone: Rclone, folder: string, name: string, mode: WriteMode, files: Files) {
    this.#mode = mode;
    this.#rclone = rclone;
    this.#name = name;
    this.#temporary = `${folder}/${randomBytes(12).toString('hex')}`;
    this.#files = files;
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new Failure('internal', `${this.#name} is not being written any more`);
  }

  #start(): RcloneChild {
    const child = this.#rclone.start(['rcat', this.#rclone.place(this.#temporary)], 'pipe');
    // What it says when it ends is the error; a pipe that broke is what follows from it.
    child.stdin?.on('error', () => {});
    return child;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkOpen();
    this.#length += chunk.length;
    this.#child ??= this.#start();
    const child = this.#child;
    const { stdin } = child;
    if (stdin === null || stdin.destroyed) throw rcloneFailure(this.#name, await child);
    if (stdin.write(Buffer.from(chunk))) return;
    await whileWanted((signal) => {
      signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
      return Promise.race([once(stdin, 'drain').catch(() => {}), child]);
    });
    if (stdin.destroyed) throw rcloneFailure(this.#name, await child);
  }

  async commit(): Promise<void> {
    this.#checkOpen();
    try {
      this.#child ??= this.#start();
      this.#child.stdin?.end();
      const child = this.#child;
      const ended = await whileWanted(async (signal) => {
        signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
        return child;
      });
      if (ended.exitCode !== 0) throw rcloneFailure(this.#name, ended);
      const stored = await this.#files.sizeOf(this.#temporary);
      if (stored !== this.#length) {
        throw new Failure('io_error', `of ${this.#name} ${stored ?? 'no'} bytes arrived, ${this.#length} were sent`, {
          affected: [this.#name],
        });
      }
      await this.#giveName();
    } finally {
      await this.abort();
    }
  }

  /** rclone knows no move that replaces nothing: what can be done is to look before. Names are random, so nobody else means the same. */
  async #giveName(): Promise<void> {
    const isNew = this.#mode === 'new';
    if (isNew && (await this.#files.sizeOf(this.#name)) !== undefined) throw nameTaken(this.#name);
    const places = [this.#rclone.place(this.#temporary), this.#rclone.place(this.#name)];
    await this.#rclone.run(this.#name, ['moveto', ...(isNew ? ['--ignore-existing'] : []), ...places]);
    // With this option what was there stays, and so does the source.
    if ((await this.#files.sizeOf(this.#temporary)) !== undefined) throw nameTaken(this.#name);
    this.#isMoved = true;
    // What is known of the one that was replaced holds no longer.
    if (!isNew) await this.#files.sizeOf(this.#name);
  }

  async abort(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGTERM');
    await child;
    if (!this.#isMoved) await this.#files.remove(this.#temporary);
  }
}

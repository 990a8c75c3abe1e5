import { randomBytes } from 'node:crypto';
import { fsync } from 'node:fs';
import { promisify } from 'node:util';
import { Failure } from '../../failure.ts';
import { closeDescriptor, linkAt, openAt, renameAt, unlinkAt } from '../../linux/files.ts';
import { O_CREAT, O_EXCL, O_WRONLY } from '../../linux/flags.ts';
import { tryLock } from '../../linux/locks.ts';
import { StatBuffer, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import { writeAllAsync } from '../../linux/write-all.ts';
import type { ObjectWriter, WriteMode } from './backend.ts';
import { incomingOf } from './incoming.ts';
import { localFailure } from './local-failure.ts';
import { isMissing, type LocalRoot, openFolder } from './local-folder.ts';
import { nameTaken } from './object-failures.ts';

function isNamed(descriptor: number): boolean {
  const status = new StatBuffer();
  statDescriptor(descriptor, status);
  return status.linkCount > 0;
}

/** Removes a name; that it has gone is no error. */
export function removeIfThere(folder: number, name: string): void {
  try {
    unlinkAt(folder, name);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

const flush = promisify(fsync);

/** Whoever looks for what was abandoned meets a new file once in a very long time, and never so often. */
const ATTEMPTS = 50;

/** An object on its way: a file in `INCOMING` that gets its name, and only then a reader, when it is whole and durable. */
export class LocalWriter implements ObjectWriter {
  readonly #root: LocalRoot;
  readonly #components: readonly string[];
  readonly #incoming: number;
  readonly #mode: WriteMode;
  #temporary = '';
  #descriptor: number | undefined;

  /** `components` is the checked name of the object. */
  constructor(root: LocalRoot, components: readonly string[], mode: WriteMode) {
    this.#root = root;
    this.#mode = mode;
    this.#components = components;
    const incoming = openFolder(root, incomingOf(components), true);
    if (incoming === undefined) throw new Failure('internal', 'a folder that is made cannot be missing');
    this.#incoming = incoming;
    try {
      this.#descriptor = this.#create(incoming);
    } catch (error) {
      closeDescriptor(incoming);
      throw error;
    }
  }

  /** Held under a lock for as long as it is written: what nobody holds, nobody writes any more. Throws `io_error` where none can be had. */
  #create(incoming: number): number {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Another one each time: whoever met the one before may still be about to remove it.
      this.#temporary = randomBytes(12).toString('hex');
      const descriptor = openAt(incoming, this.#temporary, O_WRONLY | O_CREAT | O_EXCL, 0o600);
      try {
        // Whoever looks for what was abandoned can have met it in between.
        if (tryLock(descriptor) && isNamed(descriptor)) return descriptor;
      } catch (error) {
        closeDescriptor(descriptor);
        throw error;
      }
      closeDescriptor(descriptor);
      removeIfThere(incoming, this.#temporary);
    }
    throw new Failure('io_error', `${this.#name}: a new file could not be locked, though nobody else has it`, {
      affected: [this.#name],
      advice: 'The file system of the repository must know flock(2).',
      retry: true,
    });
  }

  get #name(): string {
    return this.#components.join('/');
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new Failure('internal', `${this.#name} is not being written any more`);
    return this.#descriptor;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const descriptor = this.#open();
    try {
      await writeAllAsync(descriptor, chunk);
    } catch (error) {
      throw localFailure(this.#name, error);
    }
  }

  async commit(): Promise<void> {
    const descriptor = this.#open();
    try {
      await flush(descriptor);
      await this.#giveName();
    } catch (error) {
      if (errorCode(error) === 'EEXIST') throw nameTaken(this.#name);
      throw localFailure(this.#name, error);
    } finally {
      await this.abort();
    }
  }

  /** A link, unlike a rename, never replaces what has the name already; who wants that gets a rename. */
  async #giveName(): Promise<void> {
    const folder = openFolder(this.#root, this.#components.slice(0, -1), true);
    if (folder === undefined) throw new Failure('internal', 'a folder that is made cannot be missing');
    try {
      const name = this.#components.at(-1) as string;
      if (this.#mode === 'replacing') renameAt(this.#incoming, this.#temporary, folder, name);
      else linkAt(this.#incoming, this.#temporary, folder, name);
      // Not on this thread, which has other units to go on with meanwhile.
      await flush(folder);
    } finally {
      closeDescriptor(folder);
    }
  }

  async abort(): Promise<void> {
    if (this.#descriptor === undefined) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    try {
      closeDescriptor(descriptor);
      unlinkAt(this.#incoming, this.#temporary);
    } catch (error) {
      if (!isMissing(error)) throw localFailure(this.#name, error);
    } finally {
      closeDescriptor(this.#incoming);
    }
  }
}

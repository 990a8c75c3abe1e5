import { Failure } from '../../../failure.ts';
import { exactRange } from '../../../manifest/read/random-access.ts';
import { SAFETY_AGE } from '../../safety-age.ts';
import type { Lack, ObjectInfo, ObjectWriter, Occupation, Store, WriteMode } from '../backend.ts';
import { INCOMING, incomingOf, isContents, TRIAL_FILE } from '../incoming.ts';
import { missingObject, tooLong } from '../object-failures.ts';
import { checkObjectName, isObjectName } from '../object-name.ts';
import { Exit, exitOf, Rclone, type RcloneLocation, type RcloneSettings, rcloneFailure } from './command.ts';
import { type Listed, parseListing } from './listing.ts';
import { RcloneWriter } from './rclone-writer.ts';

/** The place that a location names. Nothing is asked of it yet. */
export function openRclone(location: RcloneLocation, settings: RcloneSettings): RcloneBackend {
  return new RcloneBackend(new Rclone(location, settings));
}

/** rclone has no requests for these, whatever the remote could do. */
const LACKS: readonly Lack[] = [
  {
    what: 'exclusive',
    message: 'rclone has no way to write only where nothing is: that a name is free is found by a look before; names are random',
  },
  { what: 'durable', message: 'rclone does not say when something is durable: that depends on the remote' },
];

/** Objects in whatever rclone reaches. Each call is a child process: slow for small things, and everywhere at home. */
export class RcloneBackend implements Store {
  readonly description: string;
  readonly #rclone: Rclone;
  readonly #sizes = new Map<string, number>();

  constructor(rclone: Rclone) {
    this.description = rclone.description;
    this.#rclone = rclone;
  }

  async inspect(): Promise<Occupation> {
    const found = await this.#list('', []);
    if (found === undefined) return 'absent';
    return found.some(({ Name }) => isContents(Name)) ? 'occupied' : 'empty';
  }

  async prepare(): Promise<void> {
    await this.#rclone.run(this.description, ['mkdir', this.#rclone.place('')]);
  }

  async lacking(): Promise<readonly Lack[]> {
    return LACKS;
  }

  async create(name: string, mode: WriteMode = 'new'): Promise<ObjectWriter> {
    return new RcloneWriter(this.#rclone, incomingOf(checkObjectName(name)).join('/'), name, mode, {
      sizeOf: (path) => this.#fresh(path),
      remove: (path) => this.#remove(path),
    });
  }

  async read(name: string, offset = 0, length?: number): Promise<Buffer> {
    checkObjectName(name);
    const size = this.#sizes.get(name) ?? (await this.#fresh(name));
    if (size === undefined) throw missingObject(name);
    const end = exactRange(name, size, offset, length);
    if (end === offset) return Buffer.alloc(0);
    const range = ['--offset', `${offset}`, '--count', `${end - offset}`];
    const bytes = await this.#cat(name, range);
    if (bytes.length === end - offset) return bytes;
    this.#sizes.delete(name);
    // A missing object is nothing to `cat`.
    const now = await this.#fresh(name);
    if (now === undefined) throw missingObject(name);
    exactRange(name, now, offset, end - offset);
    throw new Failure('repository_unreachable', `${name}: ${bytes.length} of ${end - offset} bytes came`, {
      affected: [name],
      retry: true,
    });
  }

  async readWhole(name: string, limit: number): Promise<Buffer> {
    checkObjectName(name);
    const bytes = await this.#cat(name, ['--count', `${limit + 1}`]);
    if (bytes.length > 0 && bytes.length <= limit) return bytes;
    // A missing object is nothing to `cat`.
    const size = await this.#fresh(name);
    if (size === undefined) throw missingObject(name);
    if (size > limit) throw tooLong(name, size, limit);
    return bytes;
  }

  /** Of an object that is not there, nothing. */
  async #cat(name: string, range: readonly string[]): Promise<Buffer> {
    try {
      return await this.#rclone.run(name, ['cat', this.#rclone.place(name), ...range]);
    } catch (error) {
      const exit = exitOf(error);
      if (exit === Exit.folderMissing || exit === Exit.fileMissing) return Buffer.alloc(0);
      throw error;
    }
  }

  async size(name: string): Promise<number | undefined> {
    checkObjectName(name);
    return await this.#fresh(name);
  }

  /** The size as the place tells it now; objects never change, so it is kept for reading. */
  async #fresh(name: string): Promise<number | undefined> {
    const [found] = (await this.#list(name, ['--stat'])) ?? [];
    if (found === undefined || found.IsDir) {
      this.#sizes.delete(name);
      return undefined;
    }
    this.#sizes.set(name, found.Size);
    return found.Size;
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1).replace(/\/$/, '');
    if (folder !== '') checkObjectName(folder);
    for (const { Path, Size, ModTime, IsDir } of (await this.#list(folder, ['--recursive'])) ?? []) {
      const name = folder === '' ? Path : `${folder}/${Path}`;
      if (!IsDir && name.startsWith(prefix) && isObjectName(name)) yield { name, size: Size, modified: Date.parse(ModTime) };
    }
  }

  async folders(folder: string): Promise<string[]> {
    checkObjectName(folder);
    const found = (await this.#list(folder, ['--dirs-only'])) ?? [];
    return found.map(({ Name }) => Name).filter(isObjectName);
  }

  /** What is in a folder, or with `--stat` the one entry; undefined when there is none. */
  async #list(path: string, args: readonly string[]): Promise<Listed[] | undefined> {
    let output: Buffer;
    try {
      output = await this.#rclone.run(path === '' ? this.description : path, [
        'lsjson',
        this.#rclone.place(path),
        '--no-mimetype',
        ...args,
      ]);
    } catch (error) {
      const exit = exitOf(error);
      if (exit === Exit.folderMissing || exit === Exit.fileMissing) return undefined;
      throw error;
    }
    return parseListing(output, path === '' ? this.description : path);
  }

  async remove(name: string): Promise<void> {
    checkObjectName(name);
    this.#sizes.delete(name);
    await this.#remove(name);
  }

  /** That it is not there is no error; the command does not tell that from others. */
  async #remove(path: string): Promise<void> {
    try {
      await this.#rclone.run(path, ['deletefile', this.#rclone.place(path)]);
    } catch (error) {
      if ((await this.#fresh(path)) !== undefined) throw error;
    }
  }

  async tryWriting(folder: string): Promise<void> {
    // Always the same: where nothing may be deleted it stays, and no second one comes.
    const path = `${checkObjectName(folder).join('/')}/${INCOMING}/${TRIAL_FILE}`;
    const child = this.#rclone.start(['rcat', this.#rclone.place(path)], 'pipe');
    child.stdin?.on('error', () => {});
    child.stdin?.end(Buffer.alloc(4096));
    const ended = await child;
    if (ended.exitCode !== 0) throw rcloneFailure(this.description, ended);
    // Whether it can be removed was not asked.
    await this.#remove(path).catch(() => {});
  }

  discardAbandoned(before: number): Promise<number> {
    return this.#discard(INCOMING, before);
  }

  /** Nobody can tell from here whether it is still being written: what is a day old is not. */
  async discardUnfinished(folder: string): Promise<number> {
    checkObjectName(folder);
    return this.#discard(`${folder}/${INCOMING}`, Date.now() - SAFETY_AGE);
  }

  async #discard(folder: string, before: number): Promise<number> {
    let count = 0;
    for (const { Name, IsDir, ModTime } of (await this.#list(folder, [])) ?? []) {
      if (IsDir || Date.parse(ModTime) >= before) continue;
      await this.#remove(`${folder}/${Name}`);
      count++;
    }
    return count;
  }
}

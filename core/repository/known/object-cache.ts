import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** In hexadecimal digits, and the line break behind them. */
const DIGEST = 64;
const HEAD = DIGEST + 1;
/** Of an object that is kept, and of all whose keys begin with the same two digits, in bytes: 256 MiB in all. */
const LONGEST = 256 * 1024;
const ROOM = 1024 * 1024;

/**
 * Copies of small objects that never change, in files that the program can do without. Each has the digest of its bytes before them: one that is cut or
 * damaged is as if there were none.
 */
export class ObjectCache {
  readonly #folder: string;
  /** What is taken of the room of each folder, once it was counted. */
  readonly #taken = new Map<string, number>();

  /** `folder` is made (0700) when something is kept. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  #placeOf(name: string): { readonly folder: string; readonly file: string } {
    const key = sha256(name);
    const folder = join(this.#folder, key.slice(0, 2));
    return { folder, file: join(folder, key.slice(2)) };
  }

  /** The bytes of the object of this name and length; undefined when they are not here. */
  load(name: string, length: number): Buffer | undefined {
    try {
      const stored = readFileSync(this.#placeOf(name).file);
      const bytes = stored.subarray(HEAD);
      return bytes.length === length && stored.toString('latin1', 0, DIGEST) === boundDigest(name, bytes) ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /** What cannot be kept is fetched again, also where another copy was kept before. */
  save(name: string, bytes: Buffer): void {
    if (bytes.length > LONGEST) return;
    const { folder, file } = this.#placeOf(name);
    const temporary = `${file}.${randomBytes(6).toString('hex')}`;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#makeRoom(folder, bytes.length + HEAD);
      writeFileSync(temporary, Buffer.concat([Buffer.from(`${boundDigest(name, bytes)}\n`), bytes]), { flag: 'wx', mode: 0o600 });
      renameSync(temporary, file);
    } catch {
      removeIfPossible(temporary);
      removeIfPossible(file);
    }
  }

  forget(name: string): void {
    removeIfPossible(this.#placeOf(name).file);
  }

  /** Drops all of a folder when it is full: what is needed is fetched again, and what nobody needs any more is gone. */
  #makeRoom(folder: string, needed: number): void {
    let taken = this.#taken.get(folder) ?? sizeOf(folder);
    if (taken + needed > ROOM) {
      for (const file of readdirSync(folder)) rmSync(join(folder, file), { force: true });
      taken = 0;
    }
    this.#taken.set(folder, taken + needed);
  }
}

/** Nothing fails because a copy stays: of what never changes none is wrong, and one of what is gone is not asked for. */
function removeIfPossible(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Said above.
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, file) => sum + (statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0), 0);
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Of the bytes as those of this object: a file that was moved is no copy of another one. */
function boundDigest(name: string, bytes: Buffer): string {
  return createHash('sha256').update(`${name}\n`).update(bytes).digest('hex');
}

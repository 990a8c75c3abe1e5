import { closeSync, fchownSync, futimesSync, linkSync, lutimesSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { closeDescriptor, makeNodeAt, openTrustedDirectory } from '../../core/linux/files.ts';
import { S_IFCHR } from '../../core/linux/flags.ts';
import { writeXattr } from '../../core/linux/xattrs.ts';
import { ACCESS_ACL, accountAcls, DEFAULT_ACL } from './acl.ts';
import { Random } from './random.ts';
import type { Text } from './text.ts';

/** In every account, and never changed by `changeForADay`: what the bench restores when it restores one file. */
export const KEPT_FILE = 'shadow/var/www/html/index.php';

// Of files made at first; seconds since 1970.
const FIRST_TIME = Date.UTC(2024, 0, 1) / 1000;
const DAY = 86_400;
const YEAR = 365 * DAY;

/** When the day of this number, the first being 1, began; all files made at first are older. */
export function timeOfDay(number: number): number {
  return FIRST_TIME + YEAR + number * DAY;
}

interface MadeDirectory {
  readonly path: string;
  readonly xattrs: readonly (readonly [string, Buffer])[];
}

/** Writes the entries of one account, each complete when its method returns but for directories, which `finish` completes. */
export class Account {
  readonly folder: string;
  readonly random: Random;
  readonly uid: number;
  readonly #acls: readonly Buffer[];
  readonly #directories: MadeDirectory[] = [];

  constructor(accountsRoot: string, number: number, seed: string) {
    this.folder = join(accountsRoot, `site${number}`);
    this.random = new Random(`${seed} account ${number}`);
    this.uid = 1000 + number;
    this.#acls = accountAcls(this.uid);
    this.directory('');
  }

  /** Makes a directory whose parent exists; the accounts root is made with its first account. */
  directory(path: string, kind: 'ordinary' | 'writable' | 'opaque' = 'ordinary'): string {
    mkdirSync(join(this.folder, path), { mode: 0o755, recursive: path === '' });
    const writable = [ACCESS_ACL, DEFAULT_ACL].map((name) => [name, this.#acls[0]!] as const);
    const xattrs = { ordinary: [], writable, opaque: [['trusted.overlay.opaque', Buffer.from('y')] as const] }[kind];
    this.#directories.push({ path, xattrs });
    return path;
  }

  /** Makes a directory and those above it that are missing. */
  directories(path: string): string {
    if (!this.#directories.some((made) => made.path === path)) {
      if (dirname(path) !== '.') this.directories(dirname(path));
      this.directory(path);
    }
    return path;
  }

  /** A file with owner, time, and now and then an ACL or attributes of users. `pieces` are written one after the other. */
  file(path: string, pieces: Iterable<Buffer>): string {
    const { random } = this;
    const descriptor = openSync(join(this.folder, path), 'wx', random.chance(0.1) ? 0o600 : 0o644);
    for (const piece of pieces) writeSync(descriptor, piece);
    fchownSync(descriptor, this.uid, this.uid);
    if (random.chance(0.2)) writeXattr(descriptor, ACCESS_ACL, random.pick(this.#acls));
    if (random.chance(0.02)) writeXattr(descriptor, 'user.checksum', Buffer.from(random.word().toString(16)));
    const time = this.#time();
    futimesSync(descriptor, time, time);
    closeSync(descriptor);
    return path;
  }

  /** A file with nothing about it, for trees in which the number of files counts. */
  plainFile(path: string, content?: Buffer): void {
    const descriptor = openSync(join(this.folder, path), 'wx', 0o644);
    if (content !== undefined) writeSync(descriptor, content);
    closeSync(descriptor);
  }

  symbolicLink(path: string, target: string): void {
    symlinkSync(target, join(this.folder, path));
    const time = this.#time();
    lutimesSync(join(this.folder, path), time, time);
  }

  hardLink(path: string, existing: string): void {
    linkSync(join(this.folder, existing), join(this.folder, path));
  }

  /** What an overlay leaves where a file of the layer below was deleted. */
  whiteout(path: string): void {
    const name = join(this.folder, path);
    const parent = openTrustedDirectory(dirname(name));
    makeNodeAt(parent, basename(name), S_IFCHR);
    closeDescriptor(parent);
    const time = this.#time();
    lutimesSync(name, time, time);
  }

  /** Gives the directories what making their children would have changed. */
  finish(): void {
    for (const { path, xattrs } of this.#directories.reverse()) {
      const descriptor = openSync(join(this.folder, path), 'r');
      fchownSync(descriptor, this.uid, this.uid);
      for (const [name, value] of xattrs) writeXattr(descriptor, name, value);
      const time = this.#time();
      futimesSync(descriptor, time, time);
      closeSync(descriptor);
    }
  }

  /** A piece of code, as long as files of code are. */
  code(text: Text, longest: number): Buffer {
    return text.piece(this.random, this.random.length(500, longest));
  }

  #time(): number {
    return FIRST_TIME + this.random.below(YEAR);
  }
}

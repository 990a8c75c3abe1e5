import {
  appendFileSync,
  chmodSync,
  closeSync,
  fchownSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { writeXattr } from '../../core/linux/xattrs.ts';
import { KEPT_FILE, timeOfDay } from './account.ts';
import { ACCESS_ACL, accountAcls } from './acl.ts';
import { Random } from './random.ts';
import type { Text } from './text.ts';

const SECONDS = 86_400;
// Exports, archives and images stay as they are: one of them would outweigh all other changes of a day.
const LONGEST_CHANGED = 1024 * 1024;

export interface Day {
  readonly seed: string;
  /** The first is 1; the same day on the same tree changes the same. */
  readonly number: number;
  /** The share of files that get other contents; the other changes are in proportion to it. */
  readonly changedShare: number;
}

/**
 * Changes every account below `accountsRoot` as a day does: of the files 1 % have other contents, 0.3 % are new, 0.2 % are
 * gone, 0.1 % have another mode or ACL (when `changedShare` is 0.01), and a folder is renamed. Returns the paths, below
 * `accountsRoot`, of the files whose contents are new. The times of directories become those of the clock.
 */
export function changeForADay(accountsRoot: string, day: Day, text: Text): string[] {
  const written: string[] = [];
  for (const name of readdirSync(accountsRoot).sort()) {
    for (const path of new DayInAccount(join(accountsRoot, name), name, day, text).pass()) written.push(`${name}/${path}`);
  }
  return written;
}

class DayInAccount {
  readonly #folder: string;
  readonly #random: Random;
  readonly #uid: number;
  readonly #day: Day;
  readonly #text: Text;
  readonly #written: string[] = [];

  constructor(folder: string, name: string, day: Day, text: Text) {
    this.#folder = folder;
    this.#random = new Random(`${day.seed} ${name} day ${day.number}`);
    this.#uid = 1000 + Number(name.slice('site'.length));
    this.#day = day;
    this.#text = text;
  }

  pass(): string[] {
    this.#renameFolder();
    const files = listFiles(this.#folder);
    const count = (share: number) => Math.ceil(files.length * this.#day.changedShare * share);
    for (let left = count(1); left > 0; left--) this.#change(this.#take(files));
    for (let left = count(0.3); left > 0; left--) this.#create(dirname(this.#random.pick(files)), left);
    for (let left = count(0.2); left > 0; left--) unlinkSync(this.#path(this.#take(files)));
    for (let left = count(0.1); left > 0; left--) this.#changeRights(this.#take(files), left);
    return this.#written;
  }

  #path(path: string): string {
    return join(this.#folder, path);
  }

  /** A file that this day has not touched. */
  #take(files: string[]): string {
    for (;;) {
      const index = this.#random.below(files.length);
      const path = files[index]!;
      files[index] = files.at(-1)!;
      files.pop();
      if (lstatSync(this.#path(path)).size <= LONGEST_CHANGED) return path;
    }
  }

  #change(path: string): void {
    const chosen = this.#random.below(10);
    if (chosen < 6) this.#replace(path);
    else if (chosen < 8) appendFileSync(this.#path(path), this.#piece(500));
    else this.#overwritePart(path);
    this.#stamp(path);
    this.#written.push(path);
  }

  /** As editors save: a new file is renamed over the old one. */
  #replace(path: string): void {
    const written = this.#path(`${path}.new`);
    this.#write(written, this.#piece(Math.max(600, lstatSync(this.#path(path)).size)));
    renameSync(written, this.#path(path));
  }

  #overwritePart(path: string): void {
    const { size } = lstatSync(this.#path(path));
    const descriptor = openSync(this.#path(path), 'r+');
    writeSync(descriptor, this.#piece(100), 0, undefined, this.#random.below(Math.max(1, size)));
    closeSync(descriptor);
  }

  #create(directory: string, number: number): void {
    const path = `${directory}/new-${this.#day.number}-${number}.php`;
    this.#write(this.#path(path), this.#piece(10_000));
    this.#stamp(path);
    this.#written.push(path);
  }

  #changeRights(path: string, number: number): void {
    if (number % 2 === 0) {
      chmodSync(this.#path(path), this.#random.pick([0o600, 0o640, 0o664]));
      return;
    }
    const descriptor = openSync(this.#path(path), 'r');
    writeXattr(descriptor, ACCESS_ACL, this.#random.pick(accountAcls(this.#uid)));
    closeSync(descriptor);
  }

  #renameFolder(): void {
    const web = this.#path(dirname(KEPT_FILE));
    const folders = readdirSync(web, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name.startsWith('part-'));
    if (folders.length === 0) return;
    const names = folders.map(({ name }) => name).sort();
    const name = this.#random.pick(names);
    // Without the number of an earlier day, so that names do not grow from day to day.
    renameSync(join(web, name), join(web, `${name.split('.')[0]}.${this.#day.number}`));
  }

  #write(file: string, content: Buffer): void {
    writeFileSync(file, content);
    const descriptor = openSync(file, 'r');
    fchownSync(descriptor, this.#uid, this.#uid);
    closeSync(descriptor);
  }

  #piece(longest: number): Buffer {
    return this.#text.piece(this.#random, this.#random.length(50, longest));
  }

  #stamp(path: string): void {
    const time = timeOfDay(this.#day.number) + this.#random.below(SECONDS);
    utimesSync(this.#path(path), time, time);
  }
}

/** The regular files of an account that a day may touch, in an order that does not depend on the file system. */
function listFiles(folder: string): string[] {
  const files: string[] = [];
  const visit = (path: string): void => {
    const entries = readdirSync(join(folder, path), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) visit(child);
      else if (entry.isFile() && child !== KEPT_FILE) files.push(child);
    }
  };
  visit('');
  return files;
}

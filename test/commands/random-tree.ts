import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A tree that changes by chance, in the ways in which accounts change. */
export class RandomTree {
  readonly #root: string;
  readonly #random: () => number;

  constructor(root: string, random: () => number) {
    this.#root = root;
    this.#random = random;
  }

  /** Makes one change somewhere. */
  change(): void {
    const directory = this.#pickDirectory();
    const name = `n${Math.floor(this.#random() * 12)}`;
    const place = join(directory, name);
    const present = lstatSync(place, { throwIfNoEntry: false });
    const operation = this.#pick(OPERATIONS);
    operation.call(this, place, present?.isDirectory() === true, present?.isFile() === true);
  }

  /** A directory of the tree, the deeper the rarer. */
  #pickDirectory(): string {
    let directory = this.#root;
    for (let depth = 0; depth < 4 && this.#random() < 0.6; depth++) {
      const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
      if (below.length === 0) break;
      directory = join(directory, this.#pick(below).name);
    }
    return directory;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T;
  }

  bytes(): Buffer {
    const large = this.#random() < 0.01;
    const length = large ? 9_000_000 + Math.floor(this.#random() * 4_000_000) : Math.floor(this.#random() * 20_000);
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 64) bytes.writeUInt32LE((this.#random() * 4294967296) >>> 0, Math.min(at, Math.max(0, length - 4)));
    return length < 4 ? Buffer.from('abc').subarray(0, length) : bytes;
  }

  other(): string {
    return join(this.#pickDirectory(), `n${Math.floor(this.#random() * 12)}`);
  }

  number(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

type Operation = (this: RandomTree, place: string, isDirectory: boolean, isFile: boolean) => void;

const clear = (place: string): void => rmSync(place, { recursive: true, force: true });

const write: Operation = function (place, isDirectory) {
  if (isDirectory) clear(place);
  else if (lstatSync(place, { throwIfNoEntry: false })?.isFile() !== true) clear(place);
  writeFileSync(place, this.bytes());
};

const edit: Operation = function (place, _isDirectory, isFile) {
  if (!isFile) return;
  if (this.number(2) === 0) appendFileSync(place, this.bytes());
  else
    execFileSync('dd', [
      'if=/dev/urandom',
      `of=${place}`,
      'bs=1',
      'count=7',
      `seek=${this.number(lstatSync(place).size + 1)}`,
      'conv=notrunc',
      'status=none',
    ]);
};

const mode: Operation = function (place) {
  const present = lstatSync(place, { throwIfNoEntry: false });
  if (present !== undefined && !present.isSymbolicLink()) chmodSync(place, this.number(0o10000) | (present.isDirectory() ? 0o700 : 0));
};

const acl: Operation = (place, isDirectory, isFile) => {
  if (isFile) execFileSync('setfacl', ['-m', 'u:4321:rw', place]);
  if (isDirectory) execFileSync('setfacl', ['-m', 'u:4321:rwx,d:u:4321:rwx', place]);
};

const attribute: Operation = function (place, isDirectory, isFile) {
  if (isFile || isDirectory) execFileSync('setfattr', ['-n', `user.a${this.number(3)}`, '-v', `v${this.number(100)}`, place]);
};

const move: Operation = function (place) {
  if (lstatSync(place, { throwIfNoEntry: false }) === undefined) return;
  const target = this.other();
  if (target === place || target.startsWith(`${place}/`) || place.startsWith(`${target}/`)) return;
  clear(target);
  renameSync(place, target);
};

const link: Operation = function (place, _isDirectory, isFile) {
  const target = this.other();
  if (!isFile || lstatSync(target, { throwIfNoEntry: false }) !== undefined) return;
  linkSync(place, target);
};

const remove: Operation = (place) => clear(place);

const folder: Operation = (place, isDirectory) => {
  if (isDirectory) return;
  clear(place);
  mkdirSync(place);
};

const symbolic: Operation = function (place) {
  clear(place);
  symlinkSync(`../somewhere/${this.number(100)}`, place);
};

const whiteout: Operation = (place) => {
  clear(place);
  execFileSync('mknod', [place, 'c', '0', '0']);
};

const time: Operation = function (place, isDirectory, isFile) {
  if (isFile || isDirectory) utimesSync(place, this.number(2_000_000_000), this.number(2_000_000_000));
};

const OPERATIONS: readonly Operation[] = [
  write,
  write,
  write,
  edit,
  edit,
  mode,
  acl,
  attribute,
  move,
  move,
  link,
  remove,
  folder,
  folder,
  symbolic,
  whiteout,
  time,
];

import type { ByteString, EntryKind } from '../manifest/entry.ts';
import { word } from '../manifest/format/columns.ts';
import { cString } from './c-string.ts';
import * as flags from './flags.ts';
import { lastErrno, libc } from './libc.ts';
import { check, SystemError } from './system-error.ts';

const STATX_BASIC_STATS = 0x7ff;
const STATX_BTIME = 0x800;
const STATX_ATTR_MOUNT_ROOT = 0x2000;
const STATX_MNT_ID = 0x1000;
const WANTED = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID;
const ENOENT = 2;
const EMPTY = Buffer.from([0]);

const KINDS = new Map<number, EntryKind>([
  [flags.S_IFREG, 'file'],
  [flags.S_IFDIR, 'directory'],
  [flags.S_IFLNK, 'symlink'],
  [flags.S_IFIFO, 'fifo'],
  [flags.S_IFSOCK, 'socket'],
  [flags.S_IFCHR, 'character-device'],
  [flags.S_IFBLK, 'block-device'],
]);

/**
 * The result of one statx(2) call, read in place and overwritten by the next: no object per entry. Offsets are those of
 * `struct statx` in linux/stat.h.
 */
export class StatBuffer {
  readonly bytes = Buffer.alloc(256);
  /** The same memory as 32-bit words; 64-bit fields are two of them, the low one first. */
  readonly words = new Uint32Array(this.bytes.buffer, this.bytes.byteOffset, 64);

  get linkCount(): number {
    return word(this.words, 4);
  }
  get uid(): number {
    return word(this.words, 5);
  }
  get gid(): number {
    return word(this.words, 6);
  }
  get fullMode(): number {
    return word(this.words, 7) & 0xffff;
  }
  /** The 12 permission bits. */
  get mode(): number {
    return this.fullMode & 0o7777;
  }
  get kind(): EntryKind {
    const kind = KINDS.get(this.fullMode & flags.S_IFMT);
    if (kind === undefined) throw new RangeError(`unknown file type ${this.fullMode.toString(8)}`);
    return kind;
  }
  get isDirectory(): boolean {
    return (this.fullMode & flags.S_IFMT) === flags.S_IFDIR;
  }
  get isFile(): boolean {
    return (this.fullMode & flags.S_IFMT) === flags.S_IFREG;
  }
  get inode(): bigint {
    return this.bytes.readBigUInt64LE(32);
  }
  /** In bytes; 2^53 - 1 stands for more as well, which only holes can come to. */
  get size(): number {
    return Math.min(word(this.words, 11) * 0x1_0000_0000 + word(this.words, 10), Number.MAX_SAFE_INTEGER);
  }
  /** In units of 512 bytes. */
  get blocks(): number {
    return word(this.words, 13) * 0x1_0000_0000 + word(this.words, 12);
  }
  /** Whether the file system keeps when an inode was made. */
  get hasBirthTime(): boolean {
    return (word(this.words, 0) & STATX_BTIME) !== 0;
  }
  get birthTime(): bigint {
    return this.#time(80);
  }
  get ctime(): bigint {
    return this.#time(96);
  }
  get mtime(): bigint {
    return this.#time(112);
  }
  get deviceNumber(): { major: number; minor: number } {
    return { major: word(this.words, 32), minor: word(this.words, 33) };
  }
  get device(): bigint {
    return (BigInt(word(this.words, 34)) << 32n) | BigInt(word(this.words, 35));
  }
  /** Whether the kernel said that this is where something is mounted (Linux 5.8 and later say so). */
  get isMountRoot(): boolean {
    return (word(this.words, 2) & STATX_ATTR_MOUNT_ROOT) !== 0;
  }

  /** The number of the mount that it lies on; undefined where the kernel does not say (before Linux 5.8). */
  get mountId(): number | undefined {
    return (word(this.words, 0) & STATX_MNT_ID) === 0 ? undefined : word(this.words, 36);
  }

  /** Whether the change times are the same; makes no object. */
  hasChangeTimeOf(other: StatBuffer): boolean {
    const a = this.words;
    const b = other.words;
    return a[24] === b[24] && a[25] === b[25] && a[26] === b[26];
  }

  /** A copy that later calls do not overwrite. */
  copy(): StatBuffer {
    const copy = new StatBuffer();
    this.bytes.copy(copy.bytes);
    return copy;
  }

  #time(offset: number): bigint {
    return this.bytes.readBigInt64LE(offset) * 1_000_000_000n + BigInt(this.bytes.readUInt32LE(offset + 8));
  }
}

/** Fills `into` for `name` in the directory `dir`, never following a link. False when nothing is there. */
export function statAt(dir: number, name: ByteString, into: StatBuffer): boolean {
  const flag = flags.AT_SYMLINK_NOFOLLOW | flags.AT_NO_AUTOMOUNT;
  if (libc.statx(dir, cString(name), flag, WANTED, into.bytes) === 0) return true;
  const errno = lastErrno();
  if (errno === ENOENT) return false;
  throw new SystemError('statx', errno, name);
}

/** Fills `into` for an open descriptor; an O_PATH one will do. */
export function statDescriptor(descriptor: number, into: StatBuffer): void {
  check(libc.statx(descriptor, EMPTY, flags.AT_EMPTY_PATH, WANTED, into.bytes), 'statx');
}

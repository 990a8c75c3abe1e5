import type { StatBuffer } from '../../linux/stat.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { word } from '../../manifest/format/columns.ts';
import type { InodeIdentity } from '../compare/inode-identity.ts';

/** What a row of a page says about a name. */
export const Note = {
  /** It is there, and nothing below it follows: it is no directory, or one that could not be entered because it vanished. */
  entry: 0,
  /** A directory; what is in it follows one level deeper. */
  entered: 1,
  /** A level above the roots, which is no entry; what is in it follows. */
  virtual: 2,
  /** A directory that was announced in an earlier segment; the rest of what is in it follows. No entry of its own. */
  resumed: 3,
  /** Such a directory, but it is not there any more. */
  missing: 4,
  /** A directory in which something else is mounted; the row describes what is mounted. */
  mounted: 5,
  /** A directory below `MAXIMUM_DEPTH`. */
  tooDeep: 6,
  /** A directory that could not be listed; `message` says why. */
  unlistable: 7,
  /** It could not be looked at; `message` says why. */
  unreadable: 8,
  /** Has no name: the directory whose names stood at this depth was not found again on the way up to it. */
  lost: 9,
  /** Something is mounted over this name that is not looked at: a file, or what a process or another machine serves. */
  covered: 10,
  /** A directory that is the top of a subvolume of its own. */
  subvolume: 11,
  /** A directory that the walk has entered before, at another place. */
  moved: 12,
} as const;

/** Rows of one page: about 210 KiB in all. */
export const PAGE_ROWS = 1024;

/** Words of a row: a `struct statx` of which the first four, which nobody needs, say what stands below. */
const ROW_WORDS = 36;
const NOTE = 0;
const DEPTH = 1;
const NAME_END = 2;
const TEXT_END = 3;
const FIRST_STAT_WORD = 4;

/** Bytes for names: most are short, and the longest name with the longest message has to find room in any case. */
const NAME_ESTIMATE = 64;
const LONGEST_TEXT = 4096;

const HEADER_WORDS = 3;
const COUNT = 0;
const TEXT_LENGTH = 1;
const IS_LAST = 2;

/**
 * A piece of a walk in path order: one row for each name, written by one thread and read by another in the same memory. Depth
 * says where a name belongs, so pages of one walk, one after the other, are the whole tree.
 */
export class RowPage {
  /** All rows; those of row n begin at `at(n)` and are words of a `struct statx` from its fifth on. */
  readonly words: Uint32Array;
  readonly #header: Uint32Array;
  readonly #text: Buffer;
  readonly #capacity: number;
  #string: ByteString | undefined;

  /** Bytes that a page for so many rows takes. */
  static byteLength(rows: number): number {
    return 4 * (HEADER_WORDS + rows * ROW_WORDS) + rows * NAME_ESTIMATE + LONGEST_TEXT;
  }

  constructor(memory: ArrayBufferLike, offset: number, rows: number) {
    this.#capacity = rows;
    this.#header = new Uint32Array(memory, offset, HEADER_WORDS);
    this.words = new Uint32Array(memory, offset + 4 * HEADER_WORDS, rows * ROW_WORDS);
    this.#text = Buffer.from(memory, offset + 4 * (HEADER_WORDS + rows * ROW_WORDS), rows * NAME_ESTIMATE + LONGEST_TEXT);
  }

  /** Makes the page empty, to be filled again. */
  clear(): void {
    this.#header.fill(0);
    this.#string = undefined;
  }

  /** To be called before a page is read that another thread has filled. */
  refresh(): void {
    this.#string = undefined;
  }

  get isFull(): boolean {
    return this.count === this.#capacity || word(this.#header, TEXT_LENGTH) + LONGEST_TEXT > this.#text.length;
  }

  get count(): number {
    return word(this.#header, COUNT);
  }

  /** Whether this is the last page of its segment. */
  get isLast(): boolean {
    return this.#header[IS_LAST] !== 0;
  }

  set isLast(last: boolean) {
    this.#header[IS_LAST] = last ? 1 : 0;
  }

  /** Adds a row; `stat` may be missing where the note says that the name is no entry. */
  add(note: number, depth: number, name: ByteString, stat?: StatBuffer, message: ByteString = ''): void {
    const row = (this.#header[COUNT] as number)++;
    const words = this.words;
    const at = row * ROW_WORDS;
    if (stat !== undefined) {
      const from = stat.words;
      for (let index = FIRST_STAT_WORD; index < ROW_WORDS; index++) words[at + index] = word(from, index);
    }
    let end = word(this.#header, TEXT_LENGTH);
    end += this.#text.latin1Write(name, end);
    words[at + NOTE] = note;
    words[at + DEPTH] = depth;
    words[at + NAME_END] = end;
    if (message !== '') end += this.#text.latin1Write(message.slice(0, LONGEST_TEXT - 256), end);
    words[at + TEXT_END] = end;
    this.#header[TEXT_LENGTH] = end;
  }

  /** Adds a directory of an earlier segment, and which one it is unless it lies above the roots. */
  addResumed(depth: number, name: ByteString, identity: InodeIdentity | undefined): void {
    const at = this.count * ROW_WORDS;
    this.add(Note.resumed, depth, name);
    this.words[at + 8] = identity?.inodeLow ?? 0;
    this.words[at + 9] = identity?.inodeHigh ?? 0;
    this.words[at + 34] = identity?.deviceMajor ?? 0;
    this.words[at + 35] = identity?.deviceMinor ?? 0;
  }

  /** Where the words of a row begin. */
  at(row: number): number {
    return row * ROW_WORDS;
  }

  note(row: number): number {
    return word(this.words, row * ROW_WORDS + NOTE);
  }

  /** 0 for a top-level name. */
  depth(row: number): number {
    return word(this.words, row * ROW_WORDS + DEPTH);
  }

  name(row: number): ByteString {
    // One string for all names, of which V8 takes slices, costs a third of a conversion per name.
    this.#string ??= this.#text.latin1Slice(0, this.#header[TEXT_LENGTH]);
    const at = row * ROW_WORDS;
    return this.#string.substring(row === 0 ? 0 : word(this.words, at - ROW_WORDS + TEXT_END), this.words[at + NAME_END]);
  }

  message(row: number): ByteString {
    const at = row * ROW_WORDS;
    return this.#text.latin1Slice(this.words[at + NAME_END], this.words[at + TEXT_END]);
  }

  isFile(row: number): boolean {
    return (word(this.words, row * ROW_WORDS + 7) & 0o170000) === 0o100000;
  }

  isDirectory(row: number): boolean {
    return (word(this.words, row * ROW_WORDS + 7) & 0o170000) === 0o040000;
  }

  /** In bytes, at most 2^53 - 1. */
  size(row: number): number {
    const at = row * ROW_WORDS;
    return Math.min(word(this.words, at + 11) * 0x1_0000_0000 + word(this.words, at + 10), Number.MAX_SAFE_INTEGER);
  }

  /** Copies what a row has of a `struct statx`. */
  copyStat(row: number, into: StatBuffer): void {
    const at = row * ROW_WORDS;
    for (let index = FIRST_STAT_WORD; index < ROW_WORDS; index++) into.words[index] = word(this.words, at + index);
  }
}

import { Failure } from '../../../failure.ts';
import { executes, type Reading, type ServerKind, USUAL_READING } from './quoting.ts';

/** One statement, as the server shall get it: executable comments are either opened or gone. */
export interface Statement {
  readonly bytes: Buffer;
  /** Where it begins in the dump. */
  readonly offset: number;
}

const [QUOTE, DOUBLE, BACKTICK, BACKSLASH, SLASH, STAR, DASH, HASH, NEWLINE] = Buffer.from('\'"`\\/*-#\n');
const SPACES = new Set(Buffer.from(' \t\r\n\v\f'));
const DELIMITER_LINE = /^delimiter[ \t]+(\S+)[ \t]*\r?(?:\n|$)/i;
/** A delimiter may not hold what could be part of a statement's quotes or comments. */
const DELIMITER = /^[;$/|@^&]{1,8}$/;
/** More than any server takes in one packet. */
const LONGEST_STATEMENT = 1024 ** 3;
const EXECUTABLE = /^\/\*(M?)!(\d{5,6})?/;
/** Enough to know what begins: `/*M!999999`, a line of a delimiter. */
const LOOKAHEAD = 64;

/** What means something outside of quotes. */
const MARKS = new Uint8Array(256);
for (const byte of Buffer.from('\'"`/*-#;$|@^&')) MARKS[byte] = 1;

function nextMark(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && MARKS[bytes[at]!] === 0) at++;
  return at;
}

function nextInQuotes(bytes: Buffer, from: number, end: number, quote: number): number {
  let at = from;
  while (at < end && bytes[at] !== quote && bytes[at] !== BACKSLASH) at++;
  return at;
}

/**
 * Cuts a dump into statements as the `mariadb` client would, without any of its commands but `DELIMITER`. Quotes and comments
 * are read as the server reads them, so that both agree on where a statement ends.
 */
export class StatementSplitter {
  /** As the session reads now; whoever executes the statements sets it. */
  reading: Reading = USUAL_READING;
  readonly #server: ServerKind;
  #bytes: Buffer = Buffer.alloc(1024 * 1024);
  /** The statement that is being read begins at `#start`; before `#at` it has been looked at; `#end` is the end of what came. */
  #start = 0;
  #at = 0;
  #end = 0;
  #offset = 0;
  #isComplete = false;
  #delimiter = Buffer.from(';');
  /** The quote that is open, 0: none. */
  #quote = 0;
  /** Inside of an executable comment that is executed. */
  #isInExecutable = false;
  /** Of this statement: what is not to be sent, as begin and end in `#bytes` relative to `#start`. */
  #cuts: [number, number][] = [];

  constructor(server: ServerKind) {
    this.#server = server;
  }

  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** No more will come. */
  finish(): void {
    this.#isComplete = true;
  }

  /**
   * The next statement; undefined: what came does not hold a whole one.
   *
   * @throws Failure `dump_refused` when the dump ends inside of a quote, or has a statement that no server takes
   */
  next(): Statement | undefined {
    for (;;) {
      if (this.#isAtStart() && !this.#skipDelimiterLine()) return undefined;
      const end = this.#findEnd();
      if (end === 'begin again') continue;
      if (end === undefined) return this.#isComplete ? this.#last() : undefined;
      const statement = this.#take(end);
      this.#moveTo(end + this.#delimiter.length);
      if (statement !== undefined) return statement;
    }
  }

  #makeRoom(length: number): void {
    const rest = this.#bytes.subarray(this.#start, this.#end);
    if (rest.length > LONGEST_STATEMENT) throw this.#refusal('a statement is longer than any server takes');
    const bytes = rest.length + length <= this.#bytes.length / 2 ? this.#bytes : Buffer.alloc(2 * (rest.length + length));
    rest.copy(bytes);
    this.#offset += this.#start;
    this.#at -= this.#start;
    this.#end = rest.length;
    this.#start = 0;
    this.#bytes = bytes;
  }

  #isAtStart(): boolean {
    if (this.#at !== this.#start) return false;
    while (this.#start < this.#end && SPACES.has(this.#bytes[this.#start]!)) this.#start++;
    this.#at = this.#start;
    return true;
  }

  /** Whether it is known by now what the statement begins with; takes lines away that set the delimiter. */
  #skipDelimiterLine(): boolean {
    for (;;) {
      if (!this.#isComplete && this.#end - this.#start < LOOKAHEAD) return false;
      const begin = this.#bytes.latin1Slice(this.#start, Math.min(this.#end, this.#start + LOOKAHEAD));
      const found = DELIMITER_LINE.exec(begin);
      if (found === null) return true;
      if (!DELIMITER.test(found[1]!)) throw this.#refusal(`the delimiter ${JSON.stringify(found[1])} is none that a dump has`);
      this.#delimiter = Buffer.from(found[1]!);
      this.#moveTo(this.#start + found[0].length);
      this.#isAtStart();
    }
  }

  #moveTo(position: number): void {
    this.#start = Math.min(position, this.#end);
    this.#at = this.#start;
    this.#cuts = [];
  }

  #last(): Statement | undefined {
    if (this.#quote !== 0 || this.#isInExecutable) throw this.#refusal('the dump ends within a statement');
    if (this.#start >= this.#end) return undefined;
    const statement = this.#take(this.#end);
    if (statement !== undefined) throw this.#refusal('the dump ends within a statement');
    this.#moveTo(this.#end);
    return undefined;
  }

  /** Where the delimiter of this statement is; undefined: more has to come first. After a comment before it, it begins anew. */
  #findEnd(): number | 'begin again' | undefined {
    const bytes = this.#bytes;
    const [first] = this.#delimiter;
    const began = this.#start;
    for (;;) {
      if (this.#start !== began) return 'begin again';
      this.#at = this.#quote === 0 ? nextMark(bytes, this.#at, this.#end) : nextInQuotes(bytes, this.#at, this.#end, this.#quote);
      if (this.#at >= this.#end) return undefined;
      const byte = bytes[this.#at]!;
      if (this.#quote !== 0) {
        if (!this.#passQuoted(byte)) return undefined;
      } else if (byte === first && !this.#isInExecutable) {
        if (this.#at + this.#delimiter.length > this.#end) return undefined;
        if (bytes.compare(this.#delimiter, 0, this.#delimiter.length, this.#at, this.#at + this.#delimiter.length) === 0) return this.#at;
        // A slash can be both: of a delimiter `//`, and of a comment.
        if (byte !== SLASH) this.#at++;
        else if (!this.#passComment(byte)) return undefined;
      } else if (byte === QUOTE || byte === DOUBLE || byte === BACKTICK) {
        this.#quote = byte;
        this.#at++;
      } else if (byte === SLASH || byte === DASH || byte === HASH || (byte === STAR && this.#isInExecutable)) {
        if (!this.#passComment(byte)) return undefined;
      } else this.#at++;
    }
  }

  /** Whether one byte inside of quotes could be passed. */
  #passQuoted(byte: number): boolean {
    const isText = this.#quote === QUOTE || (this.#quote === DOUBLE && !this.reading.ansiQuotes);
    if (byte === BACKSLASH && isText && !this.reading.plainBackslash) {
      if (this.#at + 2 > this.#end) return false;
      this.#at += 2;
      return true;
    }
    // A doubled quote ends one piece of text and begins another, which comes to the same here.
    if (byte === this.#quote) this.#quote = 0;
    this.#at++;
    return true;
  }

  /** Whether what may begin a comment could be passed, with the comment when it was one. */
  #passComment(byte: number): boolean {
    const left = this.#end - this.#at;
    if (left < 3 && !this.#isComplete) return false;
    const next = left > 1 ? this.#bytes[this.#at + 1] : 0;
    if (byte === STAR) {
      if (next === SLASH) this.#closeExecutable();
      else this.#at++;
      return true;
    }
    if (byte === HASH || (byte === DASH && next === DASH && (left < 3 || this.#bytes[this.#at + 2]! <= 0x20))) return this.#passLine();
    if (byte === SLASH && next === STAR) return this.#passBlock();
    this.#at++;
    return true;
  }

  #closeExecutable(): void {
    this.#cut(this.#at, this.#at + 2);
    this.#isInExecutable = false;
    this.#at += 2;
  }

  #passLine(): boolean {
    const end = this.#bytes.subarray(0, this.#end).indexOf(NEWLINE!, this.#at);
    if (end < 0 && !this.#isComplete) return false;
    const past = end < 0 ? this.#end : end + 1;
    this.#passWholeComment(past);
    return true;
  }

  #passBlock(): boolean {
    if (!this.#isComplete && this.#end - this.#at < LOOKAHEAD) return false;
    const found = EXECUTABLE.exec(this.#bytes.latin1Slice(this.#at, Math.min(this.#end, this.#at + LOOKAHEAD)));
    if (found !== null && !this.#isInExecutable && executes(this.#server, Number(found[2] ?? 0), found[1] === 'M')) {
      this.#cut(this.#at, this.#at + found[0].length);
      this.#isInExecutable = true;
      this.#at += found[0].length;
      return true;
    }
    if (found !== null && this.#isInExecutable) throw this.#refusal('an executable comment stands within another');
    const end = this.#bytes.subarray(0, this.#end).indexOf('*/', this.#at + 2);
    if (end < 0) {
      if (this.#isComplete) throw this.#refusal('the dump ends within a comment');
      return false;
    }
    if (found !== null) this.#cut(this.#at, end + 2);
    this.#passWholeComment(end + 2);
    return true;
  }

  /** A comment before the first word is not part of the statement; one within it stays: it may be of a routine's text. */
  #passWholeComment(past: number): void {
    const isBefore = this.#at === this.#start;
    this.#at = past;
    if (!isBefore) return;
    this.#moveTo(past);
    this.#isAtStart();
  }

  #cut(from: number, to: number): void {
    this.#cuts.push([from - this.#start, to - this.#start]);
  }

  /** What lies before `end` as a statement; undefined when nothing but blanks and comments does. */
  #take(end: number): Statement | undefined {
    const raw = this.#bytes.subarray(this.#start, end);
    const parts: Buffer[] = [];
    let from = 0;
    for (const [begin, past] of this.#cuts) {
      parts.push(raw.subarray(from, begin), Buffer.from(' '));
      from = past;
    }
    parts.push(raw.subarray(from));
    const bytes = Buffer.concat(parts);
    return bytes.latin1Slice().trim() === '' ? undefined : { bytes, offset: this.#offset + this.#start };
  }

  #refusal(message: string): Failure {
    return new Failure('dump_refused', `${message} (at byte ${this.#offset + this.#start} of the dump)`);
  }
}

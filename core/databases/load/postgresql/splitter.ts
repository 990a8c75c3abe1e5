import { Failure } from '../../../failure.ts';

/** A statement of a dump, or a piece of the rows that a `COPY` announced. */
export type Piece =
  | { readonly kind: 'statement'; readonly bytes: Buffer; readonly offset: number }
  | { readonly kind: 'rows'; readonly bytes: Buffer }
  | { readonly kind: 'end of rows' };

const [QUOTE, DOUBLE, BACKSLASH, DOLLAR, SLASH, STAR, DASH, NEWLINE, OPEN, CLOSE, SEMICOLON] = Buffer.from('\'"\\$/*-\n();');
const SPACES = new Set(Buffer.from(' \t\r\n\v\f'));
const DOLLAR_TAG = /^\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$/;
const LETTER = /[A-Za-z0-9_$\x80-\xff]/;
const WORD = /[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*/y;
/** As `pg_dump` writes it with the key that backups give it. A line of its own with another key, or with another command, is refused. */
const RESTRICT_LINE = /^\\(?:un)?restrict apiscpbackup\r?\n/;
const ROUTINE = /^CREATE(?: OR REPLACE)? (?:FUNCTION|PROCEDURE)$/;
const LONGEST_STATEMENT = 1024 ** 3;
const LONGEST_TAG = 64;
const LONGEST_WORD = 200;
const END_OF_ROWS = Buffer.from('\\.\n');
/** Rows are passed on in pieces of about this size. */
const ROWS_AT_ONCE = 256 * 1024;

/**
 * Cuts a dump into statements and rows as `psql` would, without any of its commands: a line that begins with a backslash is refused.
 * Strings are read as `standard_conforming_strings` has them, which is all that a dump may set.
 */
export class DumpSplitter {
  #bytes: Buffer = Buffer.alloc(1024 * 1024);
  #start = 0;
  #at = 0;
  #end = 0;
  #offset = 0;
  #isComplete = false;
  #isInRows = false;
  /** What is open: a quote's byte, `E` for a string with escapes, a dollar tag, or nothing. */
  #open: number | 'E' | Buffer | undefined;
  #comments = 0;
  #parentheses = 0;
  /** Of a routine whose text is statements: `BEGIN ATOMIC … END`. */
  #blocks = 0;
  #firstWords: string[] = [];

  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  finish(): void {
    this.#isComplete = true;
  }

  /** What follows the statement that `next` gave is rows, up to a line that says so. */
  expectRows(): void {
    while (this.#start < this.#end && this.#bytes[this.#start] !== NEWLINE) {
      if (!SPACES.has(this.#bytes[this.#start]!)) throw this.#refusal('rows do not begin in a line of their own');
      this.#start++;
    }
    this.#isInRows = true;
    // The line feed itself may be still to come; it is taken with the rows.
    this.#at = this.#start;
  }

  /** @throws Failure `dump_refused` for what `psql` alone would understand, or a dump that ends too early */
  next(): Piece | undefined {
    if (this.#isInRows) return this.#rows();
    for (;;) {
      const end = this.#findEnd();
      if (end === 'begin again') continue;
      if (end === undefined) {
        if (this.#isComplete && (this.#start < this.#end || this.#open !== undefined || this.#comments > 0))
          throw this.#refusal('the dump ends within a statement');
        return undefined;
      }
      const bytes = Buffer.from(this.#bytes.subarray(this.#start, end));
      const offset = this.#offset + this.#start;
      this.#moveTo(end + 1);
      if (bytes.latin1Slice().trim() !== '') return { kind: 'statement', bytes, offset };
    }
  }

  #rows(): Piece | undefined {
    // From the statement's own line feed on, so that a first line that ends the rows is found like all others.
    const rows = this.#bytes.subarray(this.#start, this.#end);
    const isFirst = rows[0] === NEWLINE && this.#at === this.#start;
    if (rows.length === 0) return this.#starved();
    const from = isFirst ? 1 : 0;
    if (rows.subarray(from, from + 3).equals(END_OF_ROWS)) {
      this.#isInRows = false;
      this.#moveTo(this.#start + from + 3);
      return { kind: 'end of rows' };
    }
    const end = this.#endOfLines(rows, from);
    if (end <= from) return this.#starved();
    const bytes = Buffer.from(rows.subarray(from, end));
    this.#start += end;
    // Not at the statement's line feed any more.
    this.#at = this.#start - 1;
    return { kind: 'rows', bytes };
  }

  /** The end of the whole lines that are rows. */
  #endOfLines(rows: Buffer, from: number): number {
    const limit = Math.min(rows.length, from + ROWS_AT_ONCE);
    const marker = rows.subarray(from, limit).indexOf('\n\\.\n');
    if (marker >= 0) return from + marker + 1;
    const last = rows.lastIndexOf(NEWLINE!, limit - 1);
    if (last >= from) return last + 1;
    const next = rows.indexOf(NEWLINE!, limit);
    return next < 0 ? 0 : next + 1;
  }

  #starved(): undefined {
    if (this.#isComplete) throw this.#refusal('the dump ends within the rows of a table');
    return undefined;
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

  #moveTo(position: number): void {
    this.#start = position;
    this.#at = position;
    this.#parentheses = 0;
    this.#blocks = 0;
    this.#firstWords = [];
  }

  #findEnd(): number | 'begin again' | undefined {
    if (this.#at === this.#start && !this.#passBeginning()) return undefined;
    const began = this.#start;
    while (this.#at < this.#end) {
      if (this.#start !== began) return 'begin again';
      const byte = this.#bytes[this.#at]!;
      if (this.#open !== undefined) {
        if (!this.#passQuoted(this.#open)) return undefined;
        continue;
      }
      if (byte === SEMICOLON && this.#parentheses === 0 && this.#blocks === 0) return this.#at;
      if (!this.#pass(byte)) return undefined;
    }
    return this.#start === began ? undefined : 'begin again';
  }

  /** Blanks, and the lines of `\restrict`. */
  #passBeginning(): boolean {
    for (;;) {
      while (this.#start < this.#end && SPACES.has(this.#bytes[this.#start]!)) this.#start++;
      this.#at = this.#start;
      if (this.#bytes[this.#start] !== BACKSLASH || this.#start >= this.#end) return true;
      const line = this.#bytes.subarray(this.#start, this.#end).indexOf(NEWLINE!);
      if (line < 0 && !this.#isComplete) return false;
      const found = RESTRICT_LINE.exec(this.#bytes.latin1Slice(this.#start, line < 0 ? this.#end : this.#start + line + 1));
      if (found === null) throw this.#refusal('a line is a command of psql');
      this.#start += found[0].length;
    }
  }

  #passQuoted(open: number | 'E' | Buffer): boolean {
    if (Buffer.isBuffer(open)) {
      const found = this.#bytes.subarray(0, this.#end).indexOf(open, this.#at);
      if (found < 0) {
        // A tag may be cut in two where the bytes that came end.
        this.#at = Math.max(this.#at, this.#end - open.length);
        return false;
      }
      this.#at = found + open.length;
      this.#open = undefined;
      return true;
    }
    const quote = open === 'E' ? QUOTE : open;
    for (; this.#at < this.#end; this.#at++) {
      const byte = this.#bytes[this.#at]!;
      if (byte === BACKSLASH && open === 'E') {
        if (this.#at + 2 > this.#end) return false;
        this.#at++;
      } else if (byte === quote) {
        if (open !== 'E') {
          // A doubled one opens it again at once.
          this.#at++;
          this.#open = undefined;
          return true;
        }
        if (this.#at + 1 >= this.#end && !this.#isComplete) return false;
        if (this.#bytes[this.#at + 1] === QUOTE && this.#at + 1 < this.#end) this.#at++;
        else {
          this.#at++;
          this.#open = undefined;
          return true;
        }
      }
    }
    return false;
  }

  #pass(byte: number): boolean {
    const left = this.#end - this.#at;
    if (left < LONGEST_WORD && !this.#isComplete && byte !== OPEN && byte !== CLOSE && byte !== SEMICOLON && !SPACES.has(byte)) {
      // A word, a tag or a comment's beginning could go on in what is to come; a statement's end cannot be missed by waiting.
      if (!this.#hasEnd(byte)) return false;
    }
    if (byte === DASH && this.#bytes[this.#at + 1] === DASH && left > 1) return this.#passLine();
    if (byte === SLASH && this.#bytes[this.#at + 1] === STAR && left > 1) return this.#passBlock();
    if (byte === OPEN) this.#parentheses++;
    if (byte === CLOSE) this.#parentheses--;
    if (byte === QUOTE || byte === DOUBLE) {
      this.#open = byte;
      this.#at++;
      return true;
    }
    if (byte === DOLLAR) return this.#passDollar();
    if (byte === BACKSLASH) throw this.#refusal('a backslash stands outside of any text');
    const word = this.#wordAt();
    if (word === '') this.#at++;
    else this.#passWord(word);
    return true;
  }

  #hasEnd(byte: number): boolean {
    if (byte === QUOTE || byte === DOUBLE) return true;
    const rest = this.#bytes.latin1Slice(this.#at, this.#end);
    return byte === DASH || byte === SLASH ? rest.length > 1 : /[^A-Za-z0-9_$\x80-\xff][\s\S]/.test(rest);
  }

  #wordAt(): string {
    WORD.lastIndex = 0;
    return WORD.exec(this.#bytes.latin1Slice(this.#at, Math.min(this.#end, this.#at + LONGEST_WORD)))?.[0] ?? '';
  }

  #passWord(word: string): void {
    const upper = word.toUpperCase();
    const after = this.#bytes[this.#at + word.length];
    if (upper === 'E' && after === QUOTE) {
      this.#open = 'E';
      this.#at += 2;
      return;
    }
    if (this.#firstWords.length < 4) this.#firstWords.push(upper);
    const isRoutine = [2, 4].some((count) => ROUTINE.test(this.#firstWords.slice(0, count).join(' ')));
    if (isRoutine && this.#parentheses === 0) {
      if (upper === 'BEGIN' || (upper === 'CASE' && this.#blocks > 0)) this.#blocks++;
      if (upper === 'END' && this.#blocks > 0) this.#blocks--;
    }
    this.#at += word.length;
  }

  #passDollar(): boolean {
    const isPartOfName = this.#at > this.#start && LETTER.test(String.fromCharCode(this.#bytes[this.#at - 1]!));
    const tag = isPartOfName ? null : DOLLAR_TAG.exec(this.#bytes.latin1Slice(this.#at, Math.min(this.#end, this.#at + LONGEST_TAG)));
    this.#at += tag?.[0].length ?? 1;
    if (tag !== null) this.#open = Buffer.from(tag[0], 'latin1');
    return true;
  }

  #passLine(): boolean {
    const end = this.#bytes.subarray(0, this.#end).indexOf(NEWLINE!, this.#at);
    if (end < 0 && !this.#isComplete) return false;
    this.#passComment(end < 0 ? this.#end : end + 1);
    return true;
  }

  #passBlock(): boolean {
    let depth = 0;
    for (let at = this.#at; at + 1 < this.#end; ) {
      const [first, second] = [this.#bytes[at], this.#bytes[at + 1]];
      if (first === SLASH && second === STAR) depth++;
      if (first === STAR && second === SLASH) depth--;
      at += (first === SLASH && second === STAR) || (first === STAR && second === SLASH) ? 2 : 1;
      if (depth > 0) continue;
      this.#passComment(at);
      return true;
    }
    if (this.#isComplete) throw this.#refusal('the dump ends within a comment');
    return false;
  }

  #passComment(past: number): void {
    const isBefore = this.#at === this.#start;
    this.#at = past;
    if (isBefore) this.#moveTo(past);
  }

  #refusal(message: string): Failure {
    return new Failure('dump_refused', `${message} (at byte ${this.#offset + this.#start} of the dump)`);
  }
}

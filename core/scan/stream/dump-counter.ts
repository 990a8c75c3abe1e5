/** What stands in a dump: tables whose rows it has, and these rows. */
export interface DumpCounts {
  readonly tables: number;
  readonly rows: number;
}

/** What wrote a dump, and so how rows stand in it. */
export type DumpKind = 'mysql' | 'postgresql';

/** Counts tables and rows of a dump as it passes. */
export interface DumpCounter extends DumpCounts {
  /** The next bytes of the dump. */
  take(bytes: Buffer): void;
}

export function dumpCounter(kind: DumpKind): DumpCounter {
  return kind === 'mysql' ? new InsertCounter() : new CopyCounter();
}

const NEWLINE = 0x0a;
const code = (character: string): number => character.charCodeAt(0);
const [QUOTE, BACKSLASH, BACKTICK, OPENING, CLOSING, SEMICOLON, LETTER_V] = ["'", '\\', '`', '(', ')', ';', 'V'].map(code) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

/** As much of a line as tells what it is. */
const HEAD = 24;

/** The beginning of the line that is passing, which can come in pieces. */
class LineHead {
  text = '';

  /** Takes what stands from `at` up to `end` of the line. */
  add(bytes: Buffer, at: number, end: number): void {
    const missing = HEAD - this.text.length;
    if (missing > 0) this.text += bytes.latin1Slice(at, Math.min(end, at + missing));
  }
}

/**
 * Counts in what mysqldump and mariadb-dump write: rows of a table stand between its `LOCK TABLES` and `UNLOCK TABLES`, in statements
 * `INSERT INTO … VALUES (…),(…);`, whose strings hold no line break and end at the quote that no backslash precedes. mariadb-dump begins a
 * line for each row: there only ends of lines are looked for, and not each byte in turn.
 */
class InsertCounter implements DumpCounter {
  tables = 0;
  rows = 0;
  readonly #head = new LineHead();
  #isLocked = false;
  /** What the next byte is part of. */
  #state: 'line' | 'insert' | 'values' | 'rows' = 'line';
  #quote = 0;
  #isEscaped = false;
  #depth = 0;
  /** The first and the last byte so far of the line that a row stands on; 0 before there is any. */
  #first = 0;
  #last = 0;

  take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#state === 'line') at = this.#passLine(bytes, at);
      else if (this.#state === 'insert') at = this.#passInsert(bytes, at);
      else if (this.#state === 'values') at = this.#passValues(bytes, at);
      else at = this.#passRow(bytes, at);
    }
  }

  #passLine(bytes: Buffer, at: number): number {
    const found = bytes.indexOf(NEWLINE, at);
    const end = found < 0 ? bytes.length : found;
    const known = this.#head.text.length;
    this.#head.add(bytes, at, end);
    const { text } = this.#head;
    if (this.#isLocked && text.startsWith('INSERT ')) {
      this.#head.text = '';
      this.#state = 'insert';
      return at + Math.max(0, 'INSERT '.length - known);
    }
    if (found < 0) return end;
    if (text.startsWith('LOCK TABLES `')) {
      this.#isLocked = true;
      this.tables++;
    } else if (text.startsWith('UNLOCK TABLES;')) this.#isLocked = false;
    this.#head.text = '';
    return end + 1;
  }

  /** Up to the word VALUES: names are in backticks. */
  #passInsert(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      if (bytes[at] === BACKTICK) this.#quote ^= BACKTICK;
      else if (bytes[at] === LETTER_V && this.#quote === 0) {
        this.#state = 'values';
        return at + 1;
      }
    }
    return bytes.length;
  }

  #passValues(bytes: Buffer, from: number): number {
    let quote = this.#quote;
    let isEscaped = this.#isEscaped;
    let depth = this.#depth;
    let rows = 0;
    let at = from;
    for (; at < bytes.length && this.#state === 'values'; at++) {
      const byte = bytes[at];
      if (quote !== 0) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) quote = 0;
      } else if (byte === QUOTE) quote = QUOTE;
      else if (byte === OPENING) {
        if (depth++ === 0) rows++;
      } else if (byte === CLOSING) depth--;
      else if (byte === SEMICOLON) this.#state = 'line';
      else if (byte === NEWLINE && depth === 0) this.#state = 'rows';
    }
    this.#quote = quote;
    this.#isEscaped = isEscaped;
    this.#depth = depth;
    this.rows += rows;
    return at;
  }

  /** Up to the end of the line: `(…),`, or the last one `(…);`. */
  #passRow(bytes: Buffer, at: number): number {
    const found = bytes.indexOf(NEWLINE, at);
    const end = found < 0 ? bytes.length : found;
    if (end > at) {
      this.#first ||= bytes[at] as number;
      this.#last = bytes[end - 1] as number;
    }
    if (found < 0) return end;
    if (this.#first === OPENING) this.rows++;
    if (this.#last === SEMICOLON) this.#state = 'line';
    this.#first = 0;
    this.#last = 0;
    return end + 1;
  }
}

/** Counts in what pg_dump writes: rows are the lines from `COPY … FROM stdin;` up to `\.`, behind a comment that says what follows. */
class CopyCounter implements DumpCounter {
  tables = 0;
  rows = 0;
  readonly #head = new LineHead();
  #isExpected = false;
  #isCopying = false;

  take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const found = bytes.indexOf(NEWLINE, at);
      const end = found < 0 ? bytes.length : found;
      this.#head.add(bytes, at, end);
      if (found >= 0) this.#endLine();
      at = end + 1;
    }
  }

  #endLine(): void {
    const { text } = this.#head;
    this.#head.text = '';
    if (this.#isCopying) {
      if (text === '\\.') this.#isCopying = false;
      else this.rows++;
    } else if (text.startsWith('-- Data for Name: ')) this.#isExpected = true;
    else if (this.#isExpected && text.startsWith('COPY ')) {
      this.#isExpected = false;
      this.#isCopying = true;
      this.tables++;
    }
  }
}

import { Failure } from '../failure.ts';

/** A stretch of digits, a stretch of letters (in lower case), or one other character. */
export interface Token {
  readonly kind: 'number' | 'word' | 'symbol' | 'end';
  readonly text: string;
}

const END: Token = { kind: 'end', text: '' };
const MOST_CHARACTERS = 100;

function kindOf(character: string): Token['kind'] {
  if (character >= '0' && character <= '9') return 'number';
  if ((character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z')) return 'word';
  return 'symbol';
}

/** Reads what people type for times and durations, token by token; spaces only separate. */
export class TokenReader {
  readonly #tokens: Token[] = [];
  #next = 0;

  /** Throws `usage` for a text longer than anything meant can be. */
  constructor(text: string) {
    if (text.length > MOST_CHARACTERS) throw new Failure('usage', `a time of ${text.length} characters cannot be understood`);
    let begin = 0;
    while (begin < text.length) {
      const kind = kindOf(text.charAt(begin));
      let end = begin + 1;
      while (kind !== 'symbol' && end < text.length && kindOf(text.charAt(end)) === kind) end++;
      const part = text.slice(begin, end);
      if (part.trim() !== '') this.#tokens.push({ kind, text: part.toLowerCase() });
      begin = end;
    }
  }

  get atEnd(): boolean {
    return this.#next >= this.#tokens.length;
  }

  peek(): Token {
    return this.#tokens[this.#next] ?? END;
  }

  /** Takes the next token if its text is `text`, and says whether it was. */
  take(text: string): boolean {
    const found = this.peek().text === text && !this.atEnd;
    if (found) this.#next++;
    return found;
  }

  /** Takes a word; undefined when something else comes. */
  word(): string | undefined {
    return this.#taken('word');
  }

  /** Takes a number of up to `digits` digits, as it was written; undefined when something else comes. */
  digits(digits: number): string | undefined {
    return this.peek().text.length > digits ? undefined : this.#taken('number');
  }

  #taken(kind: Token['kind']): string | undefined {
    const token = this.peek();
    if (token.kind !== kind) return undefined;
    this.#next++;
    return token.text;
  }
}

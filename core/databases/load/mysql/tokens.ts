import type { ByteString } from '../../../manifest/entry.ts';
import type { Reading } from './quoting.ts';

/** One word of a statement. */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'variable' | 'sign';
  /** What it means: a word in capitals, a name or a text without its quotes. */
  readonly value: ByteString;
  readonly start: number;
  readonly end: number;
}

const WORD = /[A-Za-z0-9_$\x80-\xff]+/y;
const NUMBER = /^\d+$/;
const VARIABLE = /@@?[A-Za-z0-9_.$]+/y;
const PASSED = /(?:\s|#[^\n]*(?:\n|$)|--(?=[\s]|$)[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/y;
const ESCAPES: Record<string, string> = { '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' };

/** The words of a statement, one after the other: only as many are read as are asked for. */
export function* tokensOf(statement: ByteString, reading: Reading): Generator<Token> {
  for (let at = 0; ; ) {
    at += matchAt(PASSED, statement, at).length;
    if (at >= statement.length) return;
    const token = tokenAt(statement, at, reading);
    yield token;
    at = token.end;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function tokenAt(statement: ByteString, start: number, reading: Reading): Token {
  const first = statement[start]!;
  if (first === '`' || first === "'" || first === '"') return quotedAt(statement, start, first, reading);
  const variable = first === '@' ? matchAt(VARIABLE, statement, start) : '';
  if (variable !== '') return { kind: 'variable', value: variable.toLowerCase(), start, end: start + variable.length };
  const word = matchAt(WORD, statement, start);
  if (word === '') return { kind: 'sign', value: first, start, end: start + 1 };
  return { kind: NUMBER.test(word) ? 'number' : 'word', value: word.toUpperCase(), start, end: start + word.length };
}

function quotedAt(statement: ByteString, start: number, quote: string, reading: Reading): Token {
  const isName = quote === '`' || (quote === '"' && reading.ansiQuotes);
  let value = '';
  let at = start + 1;
  for (; at < statement.length; at++) {
    const sign = statement[at]!;
    if (sign === quote && statement[at + 1] !== quote) break;
    if (sign === quote) at++;
    if (sign === '\\' && !isName && !reading.plainBackslash) {
      const next = statement[++at] ?? '';
      value += ESCAPES[next] ?? next;
    } else value += sign;
  }
  return { kind: isName ? 'name' : 'text', value, start, end: Math.min(at + 1, statement.length) };
}

import type { ByteString } from '../../../manifest/entry.ts';

/** One word of a statement. */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'sign';
  /** A word in capitals, a name or a text without its quotes. */
  readonly value: ByteString;
  /** As it stands there. */
  readonly raw: ByteString;
  readonly start: number;
  readonly end: number;
}

const PATTERNS: readonly (readonly [Token['kind'] | undefined, RegExp])[] = [
  [undefined, /(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/y],
  ['text', /'(?:[^']|'')*'/y],
  ['name', /"(?:[^"]|"")*"/y],
  ['text', /\$([A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$[\s\S]*?\$\1\$/y],
  ['word', /[A-Za-z0-9_$\x80-\xff]+/y],
  ['sign', /[\s\S]/y],
];

/** The words of a statement, one after the other: only as many are read as are asked for. */
export function* tokensOf(statement: ByteString): Generator<Token> {
  for (let at = 0; at < statement.length; ) {
    const [kind, raw] = matchAt(statement, at);
    if (kind !== undefined) yield { kind, value: meaningOfRaw(kind, raw), raw, start: at, end: at + raw.length };
    at += raw.length;
  }
}

function matchAt(statement: ByteString, at: number): readonly [Token['kind'] | undefined, string] {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const found = pattern.exec(statement)?.[0];
    if (found !== undefined) return [kind, found];
  }
  return ['sign', statement[at]!];
}

function meaningOfRaw(kind: Token['kind'], raw: ByteString): ByteString {
  if (kind === 'word') return raw.toUpperCase();
  if (kind === 'name') return raw.slice(1, -1).replaceAll('""', '"');
  return kind === 'text' && raw.startsWith("'") ? raw.slice(1, -1).replaceAll("''", "'") : raw;
}

/** A name as the server knows it: without quotes it is in small letters. */
export function nameOf({ kind, value, raw }: Token): string {
  return Buffer.from(kind === 'word' ? raw.toLowerCase() : value, 'latin1').toString();
}

import { Failure } from '../../../failure.ts';
import type { ByteString } from '../../../manifest/entry.ts';
import { type Reading, USUAL_READING } from './quoting.ts';
import { type Token, tokensOf } from './tokens.ts';

/** The variables of a session that dumps set, and what each of them is set to here when the dump begins. */
const VARIABLES = new Set([
  'character_set_client',
  'character_set_results',
  'character_set_connection',
  'collation_connection',
  'sql_mode',
  'sql_notes',
  'time_zone',
  'unique_checks',
  'foreign_key_checks',
  'autocommit',
  'note_verbosity',
  'information_schema_stats_expiry',
  'system_versioning_insert_history',
]);
/** The `sql_mode` in which dumps make tables and fill them. */
export const MODE_OF_ROWS = 'NO_AUTO_VALUE_ON_ZERO';
/** In these a byte of a letter can be one that quotes or escapes: where a statement ends could be read in two ways. */
const AMBIGUOUS = new Set(['big5', 'cp932', 'gbk', 'sjis', 'gb18030']);
/** What code objects remember of the session that made them. */
const REMEMBERED = ['sql_mode', 'character_set_client', 'collation_connection', 'time_zone'] as const;

/** Values as they stand in the dump, and can be set again. */
export type SessionState = ReadonlyMap<(typeof REMEMBERED)[number], string>;

/**
 * Follows what a dump does to its session, and lets it do no more than that: variables of the session alone, to literals or to
 * what they were before.
 */
export class LoadSession {
  readonly #values = new Map<string, string>();
  readonly #saved = new Map<string, string | undefined>();

  get reading(): Reading {
    return readingOf(this.#values.get('sql_mode') ?? '');
  }

  /** Whether what comes are tables and rows, and no code that would remember the mode. */
  get isForRows(): boolean {
    return this.#values.get('sql_mode')?.toUpperCase() === MODE_OF_ROWS;
  }

  /** What a code object made now remembers. */
  state(): SessionState {
    return new Map(REMEMBERED.flatMap((name) => (this.#values.has(name) ? [[name, this.#values.get(name)!] as const] : [])));
  }

  /** @throws Failure `dump_refused` for anything that a dump does not set */
  apply(statement: ByteString): void {
    const tokens = [...tokensOf(statement, this.reading)].slice(1);
    if (tokens[0]?.value === 'NAMES') {
      this.#setNames(tokens, statement);
      return;
    }
    for (let at = 0; at < tokens.length; at += 4) {
      const [target, equals, value, comma] = tokens.slice(at, at + 4);
      if (target === undefined || value === undefined || equals?.value !== '=' || (comma !== undefined && comma.value !== ','))
        throw refused(statement);
      this.#assign(target, value, statement);
    }
  }

  #setNames(tokens: readonly Token[], statement: ByteString): void {
    if (tokens.length !== 2) throw refused(statement);
    this.#set('character_set_client', tokens[1]!.value.toLowerCase(), statement);
    this.#values.delete('collation_connection');
  }

  #assign(target: Token, value: Token, statement: ByteString): void {
    const meant = this.#meaning(value, statement);
    if (target.kind === 'variable' && !target.value.startsWith('@@')) this.#saved.set(target.value, meant);
    else {
      const name = target.kind === 'variable' ? target.value.replace(/^@@(?:session\.|local\.)?/, '') : target.value.toLowerCase();
      if (target.kind !== 'variable' && target.kind !== 'word') throw refused(statement);
      if (!VARIABLES.has(name)) throw refused(statement);
      this.#set(name, meant, statement);
    }
  }

  #meaning(value: Token, statement: ByteString): string | undefined {
    if (value.kind === 'text' || value.kind === 'number') return value.value;
    if (value.kind === 'word') return /^(?:ON|OFF|DEFAULT|NULL|[A-Z0-9_]+)$/.test(value.value) ? value.value.toLowerCase() : undefined;
    if (value.kind !== 'variable') throw refused(statement);
    if (!value.value.startsWith('@@')) return this.#saved.get(value.value);
    const name = value.value.replace(/^@@(?:session\.|local\.)?/, '');
    if (!VARIABLES.has(name)) throw refused(statement);
    return this.#values.get(name);
  }

  #set(name: string, value: string | undefined, statement: ByteString): void {
    if (name === 'character_set_client' && AMBIGUOUS.has((value ?? '').toLowerCase())) {
      throw new Failure(
        'dump_refused',
        `the dump has statements in the character set ${value}, in which quotes cannot be told for sure: ${statement.slice(0, 80)}`,
      );
    }
    if (value === undefined) this.#values.delete(name);
    else this.#values.set(name, value);
  }
}

function refused(statement: ByteString): Failure {
  return new Failure('dump_refused', `the dump sets what no dump has to set: ${JSON.stringify(statement.slice(0, 120))}`);
}

/** How a session with this `sql_mode` reads quotes. */
export function readingOf(sqlMode: string): Reading {
  const mode = sqlMode.toUpperCase();
  // These names stand for several modes each.
  const isAnsi = /\b(?:ANSI_QUOTES|ANSI|DB2|MAXDB|MSSQL|ORACLE|POSTGRESQL)\b/.test(mode);
  return isAnsi || mode.includes('NO_BACKSLASH_ESCAPES')
    ? { ansiQuotes: isAnsi, plainBackslash: mode.includes('NO_BACKSLASH_ESCAPES') }
    : USUAL_READING;
}

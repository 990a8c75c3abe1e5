import { Failure } from '../../../failure.ts';
import type { ByteString } from '../../../manifest/entry.ts';
import type { Reading } from './quoting.ts';
import { type Token, tokensOf } from './tokens.ts';

const CODE_KINDS = ['VIEW', 'TRIGGER', 'PROCEDURE', 'FUNCTION', 'EVENT'] as const;
/** What holds statements that others run later, with the rights of whoever it belongs to: its definer. */
export type CodeKind = (typeof CODE_KINDS)[number];

/** A user as the server knows one. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

/** A statement that makes a code object, taken apart so far that its definer can be another. */
export interface CodeStatement {
  readonly kind: CodeKind;
  readonly name: string;
  /** Whom the dump names; undefined: nobody. */
  readonly definer: Account | undefined;
  /** The statement with that definer. */
  withDefiner(quoted: string): ByteString;
  /** Of an event whether it goes when its time has passed: a server makes none for which it has. */
  readonly canBeOver: boolean;
  /** An event as it is until its time has come: asleep. Another kind as it is. */
  asleep(): ByteString;
}

const OPTIONS_WITH_VALUE = new Set(['ALGORITHM', 'DEFINER']);
const isCodeKind = (value: string): value is CodeKind => (CODE_KINDS as readonly string[]).includes(value);

/**
 * What a `CREATE` makes; undefined for what holds no statements (tables, sequences).
 *
 * @throws Failure `dump_refused` for a beginning that no dump has
 */
export function parseCreate(statement: ByteString, reading: Reading, database: string): CodeStatement | undefined {
  const tokens = tokensOf(statement, reading);
  const next = (): Token => {
    const { value, done } = tokens.next();
    if (done === true || value === undefined) throw refused(statement);
    return value;
  };
  let token = next();
  let definer: Account | undefined;
  // What stands between CREATE and the definer's place, and what after it.
  const header: string[] = ['CREATE'];
  const security: string[] = [];
  for (token = next(); token.kind === 'word' && !isCodeKind(token.value); token = next()) {
    const word = token.value;
    if (word === 'TABLE' || word === 'SEQUENCE') return undefined;
    if (OPTIONS_WITH_VALUE.has(word)) {
      if (next().value !== '=') throw refused(statement);
      if (word === 'DEFINER') definer = parseDefiner(next(), next(), next(), statement);
      else header.push(`ALGORITHM=${plainWord(next(), statement)}`);
    } else if (word === 'SQL') security.push('SQL', plainWord(next(), statement), plainWord(next(), statement));
    else if (word === 'OR') header.push('OR', plainWord(next(), statement));
    else if (word === 'AGGREGATE') security.push(word);
    else throw refused(statement);
  }
  if (token.kind !== 'word' || !isCodeKind(token.value)) throw refused(statement);
  const kind = token.value;
  const first = next();
  if (first.kind === 'word' && first.value === 'IF') {
    // IF NOT EXISTS: one that is there already would be taken for what the dump has.
    throw refused(statement);
  }
  const name = unqualified(first, next, statement, database);
  const rest = `${kind} ${kind === 'TRIGGER' ? triggerOf(name, next, statement, database) : statement.slice(name.token.start)}`;
  const { token: last } = name;
  const plainName = last.kind === 'name' ? last.value : statement.slice(last.start, last.end);
  const make = (quoted: string, text: ByteString): ByteString => [...header, `DEFINER=${quoted}`, ...security, text].join(' ');
  return {
    kind,
    name: Buffer.from(plainName, 'latin1').toString(),
    definer,
    canBeOver: kind === 'EVENT' && goesWhenOver(rest, reading),
    withDefiner: (quoted) => make(Buffer.from(quoted).latin1Slice(), rest),
    asleep: () => make('CURRENT_USER', kind === 'EVENT' ? asleep(rest, reading, statement) : rest),
  };
}

/** A name of the dump, and what follows it. */
interface Named {
  readonly token: Token;
  readonly after: Token;
}

/** A name without that of its database, which can be that of the dump alone. */
function unqualified(first: Token, next: () => Token, statement: ByteString, database: string): Named {
  const isName = ({ kind }: Token) => kind === 'name' || kind === 'word';
  const textOf = (token: Token) =>
    Buffer.from(token.kind === 'name' ? token.value : statement.slice(token.start, token.end), 'latin1').toString();
  if (!isName(first)) throw refused(statement);
  const after = next();
  if (after.kind !== 'sign' || after.value !== '.') return { token: first, after };
  if (textOf(first) !== database) throw refused(statement, 'names a database');
  const token = next();
  if (!isName(token)) throw refused(statement);
  return { token, after: next() };
}

/** A trigger alone stands in a dump as somebody wrote it, where its name and its table's can have that of their database in front. */
function triggerOf(name: Named, next: () => Token, statement: ByteString, database: string): ByteString {
  let on = name.after;
  while (on.kind !== 'word' || on.value !== 'ON') on = next();
  const table = unqualified(next(), next, statement, database);
  return `${statement.slice(name.token.start, name.token.end)} ${statement.slice(name.after.start, on.end)} ${statement.slice(table.token.start)}`;
}

function refused(statement: ByteString, why = 'does not begin as one of a dump'): Failure {
  return new Failure('dump_refused', `a statement ${why}: ${JSON.stringify(statement.slice(0, 80))}`);
}

function plainWord(token: Token, statement: ByteString): string {
  if (token.kind !== 'word') throw refused(statement);
  return token.value;
}

function parseDefiner(user: Token, at: Token, host: Token, statement: ByteString): Account {
  const isName = ({ kind }: Token) => kind === 'name' || kind === 'text' || kind === 'word';
  if (!isName(user) || at.value !== '@' || !isName(host)) throw refused(statement);
  const text = (token: Token) => (token.kind === 'word' ? statement.slice(token.start, token.end) : token.value);
  const decode = (token: Token) => Buffer.from(text(token), 'latin1').toString();
  return { user: decode(user), host: decode(host) };
}

/** What a dump writes between an event's name and what it does: literals, so that nothing is computed when it is made. */
const OF_A_SCHEDULE = new Set(
  'ON SCHEDULE AT EVERY STARTS ENDS COMPLETION NOT PRESERVE COMMENT YEAR QUARTER MONTH DAY HOUR MINUTE WEEK SECOND YEAR_MONTH DAY_HOUR DAY_MINUTE DAY_SECOND HOUR_MINUTE HOUR_SECOND MINUTE_SECOND'.split(
    ' ',
  ),
);

/** Whether the schedule has an end, or is one moment, and nothing says that the event stays. */
function goesWhenOver(event: ByteString, reading: Reading): boolean {
  const words: string[] = [];
  for (const { kind, value } of tokensOf(event, reading)) {
    if (kind === 'word' && value === 'DO') break;
    if (kind === 'word') words.push(value);
  }
  const text = words.join(' ');
  return /\b(?:ENDS|SCHEDULE AT)\b/.test(text) && !/(?<!NOT )\bPRESERVE\b/.test(text);
}

/** The event's statement (without its beginning) so that the server does not run it. */
function asleep(event: ByteString, reading: Reading, statement: ByteString): ByteString {
  let position = 0;
  for (const token of tokensOf(event, reading)) {
    // EVENT, and its name.
    if (position++ < 2) continue;
    if (token.kind === 'text' || token.kind === 'number') continue;
    if (token.kind === 'word' && token.value === 'ENABLE') return `${event.slice(0, token.start)}DISABLE${event.slice(token.end)}`;
    if (token.kind === 'word' && token.value === 'DISABLE') return event;
    if (token.kind !== 'word' || !OF_A_SCHEDULE.has(token.value)) break;
  }
  throw refused(statement, 'gives an event another schedule than a dump does');
}

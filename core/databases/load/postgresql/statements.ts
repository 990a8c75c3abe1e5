import { Failure } from '../../../failure.ts';
import type { ByteString } from '../../../manifest/entry.ts';
import { nameOf, type Token, tokensOf } from './tokens.ts';

/** Who shall own an object of the dump, as the dump has it. */
export interface Ownership {
  /** `TABLE`, `FUNCTION` … */
  readonly kind: string;
  /** The object as SQL names it: for a function with the types of its arguments. */
  readonly object: string;
  readonly role: string;
}

export type Meaning =
  | { readonly kind: 'run' | 'setting' }
  | { readonly kind: 'refresh'; readonly view: string }
  | { readonly kind: 'search path' }
  | { readonly kind: 'copy'; readonly table: string }
  | { readonly kind: 'extension'; readonly name: string; readonly schema: string | undefined }
  | { readonly kind: 'comment on extension' }
  | { readonly kind: 'owner'; readonly ownership: Ownership }
  | { readonly kind: 'rights' }
  | { readonly kind: 'default rights'; readonly role: string; readonly rest: string };

/** What a dump sets in its session; `on` alone for what the splitter relies on. */
const VARIABLES = new Map<string, RegExp>([
  ['STATEMENT_TIMEOUT', /^0$/],
  ['LOCK_TIMEOUT', /^0$/],
  ['IDLE_IN_TRANSACTION_SESSION_TIMEOUT', /^0$/],
  ['TRANSACTION_TIMEOUT', /^0$/],
  ['CLIENT_ENCODING', /^(?!SJIS|BIG5|GBK|UHC|GB18030|JOHAB|SHIFT_JIS)\w+$/i],
  ['STANDARD_CONFORMING_STRINGS', /^on$/i],
  ['CHECK_FUNCTION_BODIES', /^false$/i],
  ['XMLOPTION', /^content$/i],
  ['CLIENT_MIN_MESSAGES', /^warning$/i],
  ['ROW_SECURITY', /^(?:off|on)$/i],
  ['DEFAULT_TABLESPACE', /^[\s\S]*$/],
  ['DEFAULT_TABLE_ACCESS_METHOD', /^\w+$/],
  ['DEFAULT_WITH_OIDS', /^false$/i],
  ['SEARCH_PATH', /^[\s\S]*$/],
]);
/** Functions of `pg_catalog` that a dump calls. */
const CALLED = new Set(['SET_CONFIG', 'SETVAL', 'LO_CREATE', 'LO_OPEN', 'LOWRITE', 'LO_CLOSE']);
/** What is of the whole server, and in no dump of one database. */
const OF_THE_SERVER = new Set(['DATABASE', 'ROLE', 'USER', 'GROUP', 'TABLESPACE', 'SUBSCRIPTION', 'SYSTEM']);
const RIGHTS_ON = new Set(['TABLES', 'SEQUENCES', 'FUNCTIONS', 'ROUTINES', 'TYPES', 'SCHEMAS']);

/**
 * What is to be done with a statement.
 *
 * @throws Failure `dump_refused` for what no dump of one database has
 */
export function meaningOf(statement: ByteString): Meaning {
  const tokens = [...firstTokens(statement, 6)];
  const [verb, second, third] = tokens.map(({ kind, value }) => (kind === 'word' ? value : ''));
  switch (verb) {
    case 'SET':
      return setting([...tokensOf(statement)], statement);
    case 'SELECT':
      return call(tokens, statement);
    case 'BEGIN':
    case 'COMMIT':
      if (tokens.length > 1) throw refused(statement);
      return { kind: 'run' };
    case 'CREATE':
      if (second === 'EXTENSION') return extension([...tokensOf(statement)], statement);
      if (OF_THE_SERVER.has(second!)) throw refused(statement);
      return { kind: 'run' };
    case 'ALTER':
      if (OF_THE_SERVER.has(second!)) throw refused(statement);
      if (second === 'DEFAULT' && third === 'PRIVILEGES') return defaultRights([...tokensOf(statement)], statement);
      return ownership([...tokensOf(statement)], statement) ?? { kind: 'run' };
    case 'COMMENT':
      if (second !== 'ON' || OF_THE_SERVER.has(third!)) throw refused(statement);
      return third === 'EXTENSION' ? { kind: 'comment on extension' } : { kind: 'run' };
    case 'GRANT':
    case 'REVOKE':
      return rights([...tokensOf(statement)], statement);
    case 'COPY':
      return copy([...tokensOf(statement)], statement);
    case 'REFRESH':
      return refresh([...tokensOf(statement)], statement);
    case 'SECURITY':
      return { kind: 'run' };
    default:
      throw refused(statement);
  }
}

/** Whether a statement is one that a dump has before those that make extensions, and that makes nothing that can be executed. */
export function comesBeforeExtensions(statement: ByteString): boolean {
  const [verb, what, ...rest] = [...firstTokens(statement, 4)].map(({ kind, value }) => (kind === 'word' ? value : ''));
  if (verb === 'COMMENT') return true;
  // With more than a name a schema brings what is in it.
  return verb === 'CREATE' && (what === 'COLLATION' || (what === 'SCHEMA' && rest.length === 1));
}

function* firstTokens(statement: ByteString, count: number): Generator<Token> {
  let left = count;
  for (const token of tokensOf(statement)) {
    yield token;
    if (--left === 0) return;
  }
}

function refused(statement: ByteString): Failure {
  return new Failure('dump_refused', `no dump has a statement like ${JSON.stringify(statement.trim().slice(0, 80))}`);
}

function setting([, name, equals, value, ...rest]: Token[], statement: ByteString): Meaning {
  const allowed = VARIABLES.get(name?.value ?? '');
  const isPlain = value !== undefined && rest.length === 0 && /^(?:=|TO)$/.test(equals?.value ?? '');
  if (name?.kind !== 'word' || !isPlain || allowed?.test(value.kind === 'text' ? value.value : value.raw) !== true)
    throw refused(statement);
  return { kind: 'setting' };
}

/** `SELECT pg_catalog.setval('…', 5, true)`: one function, with literals alone. */
function call(first: Token[], statement: ByteString): Meaning {
  const [, schema, dot, name, open] = first;
  if (schema?.value !== 'PG_CATALOG' || dot?.value !== '.' || !CALLED.has(name?.value ?? '') || open?.value !== '(')
    throw refused(statement);
  const [, , , , , ...rest] = tokensOf(statement);
  const isPlain = rest.every(({ kind, value }) => kind === 'text' || /^(?:\d+|TRUE|FALSE|[-,)])$/.test(value));
  if (!isPlain || rest.findIndex(({ value, kind }) => kind === 'sign' && value === ')') !== rest.length - 1) throw refused(statement);
  if (name?.value !== 'SET_CONFIG') return { kind: 'run' };
  if (rest[0]?.value !== 'search_path') throw refused(statement);
  return { kind: 'search path' };
}

function extension(tokens: Token[], statement: ByteString): Meaning {
  const words = tokens.map(({ kind, value }) => (kind === 'word' ? value : ''));
  const at = words[2] === 'IF' && words[3] === 'NOT' && words[4] === 'EXISTS' ? 5 : 2;
  const name = tokens[at];
  if (name === undefined || name.kind === 'sign' || name.kind === 'text') throw refused(statement);
  const rest = words.slice(at + 1);
  if (rest.length === 0) return { kind: 'extension', name: nameOf(name), schema: undefined };
  if (rest.length !== 3 || rest[0] !== 'WITH' || rest[1] !== 'SCHEMA') throw refused(statement);
  return { kind: 'extension', name: nameOf(name), schema: nameOf(tokens[at + 3]!) };
}

/** `ALTER TABLE public.x OWNER TO y`; undefined for another change. */
function ownership(tokens: Token[], statement: ByteString): Meaning | undefined {
  const [owner, to, role] = tokens.slice(-3);
  if (owner?.value !== 'OWNER' || owner.kind !== 'word' || to?.value !== 'TO' || to.kind !== 'word' || role === undefined) return undefined;
  let at = 1;
  while (
    tokens[at]?.kind === 'word' &&
    /^(?:MATERIALIZED|FOREIGN|TEXT|SEARCH|LARGE|EVENT|ACCESS|OPERATOR|PROCEDURAL)$/.test(tokens[at]!.value)
  )
    at++;
  const kind = tokens
    .slice(1, at + 1)
    .map(({ value }) => value)
    .join(' ');
  const object = Buffer.from(statement.slice(tokens[at]!.end, owner.start).trim(), 'latin1').toString();
  return { kind: 'owner', ownership: { kind, object, role: nameOf(role) } };
}

/** Rights on objects; those of a role, which `GRANT` gives too, are in no dump of one database. */
function rights(tokens: Token[], statement: ByteString): Meaning {
  const on = tokens.findIndex(({ kind, value }) => kind === 'word' && value === 'ON');
  if (on < 0 || OF_THE_SERVER.has(tokens[on + 1]?.value ?? '')) throw refused(statement);
  return { kind: 'rights' };
}

/** Rebuilt from its words: it has to be executed by one who may do so for another role. */
function defaultRights(tokens: Token[], statement: ByteString): Meaning {
  const words = tokens.map(({ kind, value }) => (kind === 'word' ? value : ''));
  if (words[3] !== 'FOR' || words[4] !== 'ROLE') throw refused(statement);
  const role = nameOf(tokens[5]!);
  let at = 6;
  const rest: string[] = [];
  const quoted = (token: Token | undefined) => {
    if (token === undefined || (token.kind !== 'word' && token.kind !== 'name')) throw refused(statement);
    return token.value === 'PUBLIC' && token.kind === 'word' ? 'PUBLIC' : `"${nameOf(token).replaceAll('"', '""')}"`;
  };
  if (words[at] === 'IN' && words[at + 1] === 'SCHEMA') {
    rest.push('IN SCHEMA', quoted(tokens[at + 2]));
    at += 3;
  }
  const verb = words[at];
  if (verb !== 'GRANT' && verb !== 'REVOKE') throw refused(statement);
  const on = words.indexOf('ON', at);
  const privileges = tokens.slice(at + 1, on);
  if (on < 0 || !privileges.every(({ kind, value }) => (kind === 'word' && /^[A-Z]+$/.test(value)) || value === ','))
    throw refused(statement);
  if (!RIGHTS_ON.has(words[on + 1]!) || words[on + 2] !== (verb === 'GRANT' ? 'TO' : 'FROM')) throw refused(statement);
  rest.push(verb, privileges.map(({ value }) => value).join(' '), 'ON', words[on + 1]!, words[on + 2]!, quoted(tokens[on + 3]));
  const option = words.slice(on + 4).join(' ');
  if (option === 'WITH GRANT OPTION') rest.push(option);
  else if (tokens.length > on + 4) throw refused(statement);
  return { kind: 'default rights', role, rest: rest.join(' ') };
}

/** `COPY schema.table (columns) FROM stdin`: never a file, never a program. */
function copy(tokens: Token[], statement: ByteString): Meaning {
  const [from, stdin] = tokens.slice(-2);
  const isEnd = from?.kind === 'word' && from.value === 'FROM' && stdin?.kind === 'word' && stdin.value === 'STDIN';
  const before = tokens.slice(1, -2);
  const isPlain = before.every(
    ({ kind, value }) =>
      kind === 'name' || (kind === 'word' && value !== 'FROM' && value !== 'TO') || (kind === 'sign' && /^[.,()]$/.test(value)),
  );
  if (!isEnd || !isPlain || before[0] === undefined) throw refused(statement);
  return { kind: 'copy', table: qualifiedName(before) ?? Buffer.from(before[0].raw, 'latin1').toString() };
}

/** `REFRESH MATERIALIZED VIEW schema.view`. */
function refresh([, materialized, view, ...rest]: Token[], statement: ByteString): Meaning {
  const name = qualifiedName(rest);
  if (materialized?.value !== 'MATERIALIZED' || view?.value !== 'VIEW' || name === undefined || rest.length !== 3) throw refused(statement);
  return { kind: 'refresh', view: name };
}

/** The name with its schema that tokens begin with, as it stands there. */
function qualifiedName([schema, dot, name]: Token[]): string | undefined {
  const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'name';
  if (!isName(schema) || dot?.value !== '.' || !isName(name)) return undefined;
  return Buffer.from(`${schema.raw}.${name.raw}`, 'latin1').toString();
}

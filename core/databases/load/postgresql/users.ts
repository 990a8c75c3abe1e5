import type { OwnNames, RebuiltUsers } from '../users.ts';
import { isOwnDatabaseName, isOwnUserName } from '../users.ts';
import { quoteName, quoteText } from './quoting.ts';
import { nameOf, type Token, tokensOf } from './tokens.ts';

const HASH = /^(?:SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+|md5[0-9a-f]{32})$/;
const ON_DATABASES = /^(?:CONNECT|CREATE|TEMPORARY)$/;
/** Settings that a role may change itself, and that load no code. */
const SETTINGS = /^(?:SEARCH_PATH|TIMEZONE|STATEMENT_TIMEOUT|LOCK_TIMEOUT|CLIENT_ENCODING|DATESTYLE|WORK_MEM)$/;

/**
 * The roles of an account, from the text that a backup has of them. Nothing of that text is executed: each line is read by a
 * narrow grammar, and what it says is written anew when the account may have it. No role becomes more than one who logs in.
 */
export function rebuildPostgresqlUsers(text: string, own: OwnNames): RebuiltUsers {
  const users = new Set<string>();
  const before: string[] = [];
  const after: string[] = [];
  const notes: string[] = [];
  for (const line of text.split(/;\n/).filter((each) => each.trim() !== '')) {
    const tokens = [...tokensOf(Buffer.from(line).latin1Slice())];
    const role = makeRole(tokens, own);
    const made = alterRole(tokens, own) ?? makeSetting(tokens, own) ?? makeMember(tokens, own);
    const granted = makeGrant(tokens, own);
    if (role !== undefined) users.add(role);
    else if (made !== undefined) before.push(made);
    else if (granted !== undefined) after.push(granted);
    else notes.push(`left out: ${line.replace(/'[^']*'/g, "'…'").slice(0, 200)}`);
  }
  return { users: [...users], before, after, notes };
}

const wordsOf = (tokens: readonly Token[]): string[] => tokens.map(({ kind, value }) => (kind === 'word' || kind === 'sign' ? value : ''));

function ownRole(token: Token | undefined, own: OwnNames): string | undefined {
  if (token === undefined || (token.kind !== 'word' && token.kind !== 'name')) return undefined;
  const name = nameOf(token);
  return isOwnUserName(own, name) ? quoteName(name) : undefined;
}

function makeRole(tokens: readonly Token[], own: OwnNames): string | undefined {
  const [create, role] = wordsOf(tokens);
  const isOne = create === 'CREATE' && role === 'ROLE' && tokens.length === 3 && ownRole(tokens[2], own) !== undefined;
  return isOne ? nameOf(tokens[2]!) : undefined;
}

/** `ALTER ROLE x WITH … LOGIN … CONNECTION LIMIT … PASSWORD '…' VALID UNTIL '…'`: whether it may log in, by what, how often and how long. */
function alterRole(tokens: readonly Token[], own: OwnNames): string | undefined {
  const words = wordsOf(tokens);
  const name = ownRole(tokens[2], own);
  if (words[0] !== 'ALTER' || words[1] !== 'ROLE' || words[3] !== 'WITH' || name === undefined) return undefined;
  const count = words[words.indexOf('LIMIT') + 1] ?? '';
  const limit = /^\d+$/.test(count) ? ` CONNECTION LIMIT ${count}` : '';
  const end = words.includes('UNTIL') ? tokens[words.indexOf('UNTIL') + 1] : undefined;
  const until = end?.kind === 'text' ? ` VALID UNTIL ${quoteText(Buffer.from(end.value, 'latin1').toString())}` : '';
  const login = `${words.includes('NOLOGIN') ? 'NOLOGIN' : 'LOGIN'}${limit}${until}`;
  const password = tokens[words.indexOf('PASSWORD') + 1];
  if (!words.includes('PASSWORD')) return `ALTER ROLE ${name} WITH ${login}`;
  const hash = password?.kind === 'text' ? password.value : '';
  return HASH.test(hash) ? `ALTER ROLE ${name} WITH ${login} PASSWORD ${quoteText(hash)}` : undefined;
}

function makeSetting(tokens: readonly Token[], own: OwnNames): string | undefined {
  const words = wordsOf(tokens);
  const name = ownRole(tokens[2], own);
  const [set, setting, to] = words.slice(3, 6);
  const value = tokens[6];
  if (words[0] !== 'ALTER' || words[1] !== 'ROLE' || name === undefined || set !== 'SET' || to !== 'TO') return undefined;
  if (!SETTINGS.test(setting!) || value?.kind !== 'text' || tokens.length !== 7) return undefined;
  return `ALTER ROLE ${name} SET ${setting} TO ${quoteText(Buffer.from(value.value, 'latin1').toString())}`;
}

function makeMember(tokens: readonly Token[], own: OwnNames): string | undefined {
  const [grant, , to] = wordsOf(tokens);
  const [role, member] = [ownRole(tokens[1], own), ownRole(tokens[3], own)];
  if (grant !== 'GRANT' || to !== 'TO' || role === undefined || member === undefined || tokens.length > 4) return undefined;
  return `GRANT ${role} TO ${member}`;
}

/** `GRANT CONNECT, CREATE ON DATABASE d TO x`. */
function makeGrant(tokens: readonly Token[], own: OwnNames): string | undefined {
  const words = wordsOf(tokens);
  const on = words.indexOf('ON');
  const [database, role] = [tokens[on + 2], ownRole(tokens[on + 4], own)];
  const privileges = words.slice(1, Math.max(on, 1)).filter((word) => word !== ',');
  const isOnDatabase = words[0] === 'GRANT' && on > 1 && words[on + 1] === 'DATABASE' && words[on + 3] === 'TO';
  if (!isOnDatabase || role === undefined || database === undefined || !privileges.every((each) => ON_DATABASES.test(each)))
    return undefined;
  if (!isOwnDatabaseName(own, nameOf(database))) return undefined;
  return `GRANT ${privileges.join(', ')} ON DATABASE ${quoteName(nameOf(database))} TO ${role}`;
}

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { Failure } from '../../../failure.ts';
import { isOwnDatabase, isOwnUser, LOGIN_PREFIX, newLoginName, SHADOW_PREFIX, unitOfOwnName } from '../../own-names.ts';
import { PostgresqlConnection, type PostgresqlLogin } from '../../sessions/postgresql-connection.ts';
import type { RestoreTurn } from '../turn.ts';
import { quoteName, quoteText } from './quoting.ts';

const ITERATIONS = 4096;

/**
 * A role that may log in, is no member of any other, and owns nothing but what it makes. The server gets a verifier in the place of the
 * password, so that no log of its statements has it.
 */
export async function makeTemporaryLogin(
  admin: PostgresqlConnection,
  { host, port }: PostgresqlLogin,
  unit: string,
): Promise<PostgresqlLogin> {
  const user = newLoginName(unit);
  const password = randomBytes(24).toString('base64url');
  const rights = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';
  await admin.query(`CREATE ROLE ${quoteName(user)} ${rights} PASSWORD ${quoteText(scramVerifier(password))}`);
  return { host, port, user, password };
}

const LOOPBACK = '127.0.0.1';

/**
 * A session of a temporary login. Where the socket is for those alone whom the system knows, it comes by the machine's own network, which
 * only the server itself may hold: anybody else who listened there would get the dump.
 */
export async function openAsLogin(admin: PostgresqlConnection, login: PostgresqlLogin, database: string): Promise<PostgresqlConnection> {
  try {
    return await PostgresqlConnection.open(login, database);
  } catch (error) {
    const [row] = await admin.query("SELECT pg_catalog.current_setting('listen_addresses') AS addresses");
    const addresses = row!.addresses!.split(',').map((each) => each.trim());
    const isListening = addresses.some((each) => ['*', '0.0.0.0', LOOPBACK, 'localhost'].includes(each));
    if (isListening) return await PostgresqlConnection.open({ ...login, host: LOOPBACK }, database);
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.code, error.message, {
      retry: error.retry,
      cause: error,
      advice: 'A restore logs in by a role with a password: pg_hba.conf has to let one in by the socket or by 127.0.0.1 (scram-sha-256).',
    });
  }
}

/** Takes away what restores that were killed left behind. Only for who is alone on this server. */
export async function removeLeftovers(admin: PostgresqlConnection, { unit, isUnderWay }: RestoreTurn): Promise<void> {
  const isLeft = (name: string) => unitOfOwnName(name) === unit || !isUnderWay(unitOfOwnName(name));
  const beginsWith = (column: string, prefix: string) =>
    `pg_catalog.left(${column}::pg_catalog.text, ${prefix.length}) OPERATOR(pg_catalog.=) ${quoteText(prefix)}`;
  for (const { name } of await admin.query(
    `SELECT datname AS name FROM pg_catalog.pg_database WHERE ${beginsWith('datname', SHADOW_PREFIX)}`,
  )) {
    if (isOwnDatabase(name!) && isLeft(name!)) await dropDatabase(admin, name!);
  }
  for (const { name } of await admin.query(
    `SELECT rolname AS name FROM pg_catalog.pg_roles WHERE ${beginsWith('rolname', LOGIN_PREFIX)}`,
  )) {
    if (isOwnUser(name!) && isLeft(name!)) await admin.query(`DROP ROLE ${quoteName(name!)}`);
  }
}

/** Also when somebody is in it. */
export async function dropDatabase(admin: PostgresqlConnection, name: string): Promise<void> {
  await admin.query(
    'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname::pg_catalog.text OPERATOR(pg_catalog.=) $1',
    [name],
  );
  await admin.query(`DROP DATABASE IF EXISTS ${quoteName(name)}`);
}

/** RFC 5802, in the form that PostgreSQL keeps. */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${hmac('Server Key').toString('base64')}`;
}

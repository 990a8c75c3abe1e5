import type { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { Client } from 'pg';
import { Failure } from '../../failure.ts';
import type { SystemUser } from '../../linux/connect-as.ts';
import { PeerSocket } from './peer-socket.ts';
import { type Door, PATIENCE, type Patience, Pulse } from './pulse.ts';
import { RawStatement } from './raw-statement.ts';
import type { Session } from './session-pool.ts';

/** Where a server is, and who asks it. */
export interface PostgresqlLogin {
  /** The folder of its socket, or an address. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  /** The system's user as whom it connects, whom the server knows by that; undefined: as this process. */
  readonly as?: SystemUser | undefined;
}

export type Row = Readonly<Record<string, string | null>>;

/** Milliseconds for a server to let somebody in, or to refuse. */
const CONNECTION_PATIENCE = 10_000;

/** Bytes that may wait to be sent. */
const MOST_WAITING = 4 * 1024 * 1024;

/** A load takes as long as it takes, and one session waits for it; so a limit that is meant for tenants is none here. Not every version has each. */
const WITHOUT_LIMITS = `SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN ('statement_timeout',
  'lock_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`;

/** A session in one database of a server. One statement at a time: a text that holds two is an error of the server's. */
export class PostgresqlConnection implements Session {
  readonly #client: Client;
  readonly #pulse: Pulse;
  #isOpen = true;

  private constructor(client: Client, pulse: Pulse) {
    this.#client = client;
    this.#pulse = pulse;
    // A server that dies is told by the statement that it was to answer.
    client.on('error', () => {
      this.#isOpen = false;
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @throws Failure `database_unreachable` */
  static async open(login: PostgresqlLogin, database: string, patience: Patience = PATIENCE): Promise<PostgresqlConnection> {
    let connection: PostgresqlConnection | undefined;
    try {
      const client = clientFor(login, database);
      connection = new PostgresqlConnection(client, new Pulse(doorOf(login), patience));
      await client.connect();
      // Nothing that stands in the database is found under a name of the system's.
      await connection.query("SET search_path = ''");
      await connection.query(WITHOUT_LIMITS);
      return connection;
    } catch (error) {
      await connection?.close();
      const { host } = login;
      throw new Failure('database_unreachable', `the database server at ${host} refused: ${(error as Error).message}`, {
        affected: [host],
        retry: true,
        cause: error,
      });
    }
  }

  /** The rows that an own statement answers with, as text. */
  async query(sql: string, values: readonly string[] = []): Promise<Row[]> {
    try {
      return (await this.#answer(this.#client.query<Record<string, string | null>>({ text: sql, values: [...values] }))).rows;
    } catch (error) {
      throw failureOf(error as Error & { code?: string });
    }
  }

  /** The same, each row as a list of its values in their order. */
  async rows(sql: string, values: readonly string[] = []): Promise<(string | null)[][]> {
    try {
      return (await this.#answer(this.#client.query<(string | null)[]>({ text: sql, values: [...values], rowMode: 'array' }))).rows;
    } catch (error) {
      throw failureOf(error as Error & { code?: string });
    }
  }

  /** Executes one statement as it is, byte by byte. */
  async execute(statement: Buffer): Promise<void> {
    const raw = this.#client.query(new RawStatement(statement, false));
    await this.#answer(raw.ended).catch((error) => {
      throw failureOf(error);
    });
  }

  /** Executes a `COPY … FROM stdin` and sends it rows in the form of a dump; tells how many the server took. */
  async copy(statement: Buffer, rows: AsyncIterable<Buffer>): Promise<number> {
    const raw = this.#client.query(new RawStatement(statement, true));
    const ended = this.#answer(raw.ended);
    ended.catch(() => {});
    try {
      if (await raw.takesRows) {
        const { connection } = raw;
        let failed = false;
        raw.ended.catch(() => {
          failed = true;
        });
        try {
          for await (const piece of rows) {
            if (failed) break;
            connection!.sendCopyFromChunk(piece);
            if (connection!.stream.writableLength > MOST_WAITING) await drained(connection!.stream, raw.ended);
          }
        } catch (error) {
          raw.endRows('the dump ended');
          throw error;
        }
        raw.endRows();
      }
      await ended;
      return raw.rows;
    } catch (error) {
      throw error instanceof Failure ? error : failureOf(error as Error & { code?: string });
    }
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#client.end().catch(() => {});
  }

  #answer<T>(answer: Promise<T>): Promise<T> {
    return this.#pulse.within(answer, () => this.breakOff());
  }

  breakOff(): void {
    this.#isOpen = false;
    (this.#client as unknown as { connection: { stream: Duplex } }).connection.stream.destroy();
  }
}

/** Asked whether it speaks TLS, a server says yes or no to anybody. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

function doorOf({ host, port }: PostgresqlLogin): Door {
  return { at: host.startsWith('/') ? { path: join(host, `.s.PGSQL.${port}`) } : { host, port }, words: SSL_REQUEST };
}

function clientFor({ host, port, user, password, as }: PostgresqlLogin, database: string): Client {
  return new Client({
    ...(as === undefined ? {} : { stream: () => new PeerSocket(join(host, `.s.PGSQL.${port}`), as) }),
    host,
    port,
    user,
    database,
    // Otherwise the library would look for one in the environment and in files.
    password: password ?? '',
    ssl: false,
    connectionTimeoutMillis: CONNECTION_PATIENCE,
    application_name: 'apiscp-backup',
    types: { getTypeParser: () => (value: string) => value },
  });
}

/** Until what waits is sent, or the statement has ended. */
async function drained(stream: EventEmitter, ended: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once('drain', resolve);
  try {
    await Promise.race([promise, ended.catch(() => {})]);
  } finally {
    stream.off('drain', resolve);
  }
}

/** SQLSTATE of errors that a caller tells apart. */
export const NOT_ALLOWED = '42501';
export const UNKNOWN_ROLE = '42704';

/** A refusal of the server's, with its SQLSTATE. */
export class ServerRefusal extends Failure {
  readonly state: string;

  constructor(state: string, message: string, cause: unknown) {
    super('database_refused', `the database server refused: ${message}`, { cause });
    this.state = state;
  }
}

/** Whether the server refused something because it knows no function, table or type of that name. */
export function isUnknownName(error: unknown): boolean {
  if (error instanceof ServerRefusal) return UNKNOWN_NAMES.has(error.state);
  return error instanceof Failure && isUnknownName(error.cause);
}

const UNKNOWN_NAMES: ReadonlySet<string> = new Set(['42883', '42P01', '42704', '3F000']);

function failureOf(error: Error & { code?: string }): Failure {
  const { message, code = '' } = error;
  if (/^53[01]00$/.test(code) || /No space left|Disk quota exceeded/.test(message)) {
    return new Failure('disk_full', `the database server has no room: ${message}`, { retry: true, cause: error });
  }
  if (['55006', '55P03', '40P01'].includes(code))
    return new Failure('database_busy', `others hold the database: ${message}`, { retry: true, cause: error });
  if (!/^[0-9A-Z]{5}$/.test(code) || /^(?:57P0|08)/.test(code)) {
    return new Failure('database_unreachable', `the database server went away: ${message}`, { retry: true, cause: error });
  }
  return new ServerRefusal(code, message, error);
}

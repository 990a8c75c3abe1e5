import type { Duplex } from 'node:stream';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { Failure } from '../../failure.ts';
import { PATIENCE, type Patience, Pulse } from './pulse.ts';
import type { Session } from './session-pool.ts';

/** Where a server is, and who asks it. */
export interface MysqlLogin {
  readonly socket: string;
  readonly user: string;
  /** None: the system's user is who logs in (unix_socket, auth_socket). */
  readonly password: string | undefined;
}

export type Row = Readonly<Record<string, string | null>>;

/** The errors of the server that another attempt can be without. */
const TOO_BUSY = new Set(['ER_LOCK_WAIT_TIMEOUT', 'ER_LOCK_DEADLOCK']);
const NO_ROOM = new Set(['ER_DISK_FULL', 'ER_RECORD_FILE_FULL', 'ER_ERROR_ON_WRITE', 'ER_TEMP_FILE_WRITE_FAILURE']);

/** A load takes as long as it takes, and one session waits for it; so a limit that is meant for tenants is none here. `M!`: of MariaDB alone. */
const WITHOUT_LIMITS =
  'wait_timeout = 31536000, net_read_timeout = 86400, net_write_timeout = 86400 /*M!100100 , max_statement_time = 0 */';

/**
 * A session of a server. One statement a packet: a text that holds two is an error of the server's. It never sends a file, which
 * a statement may ask a client for.
 */
export class MysqlConnection implements Session {
  readonly #connection: Connection;
  readonly #pulse: Pulse;
  #isOpen = true;

  private constructor(connection: Connection, pulse: Pulse) {
    this.#connection = connection;
    this.#pulse = pulse;
    // A server that dies is told by the statement that it was to answer.
    connection.on('error', () => {
      this.#isOpen = false;
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @throws Failure `database_unreachable` */
  static async open({ socket, user, password }: MysqlLogin, database?: string, patience: Patience = PATIENCE): Promise<MysqlConnection> {
    try {
      const connection = await createConnection({
        socketPath: socket,
        user,
        ...(password === undefined ? {} : { password }),
        // One byte of a text for each of its signs: what is sent is what the dump has.
        charset: 'latin1_swedish_ci',
        multipleStatements: false,
        // With the latter the library would follow the character set that a dump sets.
        flags: ['-LOCAL_FILES', '-SESSION_TRACK'],
        authPlugins: { unix_socket: () => () => Buffer.alloc(0), auth_socket: () => () => Buffer.alloc(0) },
      } as Parameters<typeof createConnection>[0]);
      const session = new MysqlConnection(connection, new Pulse({ at: { path: socket }, words: undefined }, patience));
      await session.query(`SET NAMES utf8mb4, ${WITHOUT_LIMITS}`);
      // Not while logging in: that has room for the letters of Latin1 alone.
      if (database !== undefined) await session.use(database);
      return session;
    } catch (error) {
      throw new Failure('database_unreachable', `the database server at ${socket} refused: ${(error as Error).message}`, {
        affected: [socket],
        retry: true,
        cause: error,
      });
    }
  }

  /** Makes a database the session's own; a session without it ends. */
  async use(database: string): Promise<void> {
    try {
      await this.query(`USE \`${database.replaceAll('`', '``')}\``);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Executes one statement as it is, byte by byte, and tells how many warnings it had. */
  async execute(statement: Buffer): Promise<number> {
    const [result] = await this.#answer(statement.latin1Slice());
    return (result as { warningStatus?: number }).warningStatus ?? 0;
  }

  /** The rows that an own statement answers with, as text. */
  async query(sql: string): Promise<Row[]> {
    const [rows] = await this.#answer(Buffer.from(sql).latin1Slice());
    if (!Array.isArray(rows)) return [];
    const text = (value: unknown): string | null => (Buffer.isBuffer(value) ? value.toString() : null);
    return (rows as RowDataPacket[]).map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, text(value)])));
  }

  /** The same, each row as a list of its values in their order. */
  async rows(sql: string): Promise<(string | null)[][]> {
    const [rows] = await this.#answer(Buffer.from(sql).latin1Slice(), true);
    const text = (value: Buffer | null): string | null => value?.toString() ?? null;
    return Array.isArray(rows) ? (rows as (Buffer | null)[][]).map((row) => row.map(text)) : [];
  }

  /** The one row that an own statement answers with, each value in the bytes that the server has. */
  async bytes(sql: string): Promise<readonly (Buffer | null)[]> {
    const [rows] = await this.#answer(Buffer.from(sql).latin1Slice());
    return Object.values((rows as RowDataPacket[])[0] ?? {}) as (Buffer | null)[];
  }

  /** Ends this session by another one, with the statement that it executes. */
  async kill(by: MysqlConnection): Promise<void> {
    await by.query(`KILL ${Number(this.#connection.threadId)}`).catch(() => {});
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#connection.end().catch(() => this.#connection.destroy());
  }

  breakOff(): void {
    this.#isOpen = false;
    // The library's own way waits until the server closes its end.
    (this.#connection as unknown as { connection: { stream: Duplex } }).connection.stream.destroy();
  }

  async #answer(sql: string, rowsAsArray = false): Promise<[unknown, unknown]> {
    const typeCast = (field: { buffer(): Buffer | null }) => field.buffer();
    try {
      const answer = this.#connection.query({ sql, rowsAsArray, typeCast } as Parameters<Connection['query']>[0]);
      return await this.#pulse.within(answer, () => this.breakOff());
    } catch (error) {
      const failure = failureOf(error as Error & { code?: string; sqlMessage?: string; fatal?: boolean });
      if (failure.code === 'database_unreachable') this.#isOpen = false;
      throw failure;
    }
  }
}

function failureOf(error: Error & { code?: string; sqlMessage?: string; fatal?: boolean }): Failure {
  const message = error.sqlMessage ?? error.message;
  const code = error.code ?? '';
  if (NO_ROOM.has(code) || /No space left|Disk quota exceeded|errno: 28|errno: 122/.test(message)) {
    return new Failure('disk_full', `the database server has no room: ${message}`, { retry: true, cause: error });
  }
  if (TOO_BUSY.has(code)) return new Failure('database_busy', `others hold the database: ${message}`, { retry: true, cause: error });
  if (error.fatal === true && error.sqlMessage === undefined) {
    return new Failure('database_unreachable', `the database server went away: ${message}`, { retry: true, cause: error });
  }
  return new Failure('database_refused', `the database server refused: ${message}`, { cause: error });
}

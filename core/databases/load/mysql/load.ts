import { Failure } from '../../../failure.ts';
import type { ByteString } from '../../../manifest/entry.ts';
import type { MysqlConnection } from '../../sessions/mysql-connection.ts';
import type { LoadRoom } from '../room.ts';
import type { StatementLimit } from '../statement-limit.ts';
import { type CodeKind, type CodeStatement, parseCreate } from './code-objects.ts';
import { type OutwardKey, partOutwardKeys } from './outward-keys.ts';
import { quoteName, quoteText, type ServerKind } from './quoting.ts';
import { isBeyond } from './refusals.ts';
import { LoadSession, MODE_OF_ROWS, type SessionState } from './session.ts';
import { type Statement, StatementSplitter } from './splitter.ts';
import { type Token, tokensOf } from './tokens.ts';

/** A view, trigger, routine or event of the dump, with the session that it was made in. */
export interface CodeObject {
  readonly statement: CodeStatement;
  readonly session: SessionState;
  /** The character set and collation of the database then, where the dump says them; as `CHARACTER SET x COLLATE y`. */
  readonly databaseDefaults: string | undefined;
}

export interface Loaded {
  readonly code: readonly CodeObject[];
  /** Foreign keys into other databases, which are still to be made. */
  readonly outwardKeys: readonly OutwardKey[];
  readonly bytes: number;
}

export interface LoadOrder {
  readonly dump: AsyncIterable<Uint8Array>;
  readonly server: ServerKind;
  /** A session of a login that owns the shadow and nothing else, in the shadow. */
  readonly connection: MysqlConnection;
  readonly limit: StatementLimit;
  readonly shadow: string;
  /** The one that the dump is of. */
  readonly database: string;
  /** Where the server writes. */
  readonly room: LoadRoom;
  readonly signal: AbortSignal;
  /** Called with how many bytes of the dump there were. */
  readonly progress: (bytes: number) => void;
}

/** How much of a statement of rows is looked at: its beginning. */
const HEAD = 4096;

/**
 * Loads a dump into a shadow database. A dump is what somebody else wrote: only statements that dumps consist of are let through, each of
 * them alone; what they may reach is up to the login. The first error ends it.
 *
 * @throws Failure `dump_refused` for what does not belong into a dump, `database_refused` for what the server does not take
 */
export async function loadMysqlDump(order: LoadOrder): Promise<Loaded> {
  const splitter = new StatementSplitter(order.server);
  const loader = new Loader(order, splitter);
  let bytes = 0;
  for await (const chunk of order.dump) {
    splitter.push(chunk);
    await loader.executeAll();
    bytes += chunk.length;
    order.progress(bytes);
  }
  splitter.finish();
  await loader.executeAll();
  return { code: [...loader.code.values()], outwardKeys: loader.outwardKeys, bytes };
}

const NAMES_A_FOLDER = /\bDIRECTORY\b/i;

class Loader {
  readonly code = new Map<string, CodeObject>();
  readonly outwardKeys: OutwardKey[] = [];
  readonly #order: LoadOrder;
  readonly #splitter: StatementSplitter;
  readonly #session = new LoadSession();
  #databaseDefaults: string | undefined;

  constructor(order: LoadOrder, splitter: StatementSplitter) {
    this.#order = order;
    this.#splitter = splitter;
  }

  async executeAll(): Promise<void> {
    for (let statement = this.#splitter.next(); statement !== undefined; statement = this.#splitter.next()) {
      if (this.#order.signal.aborted) throw new Failure('cancelled', 'stopped on request');
      this.#order.room.require(statement.bytes.length);
      const head = statement.bytes.toString('latin1', 0, HEAD);
      try {
        await this.#execute(statement, head);
      } catch (error) {
        if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
        // Without the rows: they are the account's.
        const where = `at byte ${statement.offset} of the dump: ${JSON.stringify(head.replace(/\bVALUES\b[\s\S]*$/, 'VALUES').slice(0, 60))}`;
        throw new Failure(error.code, error.message.includes('of the dump') ? error.message : `${error.message} (${where})`, {
          retry: error.retry,
          ...(error.advice === undefined ? {} : { advice: error.advice }),
          cause: error,
        });
      }
    }
  }

  async #execute({ bytes }: Statement, head: ByteString): Promise<void> {
    const begin = firstTokens(head, 4, this.#session);
    const [verb, second, third] = begin.map(({ kind, value }) => (kind === 'word' ? value : ''));
    switch (verb) {
      case 'INSERT':
        break;
      case 'SET':
        this.#session.apply(bytes.latin1Slice());
        this.#splitter.reading = this.#session.reading;
        await this.#send(bytes);
        // A date such as the 31st of February, which the live one has, would become 0000-00-00 without a word.
        if (this.#session.isForRows) await this.#order.connection.query(`SET sql_mode = '${MODE_OF_ROWS},ALLOW_INVALID_DATES'`);
        return;
      // The shadow is nobody else's: there is nothing to lock, and nothing to wait for.
      case 'LOCK':
      case 'UNLOCK':
        return;
      case 'COMMIT':
        if (begin.length > 1) throw refused(head);
        break;
      case 'CREATE':
        return await this.#create(bytes);
      case 'DROP':
        this.#drop(second!, bytes);
        break;
      case 'ALTER':
        if (second === 'DATABASE') return await this.#alterDatabase(bytes);
        if (second !== 'TABLE') throw refused(head);
        this.#requireKeys(bytes);
        break;
      case 'DO':
      case 'SELECT':
        this.#requireSetval(bytes, second!);
        break;
      default:
        throw refused(head);
    }
    if (verb === 'INSERT' && second !== 'INTO' && !(second === 'IGNORE' && third === 'INTO')) throw refused(head);
    await this.#send(bytes);
  }

  async #send(bytes: Buffer): Promise<void> {
    const { limit, connection } = this.#order;
    await limit.within(() => connection.execute(bytes));
  }

  async #create(bytes: Buffer): Promise<void> {
    const statement = parseCreate(bytes.latin1Slice(), this.#session.reading, this.#order.database);
    if (statement === undefined) {
      await this.#createTable(bytes);
      return;
    }
    try {
      await this.#send(Buffer.from(statement.asleep(), 'latin1'));
    } catch (error) {
      // The login sees nothing but the shadow; what can be made is made in the live database.
      if (!isBeyond(error, statement.kind)) throw error;
    }
    this.code.set(keyOf(statement.kind, statement.name), {
      statement,
      session: this.#session.state(),
      databaseDefaults: this.#databaseDefaults,
    });
  }

  async #createTable(bytes: Buffer): Promise<void> {
    try {
      await (NAMES_A_FOLDER.test(bytes.latin1Slice()) ? this.#sendWithoutFolders(bytes) : this.#send(bytes));
    } catch (error) {
      const { statement, keys } = partOutwardKeys(bytes.latin1Slice(), this.#session.reading);
      if (!isBeyond(error, 'VIEW') || keys.length === 0) throw error;
      await this.#send(Buffer.from(statement, 'latin1'));
      this.outwardKeys.push(...keys);
    }
  }

  /** Where a table's files lie is up to the server: a dump could put them anywhere, and the shadow could not be dropped any more. */
  async #sendWithoutFolders(bytes: Buffer): Promise<void> {
    const { connection } = this.#order;
    const [row] = await connection.query('SELECT @@SESSION.sql_mode AS mode');
    await connection.query(`SET sql_mode = ${quoteText([row!.mode, 'NO_DIR_IN_CREATE'].filter(Boolean).join())}`);
    try {
      await this.#send(bytes);
    } finally {
      await connection.query(`SET sql_mode = ${quoteText(row!.mode ?? '')}`);
    }
  }

  #drop(kind: string, bytes: Buffer): void {
    if (!['TABLE', 'VIEW', 'SEQUENCE', 'TRIGGER', 'PROCEDURE', 'FUNCTION', 'EVENT'].includes(kind))
      throw refused(bytes.toString('latin1', 0, HEAD));
    const [, , , , name, ...rest] = tokensOf(bytes.latin1Slice(), this.#session.reading);
    if (name === undefined || rest.length > 0) throw refused(bytes.toString('latin1', 0, HEAD));
    this.code.delete(keyOf(kind, Buffer.from(name.value, 'latin1').toString()));
  }

  /** A routine remembers what its database was made with; the database of the dump has another name here. */
  async #alterDatabase(bytes: Buffer): Promise<void> {
    const [, , , ...words] = tokensOf(bytes.latin1Slice(), this.#session.reading);
    const text = words.map(({ value }) => value).join(' ');
    const [, set, collation] = /^CHARACTER SET (\w+) COLLATE (\w+)$/.exec(text) ?? [];
    if (set === undefined || words.some(({ kind }) => kind !== 'word')) throw refused(bytes.toString('latin1', 0, HEAD));
    this.#databaseDefaults = `CHARACTER SET ${set} COLLATE ${collation}`;
    await this.#order.connection.query(`ALTER DATABASE ${quoteName(this.#order.shadow)} ${this.#databaseDefaults}`);
  }

  #requireKeys(bytes: Buffer): void {
    const [, , , what, keys, ...rest] = tokensOf(bytes.latin1Slice(), this.#session.reading);
    if (!/^(?:DISABLE|ENABLE)$/.test(what?.value ?? '') || keys?.value !== 'KEYS' || rest.length > 0)
      throw refused(bytes.toString('latin1', 0, HEAD));
  }

  /** `DO SETVAL(name, 5, 0)`. */
  #requireSetval(bytes: Buffer, second: string): void {
    const [, , open, name, ...rest] = tokensOf(bytes.latin1Slice(), this.#session.reading);
    const isPlain = rest.every(({ kind, value }) => kind === 'number' || (kind === 'sign' && /^[-,)]$/.test(value)));
    if (second !== 'SETVAL' || open?.value !== '(' || name?.kind !== 'name' || !isPlain) throw refused(bytes.toString('latin1', 0, HEAD));
  }
}

function firstTokens(head: ByteString, count: number, session: LoadSession): Token[] {
  const found: Token[] = [];
  for (const token of tokensOf(head, session.reading)) {
    found.push(token);
    if (found.length === count) break;
  }
  return found;
}

function keyOf(kind: CodeKind | string, name: string): string {
  return `${kind} ${name}`;
}

function refused(head: ByteString): Failure {
  return new Failure('dump_refused', `no dump has a statement like ${JSON.stringify(head.slice(0, 80))}`);
}

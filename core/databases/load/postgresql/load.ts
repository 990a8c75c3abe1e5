import { isAscii } from 'node:buffer';
import { Failure } from '../../../failure.ts';
import {
  isUnknownName,
  NOT_ALLOWED,
  type PostgresqlConnection,
  ServerRefusal,
  UNKNOWN_ROLE,
} from '../../sessions/postgresql-connection.ts';
import type { LoadRoom } from '../room.ts';
import type { StatementLimit } from '../statement-limit.ts';
import { extensionTables, type FilledTable } from './count-rows.ts';
import { quoteName } from './quoting.ts';
import { DumpSplitter, type Piece } from './splitter.ts';
import { comesBeforeExtensions, type Meaning, meaningOf, type Ownership } from './statements.ts';

export interface DefaultRights {
  readonly role: string;
  readonly rest: string;
}

export interface Loaded {
  readonly bytes: number;
  readonly owners: readonly Ownership[];
  readonly defaultRights: readonly DefaultRights[];
  /** Materialized views whose rows are computed when all belongs to whom it shall belong to, as the dump names them. */
  readonly views: readonly string[];
  /** Tables that got rows, as the dump names them. */
  readonly filled: readonly FilledTable[];
  /** Tables of extensions whose rows the login may not write. */
  readonly unfilled: readonly FilledTable[];
  /** What is not as it was, and why. */
  readonly leftOut: readonly string[];
  /** What could not be brought along, in words. */
  readonly notes: readonly string[];
}

export interface LoadOrder {
  readonly dump: AsyncIterable<Uint8Array>;
  /** A session of a login that owns the shadow and nothing else, in the shadow. */
  readonly connection: PostgresqlConnection;
  readonly limit: StatementLimit;
  /**
   * Schemas in which functions look for what they name without a schema, where they do not say themselves. A dump says none, and names all
   * with theirs, but what a function of the account does it does not know.
   */
  readonly schemas: readonly string[];
  /** Whether they are looked into from the beginning, and not only for what fails otherwise. */
  readonly looksAlways: boolean;
  /** Whether the dump has tables without their rows, to which foreign keys may point. */
  readonly lacksRows: boolean;
  /** Makes an extension that the login may not, when the live database has it; false: it has not. */
  readonly makeExtension: (name: string, schema: string | undefined) => Promise<boolean>;
  /** Where the server writes. */
  readonly room: LoadRoom;
  readonly signal: AbortSignal;
  readonly progress: (bytes: number) => void;
}

/**
 * Loads a dump into a shadow database. A dump is what somebody else wrote: only statements that dumps consist of are let through, each of
 * them alone; what they may reach is up to the login. The first error ends it.
 *
 * @throws Failure `dump_refused` for what does not belong into a dump, `database_refused` for what the server does not take
 */
export async function loadPostgresqlDump(order: LoadOrder): Promise<Loaded> {
  const loader = new Loader(order);
  for await (const piece of loader.pieces()) await loader.execute(piece);
  await loader.finish();
  return loader;
}

/** Of settings, as of roles. */
const UNKNOWN_SETTING = '42704';
const BROKEN_FOREIGN_KEY = '23503';
const NEWLINE = 0x0a;
/** Character sets of a session that leave bytes as they are; the second one knows none. */
const IN_NAMES_AS_HERE: ReadonlySet<string> = new Set(['UTF8', 'SQL_ASCII']);

const FOR_AN_ADMINISTRATOR =
  'Only an administrator can make this. Write the dump to a file with --to, read it, and load it with psql into an empty database.';

class Loader implements Loaded {
  bytes = 0;
  readonly owners: Ownership[] = [];
  readonly defaultRights: DefaultRights[] = [];
  readonly views: string[] = [];
  readonly filled: FilledTable[] = [];
  readonly unfilled: FilledTable[] = [];
  readonly leftOut: string[] = [];
  readonly notes: string[] = [];
  readonly #order: LoadOrder;
  readonly #splitter = new DumpSplitter();
  readonly #pieces: AsyncGenerator<Piece>;
  /** Whether nothing was made so far but what a dump has before its extensions: nothing that an extension's own script could take for its own. */
  #isAtBeginning = true;
  /** Of the session, which is that of the dump. */
  #characterSet = 'UTF8';

  constructor(order: LoadOrder) {
    this.#order = order;
    this.#pieces = this.#read();
  }

  async *pieces(): AsyncGenerator<Piece> {
    for (let next = await this.#pieces.next(); next.done !== true; next = await this.#pieces.next()) yield next.value;
  }

  async *#read(): AsyncGenerator<Piece> {
    for await (const chunk of this.#order.dump) {
      this.#order.room.require(chunk.length);
      this.#splitter.push(chunk);
      this.bytes += chunk.length;
      for (let piece = this.#splitter.next(); piece !== undefined; piece = this.#splitter.next()) yield piece;
      this.#order.progress(this.bytes);
      if (this.#order.signal.aborted) throw new Failure('cancelled', 'stopped on request');
    }
    this.#splitter.finish();
    for (let piece = this.#splitter.next(); piece !== undefined; piece = this.#splitter.next()) yield piece;
  }

  async execute(piece: Piece): Promise<void> {
    if (piece.kind !== 'statement') throw new Failure('internal', 'rows came before the statement that takes them');
    const text = (await this.#inUnicode(piece.bytes)).latin1Slice();
    try {
      const meaning = meaningOf(text);
      await this.#order.limit.within(() => this.#perform(meaning, piece.bytes));
      if (meaning.kind === 'run' && !comesBeforeExtensions(text)) this.#isAtBeginning = false;
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'cancelled' || error.message.includes('of the dump')) throw error;
      const where = `at byte ${piece.offset} of the dump: ${JSON.stringify(text.trim().slice(0, 60))}`;
      const advice = error.advice ?? (error instanceof ServerRefusal && error.state === NOT_ALLOWED ? FOR_AN_ADMINISTRATOR : undefined);
      throw new Failure(error.code, `${error.message} (${where})`, {
        retry: error.retry,
        ...(advice === undefined ? {} : { advice }),
        cause: error,
      });
    }
  }

  /** A statement as it is in UTF-8, for the names in it: a dump is written in the character set of its database. */
  async #inUnicode(bytes: Buffer): Promise<Buffer> {
    if (IN_NAMES_AS_HERE.has(this.#characterSet) || isAscii(bytes)) return bytes;
    try {
      const [row] = await this.#order.connection.query(
        "SELECT pg_catalog.encode(pg_catalog.convert(pg_catalog.decode($1, 'hex'), $2, 'UTF8'), 'hex') AS text",
        [bytes.toString('hex'), this.#characterSet],
      );
      return Buffer.from(row!.text!, 'hex');
    } catch (error) {
      // A comment or a function may have what UTF-8 does not; it is executed as it is.
      if (!(error instanceof ServerRefusal)) throw error;
      return bytes;
    }
  }

  /** What this program asks and is answered is in UTF-8 again. */
  async finish(): Promise<void> {
    if (!IN_NAMES_AS_HERE.has(this.#characterSet)) await this.#order.connection.query("SET client_encoding = 'UTF8'");
  }

  async #perform(meaning: Meaning, bytes: Buffer): Promise<void> {
    switch (meaning.kind) {
      case 'run':
        return await this.#run(bytes);
      case 'setting':
        return await this.#set(bytes);
      case 'refresh':
        return void this.views.push(meaning.view);
      case 'search path':
        return await this.#look(this.#order.looksAlways ? this.#order.schemas : []);
      case 'copy':
        return await this.#copy(meaning.table, bytes);
      case 'owner':
        return void this.owners.push(meaning.ownership);
      case 'default rights':
        return void this.defaultRights.push({ role: meaning.role, rest: meaning.rest });
      case 'extension':
        return await this.#makeExtension(meaning.name, meaning.schema);
      case 'comment on extension':
        return await this.#commentOnExtension(bytes);
      case 'rights':
        return await this.#giveRights(bytes);
    }
  }

  /** A newer program sets limits that an older server does not have. */
  async #set(bytes: Buffer): Promise<void> {
    try {
      await this.#order.connection.execute(bytes);
    } catch (error) {
      if (!isState(error, UNKNOWN_SETTING)) throw error;
    }
    if (!/client_encoding/i.test(bytes.latin1Slice())) return;
    const [row] = await this.#order.connection.query("SELECT pg_catalog.current_setting('client_encoding') AS name");
    this.#characterSet = row!.name!;
  }

  async #look(schemas: readonly string[]): Promise<void> {
    await this.#order.connection.query(`SET search_path = ${schemas.length === 0 ? "''" : schemas.map(quoteName).join(', ')}`);
  }

  /** A statement that fails has left nothing, so it can be tried again. */
  async #run(bytes: Buffer): Promise<void> {
    const { connection, schemas, looksAlways } = this.#order;
    try {
      await connection.execute(bytes);
    } catch (error) {
      if (this.#isKeyToNothing(error, bytes)) return await this.#addUnchecked(bytes);
      if (!isUnknownName(error) || looksAlways) throw error;
      await this.#look(schemas);
      try {
        await connection.execute(bytes);
      } finally {
        await this.#look([]);
      }
    }
  }

  async #makeExtension(name: string, schema: string | undefined): Promise<void> {
    const where = schema === undefined ? '' : ` WITH SCHEMA ${quoteName(schema)}`;
    try {
      await this.#order.connection.execute(Buffer.from(`CREATE EXTENSION IF NOT EXISTS ${quoteName(name)}${where}`));
    } catch (error) {
      if (!(error instanceof ServerRefusal) || error.state !== NOT_ALLOWED || !this.#isAtBeginning) throw error;
      if (await this.#order.makeExtension(name, schema)) return;
      throw new Failure(
        'database_refused',
        `the extension ${name} can be made by an administrator alone, and the live database does not have it`,
        {
          advice: `Make the extension ${name} in the live database (an empty one of the same name will do), then restore again.`,
        },
      );
    }
  }

  /** A foreign key to rows that could not be dumped. */
  #isKeyToNothing(error: unknown, bytes: Buffer): boolean {
    if (!this.#order.lacksRows || !(error instanceof ServerRefusal) || error.state !== BROKEN_FOREIGN_KEY) return false;
    return /^\s*ALTER\s+TABLE\s/i.test(bytes.latin1Slice(0, 100));
  }

  /** It holds for what is written from now on. */
  async #addUnchecked(bytes: Buffer): Promise<void> {
    await this.#order.connection.execute(Buffer.concat([bytes, Buffer.from(' NOT VALID')]));
    const [, constraint] = /\sADD\s+CONSTRAINT\s+("(?:[^"]|"")*"|\S+)/i.exec(bytes.toString()) ?? [];
    this.leftOut.push(`rows to which the foreign key ${constraint} points: it is NOT VALID until they are there`);
  }

  /** What an extension keeps in its own tables may steer the server: those rows it takes from an administrator alone. */
  async #copy(table: string, bytes: Buffer): Promise<void> {
    this.#splitter.expectRows();
    try {
      this.filled.push({ table, rows: await this.#order.connection.copy(bytes, this.#rows()) });
    } catch (error) {
      if (!isState(error, NOT_ALLOWED) || !(await this.#isOfExtension(table))) throw error;
      let rows = 0;
      for await (const piece of this.#rows()) rows += piece.filter((byte) => byte === NEWLINE).length;
      this.unfilled.push({ table, rows });
      if (rows > 0) this.leftOut.push(`${rows} rows of ${table}, a table of an extension: ${error.message}`);
    }
  }

  async #isOfExtension(table: string): Promise<boolean> {
    return (await extensionTables(this.#order.connection, [table])).length > 0;
  }

  async #giveRights(bytes: Buffer): Promise<void> {
    try {
      await this.#order.connection.execute(bytes);
    } catch (error) {
      // What is not the login's is an extension's, with rights that an administrator has given.
      if (!isState(error, UNKNOWN_ROLE) && !isState(error, NOT_ALLOWED)) throw error;
      const reason = error.state === UNKNOWN_ROLE ? 'a role is missing' : 'it is not the account’s to give';
      this.notes.push(`left out, because ${reason}: ${bytes.toString().trim()}`);
    }
  }

  async #commentOnExtension(bytes: Buffer): Promise<void> {
    try {
      await this.#order.connection.execute(bytes);
    } catch (error) {
      if (!isState(error, NOT_ALLOWED)) throw error;
    }
  }

  async *#rows(): AsyncGenerator<Buffer> {
    for (let next = await this.#pieces.next(); ; next = await this.#pieces.next()) {
      if (next.done === true || next.value.kind === 'statement')
        throw new Failure('dump_refused', 'the dump ends within the rows of a table');
      if (next.value.kind === 'end of rows') return;
      this.#order.limit.goesOn();
      yield next.value.bytes;
    }
  }
}

function isState(error: unknown, state: string): error is ServerRefusal {
  return error instanceof ServerRefusal && error.state === state;
}

import type { Duplex } from 'node:stream';
import type { Connection, Submittable } from 'pg';

const NO_NAME = 0;
const PARSE = 0x50;

/** The library's connection, as far as its types leave it out. */
export interface PgConnection {
  readonly stream: Duplex;
  sync(): void;
  flush(): void;
  bind(config: object): void;
  execute(config: object): void;
  sendCopyFromChunk(chunk: Uint8Array): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

/**
 * One statement in the bytes that a dump has. By the extended protocol, where a text that holds two is an error of the server's.
 * Of a `COPY … FROM stdin` the promise `rows` says when rows can be sent.
 */
export class RawStatement implements Submittable {
  readonly ended: Promise<void>;
  /** Resolves to whether the server takes rows. */
  readonly takesRows: Promise<boolean>;
  connection: PgConnection | undefined;
  /** How many rows the server says that the statement was about. */
  rows = 0;
  readonly #bytes: Buffer;
  readonly #isCopy: boolean;
  #isSynced = false;
  readonly #settle = { resolve: (): void => {}, reject: (_: unknown): void => {}, rows: (_: boolean): void => {} };

  constructor(bytes: Buffer, isCopy: boolean) {
    this.#bytes = bytes;
    this.#isCopy = isCopy;
    this.ended = new Promise((resolve, reject) => Object.assign(this.#settle, { resolve, reject }));
    this.takesRows = new Promise((resolve) => Object.assign(this.#settle, { rows: resolve }));
    // Whoever sends rows asks for the end only when all are sent.
    this.ended.catch(() => {});
  }

  submit(connection: Connection): void {
    const open = connection as unknown as PgConnection;
    this.connection = open;
    open.stream.write(parseMessage(this.#bytes));
    open.bind({});
    open.execute({});
    // What follows a statement that takes rows is part of them, up to their end.
    if (this.#isCopy) open.flush();
    else this.#sync();
  }

  handleCopyInResponse(connection: PgConnection): void {
    if (this.#isCopy) this.#settle.rows(true);
    else {
      // What was sent to end the statement counted as part of the rows.
      connection.sendCopyFail('no rows were announced');
      connection.sync();
    }
  }

  handleError(error: Error): void {
    this.#settle.rows(false);
    this.#settle.reject(error);
    // The server passes over everything until then.
    this.#sync();
  }

  /** All rows are sent; or, with a reason, the statement is given up. */
  endRows(failed?: string): void {
    if (this.#isSynced) return;
    if (failed === undefined) this.connection?.endCopyFrom();
    else this.connection?.sendCopyFail(failed);
    this.#sync();
  }

  /** Exactly one for each statement: the server answers each, and an answer too many would be taken for the next statement's. */
  #sync(): void {
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.connection?.sync();
  }

  handleReadyForQuery(): void {
    this.#settle.rows(false);
    this.#settle.resolve();
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.rows = Number(/ (\d+)$/.exec(text)?.[1] ?? 0);
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyData(): void {}
}

function parseMessage(statement: Buffer): Buffer {
  const message = Buffer.alloc(1 + 4 + 1 + statement.length + 1 + 2);
  message[0] = PARSE;
  message.writeUInt32BE(message.length - 1, 1);
  message[5] = NO_NAME;
  statement.copy(message, 6);
  return message;
}

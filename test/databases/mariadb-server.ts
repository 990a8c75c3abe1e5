import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { asUser, PrivateServer } from './private-server.ts';

/** Nothing waits for the disk: what is committed outlives the server's death, not the machine's. */
const FAST = ['--innodb-flush-method=nosync', '--innodb-flush-log-at-trx-commit=2', '--innodb-log-file-size=16M', '--sync-frm=0'];

/**
 * A private MariaDB. Its administrator is `root` with a password, as ApisCP has it, and `optionFile` is what stands in
 * `/root/.my.cnf` there.
 */
export class MariadbServer {
  readonly password = `root's "word" ${'x'.repeat(8)}`;
  readonly #server: PrivateServer;

  private constructor(options: readonly string[]) {
    const command = (folder: string) => [
      ...asUser('mysql'),
      'mariadbd',
      '--no-defaults',
      `--datadir=${folder}/data`,
      `--socket=${folder}/socket`,
      `--log-error=${folder}/log`,
      `--tmpdir=${folder}`,
      '--skip-networking',
      '--skip-log-bin',
      '--innodb-buffer-pool-size=64M',
      '--key-buffer-size=8M',
      '--event-scheduler=ON',
      `--init-file=${folder}/first.sql`,
      ...FAST,
      ...options,
    ];
    this.#server = new PrivateServer('mysql', command, () => this.query('SELECT 1'));
  }

  /** @param options of the server, beside those that every test has */
  static async start(options: readonly string[] = []): Promise<MariadbServer> {
    const server = new MariadbServer(options);
    const { folder } = server.#server;
    const install = [
      '--no-defaults',
      `--datadir=${folder}/data`,
      `--tmpdir=${folder}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      ...FAST,
    ];
    await execa(asUser('mysql')[0]!, [...asUser('mysql').slice(1), 'mariadb-install-db', ...install]);
    writeFileSync(join(folder, 'first.sql'), `ALTER USER root@localhost IDENTIFIED BY ${quoted(server.password)};\n`, { mode: 0o644 });
    const password = server.password.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
    writeFileSync(server.optionFile, `[client]\nuser=root\npassword="${password}"\nsocket=${server.socket}\n`, { mode: 0o600 });
    await server.#server.start();
    return server;
  }

  get folder(): string {
    return this.#server.folder;
  }

  get dataDirectory(): string {
    return join(this.folder, 'data');
  }

  get socket(): string {
    return join(this.folder, 'socket');
  }

  /** An option file of the administrator, readable by root alone. */
  get optionFile(): string {
    return join(this.folder, 'my.cnf');
  }

  get pid(): number {
    return this.#server.pid;
  }

  /** A connection as the administrator or as another; the caller ends it. */
  async connect(as: { readonly user?: string; readonly password?: string; readonly database?: string } = {}): Promise<Connection> {
    const { user = 'root', password = this.password } = as;
    const charset = 'utf8mb4_unicode_ci';
    const database = as.database === undefined ? {} : { database: as.database };
    return await createConnection({
      socketPath: this.socket,
      user,
      password,
      charset,
      multipleStatements: true,
      supportBigNumbers: true,
      ...database,
    });
  }

  /** Runs statements as the administrator, several of them when semicolons part them. */
  async run(sql: string, database?: string): Promise<void> {
    const connection = await this.connect(database === undefined ? {} : { database });
    try {
      await connection.query(sql);
    } finally {
      await connection.end();
    }
  }

  /** The rows that one statement answers with, each by the names of its columns. */
  async query(sql: string, database?: string): Promise<Record<string, unknown>[]> {
    const connection = await this.connect(database === undefined ? {} : { database });
    try {
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      return rows.map((row) => ({ ...row }));
    } finally {
      await connection.end();
    }
  }

  async kill(): Promise<void> {
    await this.#server.kill();
  }

  /** After `kill`. */
  async startAgain(): Promise<void> {
    await this.#server.start();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}

/** A string as a literal of SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** A name as MariaDB quotes it. */
export function named(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

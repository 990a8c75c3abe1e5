import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { Client } from 'pg';
import { asUser, PrivateServer } from './private-server.ts';

/** Where the newest PostgreSQL of this machine keeps its programs. */
export function postgresqlPrograms(): string {
  const base = '/usr/lib/postgresql';
  const newest = Math.max(...readdirSync(base).map(Number).filter(Number.isFinite));
  return join(base, String(newest), 'bin');
}

/**
 * A private PostgreSQL. Its administrator is `postgres` with a password, as ApisCP has it, and `passwordFile` is what stands in
 * `/root/.pgpass` there.
 */
export class PostgresqlServer {
  readonly password = String.raw`it's "a:word\with" odd signs`;
  readonly #server: PrivateServer;

  private constructor(options: readonly string[]) {
    this.port = Number(options.find((option) => option.startsWith('port='))?.slice('port='.length) ?? 5432);
    const settings = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'shared_buffers=32MB', ...options];
    const command = (folder: string) => [
      ...asUser('postgres'),
      join(postgresqlPrograms(), 'postgres'),
      '-D',
      `${folder}/data`,
      ...['listen_addresses=', `unix_socket_directories=${folder}`, ...settings].flatMap((each) => ['-c', each]),
    ];
    this.#server = new PrivateServer('postgres', command, () => this.query('SELECT 1'));
  }

  /** @param options of the server as `name=value`, beside those that every test has */
  static async start(options: readonly string[] = []): Promise<PostgresqlServer> {
    const server = new PostgresqlServer(options);
    const { folder } = server.#server;
    const passwordFile = join(folder, 'first-password');
    writeFileSync(passwordFile, `${server.password}\n`, { mode: 0o644 });
    const initdb = [
      '--no-sync',
      '-D',
      join(folder, 'data'),
      '-U',
      'postgres',
      `--pwfile=${passwordFile}`,
      '-A',
      'scram-sha-256',
      '-E',
      'UTF8',
    ];
    const [first, ...rest] = [...asUser('postgres'), join(postgresqlPrograms(), 'initdb'), ...initdb, '--locale=C.UTF-8'];
    await execa(first!, rest);
    rmSync(passwordFile);
    const escaped = server.password.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
    writeFileSync(server.passwordFile, `*:*:*:postgres:${escaped}\n`, { mode: 0o600 });
    await server.#server.start();
    return server;
  }

  get folder(): string {
    return this.#server.folder;
  }

  /** The folder of the socket: what libpq takes for a host. */
  get socketFolder(): string {
    return this.folder;
  }

  /** Part of the socket's name; of the network where an option has it listen there. */
  readonly port: number;

  /** A password file of the administrator, readable by root alone. */
  get passwordFile(): string {
    return join(this.folder, 'pgpass');
  }

  get pid(): number {
    return this.#server.pid;
  }

  /** A connection as the administrator or as another; the caller ends it. */
  async connect(as: { readonly user?: string; readonly password?: string; readonly database?: string } = {}): Promise<Client> {
    const { user = 'postgres', password = this.password, database = 'postgres' } = as;
    const client = new Client({ host: this.socketFolder, port: this.port, user, password, database });
    // A server that is killed is the test's doing.
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** Runs statements as the administrator, several of them when semicolons part them. */
  async run(sql: string, database?: string): Promise<void> {
    await this.query(sql, database);
  }

  /** The rows that one statement answers with, each by the names of its columns. */
  async query(sql: string, database?: string): Promise<Record<string, unknown>[]> {
    const client = await this.connect(database === undefined ? {} : { database });
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
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

/** A name as PostgreSQL quotes it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string as a literal of SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

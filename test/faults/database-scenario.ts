import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RestoreDatabaseResult } from '../../core/schemas/restore-database.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import type { VerifyResult } from '../../core/schemas/verify.ts';
import { SmallWorld, UNIT } from '../crashes/small-world.ts';
import { makeMariadbAccount, makePostgresqlAccount } from '../databases/account.ts';
import { MariadbServer } from '../databases/mariadb-server.ts';
import { PostgresqlServer } from '../databases/postgresql-server.ts';
import type { Fault } from './layer/fault.ts';
import { expectGood } from './run-scenario.ts';
import { type Attempt, type Scenario, underFault } from './scenario.ts';
import type { Ended, Server } from './server.ts';

const ACCOUNT = { prefix: 'one_', user: 'owner1', password: 'pw', databases: ['wp'] };
const DATABASE = 'one_wp';
/** What a restore calls what it has replaced, and what it is about to put in a place. */
const OF_RESTORES = /^one_wp.+/;

/** What stands in both databases: in the backup, and now. */
const [THEN, NOW] = ['the text of then', 'the text of now'];

/** Real servers of both kinds, with a database of one account each. */
class Databases {
  readonly mariadb: MariadbServer;
  readonly postgresql: PostgresqlServer;

  private constructor(mariadb: MariadbServer, postgresql: PostgresqlServer) {
    this.mariadb = mariadb;
    this.postgresql = postgresql;
  }

  static async start(): Promise<Databases> {
    const databases = new Databases(...(await Promise.all([MariadbServer.start(), PostgresqlServer.start()])));
    await makeMariadbAccount(databases.mariadb, ACCOUNT);
    await makePostgresqlAccount(databases.postgresql, ACCOUNT);
    for (const server of databases.all) await server.run(`CREATE TABLE posts (text TEXT); INSERT INTO posts VALUES ('${THEN}')`, DATABASE);
    return databases;
  }

  get all(): readonly (MariadbServer | PostgresqlServer)[] {
    return [this.mariadb, this.postgresql];
  }

  /** The text in each database; undefined where it, or its table, is not there. */
  texts(): Promise<unknown[]> {
    return Promise.all(
      this.all.map((server) =>
        server.query('SELECT text FROM posts', DATABASE).then(
          (rows) => rows.map(({ text }) => text).join(),
          () => undefined,
        ),
      ),
    );
  }

  async change(): Promise<void> {
    for (const server of this.all) await server.run(`UPDATE posts SET text = '${NOW}'`, DATABASE);
  }

  /** The names of the databases that restores have made, by the server. */
  async leftBeside(): Promise<readonly string[][]> {
    const [mysql, postgresql] = await Promise.all([
      this.mariadb.query('SELECT schema_name AS name FROM information_schema.schemata'),
      this.postgresql.query('SELECT datname AS name FROM pg_database'),
    ]);
    return [mysql, postgresql].map((rows) =>
      rows.map(({ name }) => String(name)).filter((name) => OF_RESTORES.test(name) || name.startsWith('apiscp')),
    );
  }

  async dropBeside(): Promise<void> {
    const [mysql = [], postgresql = []] = await this.leftBeside();
    for (const name of mysql) await this.mariadb.run(`DROP DATABASE \`${name}\``);
    for (const name of postgresql) await this.postgresql.run(`DROP DATABASE "${name}"`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((server) => server.stop()));
  }
}

/** An account with databases on real servers: a run that dumps them, or a restore that brings them back. */
export class DatabaseScenario implements Scenario {
  readonly #world: SmallWorld;
  readonly #databases: Databases;
  readonly #kind: 'run' | 'restore';

  private constructor(world: SmallWorld, databases: Databases, kind: 'run' | 'restore') {
    this.#world = world;
    this.#databases = databases;
    this.#kind = kind;
  }

  static async prepare(kind: 'run' | 'restore'): Promise<DatabaseScenario> {
    const databases = await Databases.start();
    const world = new SmallWorld();
    const { mariadb, postgresql } = databases;
    for (const service of ['mysql', 'pgsql'])
      world.write(`info/current/${service}`, `[${service}]\nenabled = 1\ndbaseprefix = one_\ndbaseadmin = owner1\n`);
    world.settings = {
      ...world.settings,
      databases: {
        mysql: { socket: mariadb.socket, credentials: mariadb.optionFile },
        postgresql: { socket: postgresql.socketFolder, credentials: postgresql.passwordFile },
      },
    };
    await world.prepare('init', {});
    await world.prepare('run', { units: [UNIT], level: 'full' });
    if (kind === 'run') {
      await databases.change();
      world.change(1);
    }
    return new DatabaseScenario(world, databases, kind);
  }

  #perform(server: Server): Promise<Ended<unknown>> {
    if (this.#kind === 'run') return runOf(server);
    return restoreOf(server);
  }

  async #server(): Promise<Server> {
    if (this.#kind === 'restore') await this.#databases.change();
    return this.#world.copy();
  }

  async count(): Promise<readonly number[]> {
    const server = await this.#server();
    const { ended, counts } = await underFault(undefined, () => this.#perform(server));
    expectGood(ended);
    server.remove();
    return counts;
  }

  async attempt(fault: Fault): Promise<Attempt> {
    const server = await this.#server();
    try {
      const { ended, hits, wrong } = await underFault(fault, () => this.#perform(server));
      if (ended.result === undefined && ended.error === undefined) wrong.push('it failed and nobody knows why');
      wrong.push(
        ...(this.#kind === 'run'
          ? await this.#wrongRun(server, ended as Ended<RunResult>)
          : await this.#wrongRestore(server, ended as Ended<RestoreDatabaseResult>)),
      );
      return { hits, exitCode: ended.exitCode, wrong };
    } finally {
      server.remove();
    }
  }

  async #wrongRun(server: Server, { exitCode, result }: Ended<RunResult>): Promise<string[]> {
    const wrong: string[] = [];
    const [unit] = result?.units ?? [];
    if (exitCode === 0) wrong.push(...(await this.#dumpsOf(server, unit?.snapshot ?? undefined)));
    if (unit !== undefined && unit.status === 'partial' && unit.warnings.length === 0) wrong.push('it is partial and nobody knows why');
    if (unit !== undefined && unit.status === 'failed' && unit.error === null) wrong.push('it failed and nobody knows why');
    const verified = await server.command<VerifyResult>('verify', {});
    if (verified.exitCode !== 0) wrong.push(`verify ended with ${verified.exitCode}`);
    for (const id of this.#world.states.keys())
      wrong.push(...(await this.#dumpsOf(server, id, THEN)).map((each) => `the one before: ${each}`));
    const next = await runOf(server);
    if (next.exitCode !== 0) wrong.push(`the next run ended with ${next.exitCode}: ${next.error?.message ?? JSON.stringify(next.result)}`);
    const newest = next.result?.units[0]?.snapshot ?? undefined;
    wrong.push(...(await this.#dumpsOf(server, newest)).map((each) => `after the next run: ${each}`));
    return wrong;
  }

  /** What a snapshot lacks of the dumps that it should have. */
  async #dumpsOf(server: Server, at: string | undefined, text = NOW): Promise<string[]> {
    if (at === undefined) return ['there is no snapshot'];
    const to = join(server.folder, 'aside');
    const { exitCode } = await server.command<RestoreResult>('restore', { unit: UNIT, at, to });
    const wrong = exitCode === 0 ? [] : [`${at} restores with ${exitCode}`];
    for (const engine of ['mysql', 'postgresql']) {
      const file = join(to, 'databases', engine, `${DATABASE}.sql`);
      if (!textOf(file).includes(text)) wrong.push(`${at} has no whole dump of ${engine}`);
    }
    rmSync(to, { recursive: true, force: true });
    return wrong;
  }

  async #wrongRestore(server: Server, { exitCode, result }: Ended<RestoreDatabaseResult>): Promise<string[]> {
    const wrong: string[] = [];
    const texts = await this.#databases.texts();
    if (exitCode === 0 && texts.some((text) => text !== THEN)) wrong.push(`exit 0, and the databases have ${texts}`);
    if (exitCode === 0 && result?.status !== 'ok') wrong.push(`exit 0 and ${result?.status}`);
    for (const text of texts)
      if (text !== THEN && text !== NOW) wrong.push(`a database has ${text}: neither what it had nor what it should get`);
    const failed = result?.databases.filter((each) => each.result === 'failed' && each.error === null) ?? [];
    if (failed.length > 0) wrong.push('a database failed and nobody knows why');
    const next = await restoreOf(server);
    if (next.exitCode !== 0)
      wrong.push(`the next restore ended with ${next.exitCode}: ${next.error?.message ?? JSON.stringify(next.result?.databases)}`);
    const after = await this.#databases.texts();
    if (after.some((text) => text !== THEN)) wrong.push(`after the next restore the databases have ${after}`);
    const left = (await this.#databases.leftBeside()).flat().filter((name) => !name.includes('_before_'));
    wrong.push(...left.map((name) => `${name} is left`));
    await this.#databases.dropBeside();
    return wrong;
  }

  async remove(): Promise<void> {
    this.#world.remove();
    await this.#databases.stop();
  }
}

function runOf(server: Server): Promise<Ended<RunResult>> {
  return server.command<RunResult>('run', { units: [UNIT], level: 'incremental' });
}

function restoreOf(server: Server): Promise<Ended<RestoreDatabaseResult>> {
  return server.command<RestoreDatabaseResult>('restoreDatabase', { unit: UNIT, all: true });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

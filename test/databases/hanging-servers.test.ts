import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { MysqlConnection } from '../../core/databases/sessions/mysql-connection.ts';
import { PostgresqlConnection } from '../../core/databases/sessions/postgresql-connection.ts';
import { failureOf } from '../failure-of.ts';
import { MariadbServer } from './mariadb-server.ts';
import { PostgresqlServer } from './postgresql-server.ts';

const PATIENCE = { every: 50, answer: 100, silence: 300 };

describe('a database server that answers nobody any more', function () {
  this.timeout(60_000);
  let mariadb: MariadbServer;
  let postgresql: PostgresqlServer;
  before(async () => {
    [mariadb, postgresql] = await Promise.all([MariadbServer.start(), PostgresqlServer.start()]);
  });
  after(async () => {
    await mariadb?.stop();
    await postgresql?.stop();
  });

  /** While the server is stopped, as one whose disk has gone. */
  async function whileStopped<T>({ pid }: { readonly pid: number }, work: () => Promise<T>): Promise<T> {
    process.kill(pid, 'SIGSTOP');
    try {
      // The signal comes later than the call ends: until each of its threads has it, the server may answer.
      while (readdirSync(`/proc/${pid}/task`).some((task) => !/\) T/.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8'))))
        await setImmediate();
      return await work();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  it('is given up in the middle of a statement, and one that takes long and answers others is not', async () => {
    const { socket, password } = mariadb;
    const session = await MysqlConnection.open({ socket, user: 'root', password }, undefined, PATIENCE);
    expect(await session.rows('SELECT SLEEP(1)')).to.deep.equal([['0']]);
    expect((await whileStopped(mariadb, () => failureOf(() => session.rows('SELECT 1')))).code).to.equal('database_unreachable');
    expect(session.isOpen).to.equal(false);
    await session.close();
  });

  it('is given up by PostgreSQL’s sessions too, also while rows are sent', async () => {
    const { socketFolder: host, port, password } = postgresql;
    const open = () => PostgresqlConnection.open({ host, port, user: 'postgres', password }, 'postgres', PATIENCE);
    const session = await open();
    expect(await session.rows('SELECT pg_sleep(1)')).to.deep.equal([['']]);
    // A session has a process of its own, which the postmaster's stop does not stop.
    const [[backend]] = (await session.rows('SELECT pg_backend_pid()')) as [[string]];
    process.kill(Number(backend), 'SIGSTOP');
    expect((await whileStopped(postgresql, () => failureOf(() => session.rows('SELECT 1')))).code).to.equal('database_unreachable');
    process.kill(Number(backend), 'SIGCONT');
    await session.close();
    const other = await open();
    await other.query('CREATE TEMPORARY TABLE filled (word text)');
    const [[second]] = (await other.rows('SELECT pg_backend_pid()')) as [[string]];
    const rows = async function* () {
      yield Buffer.from('one\n');
      process.kill(Number(second), 'SIGSTOP');
    };
    const copied = await whileStopped(postgresql, () => failureOf(() => other.copy(Buffer.from('COPY filled FROM stdin'), rows())));
    process.kill(Number(second), 'SIGCONT');
    expect(copied.code).to.equal('database_unreachable');
    await other.close();
  });
});

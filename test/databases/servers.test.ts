import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { isAlive } from '../processes.ts';
import { makeMariadbAccount, makePostgresqlAccount } from './account.ts';
import { MariadbServer } from './mariadb-server.ts';
import { PostgresqlServer } from './postgresql-server.ts';

const ACCOUNT = { prefix: 'example_', user: 'exampleadm', password: "it's secret", databases: ['wp', "o'dd-name"], furtherUsers: ['web'] };

describe('The private servers of these tests', () => {
  it('give an account its databases in MariaDB, keep them when killed, and are gone afterwards', async () => {
    const server = await MariadbServer.start();
    const { folder, pid } = server;
    try {
      await makeMariadbAccount(server, ACCOUNT);
      const own = await server.connect({ user: 'exampleadm', password: ACCOUNT.password, database: "example_o'dd-name" });
      await own.query('CREATE TABLE t (word TEXT); INSERT INTO t VALUES ("𝄞")');
      await own.end();
      await server.kill();
      await server.startAgain();
      expect(await server.query('SELECT word FROM t', "example_o'dd-name")).to.deep.equal([{ word: '𝄞' }]);
    } finally {
      await server.stop();
    }
    expect([existsSync(folder), isAlive(pid)]).to.deep.equal([false, false]);
  });

  it('give an account its databases in PostgreSQL, keep them when killed, and are gone afterwards', async () => {
    const server = await PostgresqlServer.start();
    const { folder, pid } = server;
    try {
      await makePostgresqlAccount(server, ACCOUNT);
      const own = await server.connect({ user: 'exampleadm', password: ACCOUNT.password, database: "example_o'dd-name" });
      await own.query(`CREATE TABLE t (word TEXT); INSERT INTO t VALUES ('𝄞')`);
      await own.end();
      await server.query('CHECKPOINT');
      await server.kill();
      await server.startAgain();
      expect(await server.query('SELECT word FROM t', "example_o'dd-name")).to.deep.equal([{ word: '𝄞' }]);
    } finally {
      await server.stop();
    }
    expect([existsSync(folder), isAlive(pid)]).to.deep.equal([false, false]);
  });

  it('are gone when the test that had them has died', async () => {
    const script = `import { MariadbServer } from ${JSON.stringify(join(import.meta.dirname, 'mariadb-server.ts'))};
      const server = await MariadbServer.start(); console.log(JSON.stringify([server.folder, server.pid])); setInterval(() => {}, 1000);`;
    const test = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [folder, pid] = await new Promise<[string, number]>((resolve) => test.stdout.once('data', (data) => resolve(JSON.parse(data))));
    expect(isAlive(pid)).to.equal(true);
    test.kill('SIGKILL');
    while (isAlive(pid) || existsSync(folder)) await sleep(20);
  });
});

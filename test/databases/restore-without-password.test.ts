import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { makePostgresqlAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { PostgresqlServer } from './postgresql-server.ts';

const ACCOUNT = { prefix: 'one_', user: 'owner1', password: 'pw', databases: ['wp'] };

describe('a PostgreSQL that knows root by nothing but the system’s user postgres', function () {
  this.timeout(120_000);
  let server: PostgresqlServer;
  let site: DatabaseSite;

  before(async () => {
    server = await PostgresqlServer.start(['listen_addresses=127.0.0.1', `port=${await freePort()}`]);
    await makePostgresqlAccount(server, ACCOUNT);
    await server.run("CREATE TABLE posts (id int PRIMARY KEY, text text); INSERT INTO posts VALUES (1, 'one')", 'one_wp');
    site = new DatabaseSite({ postgresql: server });
    site.setLogin('pgsql', 'one_', 'owner1');
    site.setDatabases({ postgresql: { socket: server.socketFolder, port: server.port, credentials: join(site.folder, 'none') } });
    await site.init();
  });
  after(async () => {
    await server?.stop();
    await site?.remove();
  });

  /** Changes who is let in how. */
  const allow = async (...rules: string[]): Promise<void> => {
    writeFileSync(join(server.folder, 'data/pg_hba.conf'), rules.map((rule) => `${rule}\n`).join(''));
    process.kill(server.pid, 'SIGHUP');
    // The test's own sessions are refused as soon as the server has read it.
    while (
      await server.query('SELECT 1').then(
        () => true,
        () => false,
      )
    );
  };
  const restore = async () => {
    const { stdout, exitCode } = await site.start(['restore-database', 'site1', 'postgresql/one_wp']);
    return { answer: JSON.parse(String(stdout)), exitCode };
  };

  it('is backed up, and a database comes back by a login of the restore’s own through the socket', async () => {
    await allow('local all postgres peer', 'local all all scram-sha-256');
    await site.backUp();
    const { answer, exitCode } = await restore();
    expect(exitCode, JSON.stringify(answer)).to.equal(0);
    expect(answer.databases[0]).to.include({ result: 'ok', tables: 1, rows: 1 });
  });

  it('or, where the socket lets nobody in with a password, through the machine’s own network', async () => {
    await allow('local all all peer', 'host all all 127.0.0.1/32 scram-sha-256');
    const { answer, exitCode } = await restore();
    expect(exitCode, JSON.stringify(answer)).to.equal(0);
    expect(answer.databases[0]).to.include({ result: 'ok', rows: 1 });
  });

  it('says what is missing where no login is let in, and leaves the live database as it was', async () => {
    await site.backUp();
    await allow('local all postgres peer', 'local all all reject');
    const { answer, exitCode } = await restore();
    expect(exitCode).to.equal(1);
    expect(answer.databases[0].error).to.include({ code: 'database_unreachable' });
    await allow('local all all peer');
    expect((await site.backUp()).status).to.equal('unchanged');
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

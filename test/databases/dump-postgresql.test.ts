import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makePostgresqlAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { PostgresqlServer } from './postgresql-server.ts';

describe('dumps of PostgreSQL', function () {
  this.timeout(120_000);
  let server: PostgresqlServer;
  let site: DatabaseSite;

  before(async () => {
    server = await PostgresqlServer.start();
    await makePostgresqlAccount(server, {
      prefix: 'one_',
      user: 'owner1',
      password: "o'1",
      databases: ['wp', 'empty'],
      furtherUsers: ['reader'],
    });
    await server.run(
      "CREATE TABLE posts (id INT PRIMARY KEY, text TEXT); INSERT INTO posts VALUES (1, 'Grüße 😀 (a);'), (2, E'\\\\.\\n'), (3, NULL); CREATE TABLE none (id int); SELECT lo_from_bytea(0, 'large')",
      'one_wp',
    );
    site = new DatabaseSite({ postgresql: server });
    site.setLogin('pgsql', 'one_', 'owner1');
    await site.init();
  });

  after(async () => {
    await server?.stop();
    await site?.remove();
  });

  it('store each database as a file of the snapshot, which the record describes', async () => {
    await site.backUp();
    const folder = await site.restoreAside();
    const dump = readFileSync(join(folder, 'databases/postgresql/one_wp.sql'), 'utf8');
    const { one_wp, one_empty } = site.recorded();
    expect(one_wp).to.include({
      engine: 'postgresql',
      result: 'ok',
      tables: 2,
      rows: 3,
      size: Buffer.byteLength(dump),
      characterSet: 'UTF8',
    });
    expect(one_empty).to.include({ result: 'ok', tables: 0, rows: 0 });
    expect(dump).to.include('lowrite');
  });

  it('cost nothing when nothing has changed', async () => {
    const unit = await site.backUp();
    expect(unit.status).to.equal('unchanged');
  });
});

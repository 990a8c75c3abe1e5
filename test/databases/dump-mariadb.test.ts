import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeMariadbAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { MariadbServer } from './mariadb-server.ts';

describe('dumps of MariaDB', function () {
  this.timeout(120_000);
  let server: MariadbServer;
  let site: DatabaseSite;

  before(async () => {
    server = await MariadbServer.start();
    await makeMariadbAccount(server, { prefix: 'one_', user: 'owner1', password: "o'1", databases: ['wp', 'empty'] });
    await server.run(
      "CREATE TABLE posts (id INT PRIMARY KEY, text TEXT); INSERT INTO posts VALUES (1, 'Grüße 😀 (a);'), (2, '\\'); ('), (3, NULL)",
      'one_wp',
    );
    site = new DatabaseSite({ mariadb: server });
    site.setLogin('mysql', 'one_', 'owner1');
    await site.init();
  });

  after(async () => {
    await server?.stop();
    await site?.remove();
  });

  it('store each database as a file of the snapshot, which the record describes', async () => {
    await site.backUp();
    const folder = await site.restoreAside();
    const dump = readFileSync(join(folder, 'databases/mysql/one_wp.sql'), 'utf8');
    expect(dump)
      .to.include("(1,'Grüße 😀 (a);')")
      .and.to.match(/-- Dump completed\n$/);
    const { one_wp, one_empty } = site.recorded();
    expect(one_wp).to.include({
      engine: 'mysql',
      result: 'ok',
      tables: 1,
      rows: 3,
      size: Buffer.byteLength(dump),
      characterSet: 'utf8mb4',
    });
    expect(one_empty).to.include({ result: 'ok', tables: 0, rows: 0 });
  });

  it('cost nothing when nothing has changed', async () => {
    const unit = await site.backUp();
    expect(unit.status).to.equal('unchanged');
  });
});

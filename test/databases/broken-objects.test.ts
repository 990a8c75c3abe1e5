import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { RestoreDatabaseResult } from '../../core/schemas/restore-database.ts';
import { makeMariadbAccount, makePostgresqlAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { MariadbServer } from './mariadb-server.ts';
import { PostgresqlServer } from './postgresql-server.ts';

const ONE = { prefix: 'one_', user: 'owner1', password: 'pw', databases: ['wp', 'other'] };

describe('A database of which something cannot be dumped', function () {
  this.timeout(120_000);
  let mariadb: MariadbServer;
  let postgresql: PostgresqlServer;
  let site: DatabaseSite;

  before(async () => {
    [mariadb, postgresql] = await Promise.all([
      MariadbServer.start(['--myisam-recover-options=OFF']),
      PostgresqlServer.start(['autovacuum=off']),
    ]);
    await makeMariadbAccount(mariadb, ONE);
    await makePostgresqlAccount(postgresql, ONE);
    await damageMariadb();
    await damagePostgresql();
    site = new DatabaseSite({ mariadb, postgresql });
    site.setLogin('mysql', 'one_', 'owner1');
    site.setLogin('pgsql', 'one_', 'owner1');
    await site.init();
  });
  after(async () => {
    await mariadb?.stop();
    await postgresql?.stop();
    await site?.remove();
  });

  const damageMariadb = async (): Promise<void> => {
    await mariadb.run(
      `CREATE TABLE posts (id INT PRIMARY KEY, text TEXT); INSERT INTO posts VALUES (1, 'one'), (2, 'two');
       CREATE TABLE \`cra\`\`shed\` (id INT PRIMARY KEY, text TEXT) ENGINE=MyISAM;
       INSERT INTO \`cra\`\`shed\` SELECT seq, REPEAT('x', 100) FROM seq_1_to_1000;
       CREATE TABLE unreadable (id INT PRIMARY KEY);
       CREATE VIEW of_posts AS SELECT id FROM posts; CREATE VIEW of_crashed AS SELECT id FROM \`cra\`\`shed\`;
       CREATE TRIGGER before_posts BEFORE INSERT ON posts FOR EACH ROW SET NEW.text = 'triggered'`,
      'one_wp',
    );
    await mariadb.run('CREATE TABLE posts (id INT PRIMARY KEY); INSERT INTO posts VALUES (1)', 'one_other');
    await mariadb.run('FLUSH TABLES', 'one_wp');
    const of = (file: string) => join(mariadb.dataDirectory, 'one_wp', file);
    // Its last rows are gone, as after a crash; the definition of the other one cannot be read.
    truncateSync(of('cra@0060shed.MYD'), 50_000);
    writeFileSync(of('unreadable.frm'), 'nothing');
  };

  const damagePostgresql = async (): Promise<void> => {
    const client = await postgresql.connect({ user: ONE.user, password: ONE.password, database: 'one_wp' });
    await client.query(
      `CREATE TABLE posts (id int PRIMARY KEY, text text); INSERT INTO posts VALUES (1, 'one'), (2, 'two');
       CREATE TABLE "dam""aged" (id int PRIMARY KEY, text text); INSERT INTO "dam""aged" SELECT n, repeat('x', 100) FROM generate_series(1, 1000) n;
       CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES "dam""aged"); INSERT INTO children VALUES (1, 2);
       CREATE VIEW of_damaged AS SELECT count(*) FROM "dam""aged";`,
    );
    await client.end();
    await postgresql.run('CHECKPOINT');
    const [row] = await postgresql.query(`SELECT pg_relation_filepath('"dam""aged"') AS path`, 'one_wp');
    await postgresql.kill();
    const file = openSync(join(postgresql.folder, 'data', String(row!.path)), 'r+');
    writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, 8192 * 2);
    closeSync(file);
    await postgresql.startAgain();
  };

  const restore = async (...args: string[]): Promise<RestoreDatabaseResult> => {
    const { stdout } = await site.start(['restore-database', 'site1', ...args]);
    return JSON.parse(String(stdout));
  };

  it('is dumped without it, which the run and the record name; so are the other databases and the files', async () => {
    const { result } = await site.run();
    expect([result.status, result.units[0]?.error]).to.deep.equal(['partial', null]);
    const warnings = result.units[0]?.warnings.map(({ code, path, message }) => `${code} ${path}: ${message}`) ?? [];
    expect(warnings, warnings.join('\n')).to.have.length(3);
    expect(warnings[0]).to.match(/^database_incomplete databases\/mysql\/one_wp.sql: the table unreadable cannot be dumped: .*left out$/);
    expect(warnings[1]).to.match(/the table cra`shed cannot be dumped: .*crashed/);
    expect(warnings[2]).to.match(/postgresql\/one_wp.sql: the rows of public."dam""aged" cannot be dumped: invalid page/);
    const { stdout } = await site.start(['databases', 'site1']);
    const databases = new Map<string, Record<string, unknown>>(
      JSON.parse(String(stdout)).databases.map((each: Record<string, unknown>) => [`${each.engine}/${each.name}`, each]),
    );
    expect(databases.get('mysql/one_wp')).to.deep.include({ result: 'ok', tables: 1, rows: 2 });
    expect(databases.get('mysql/one_wp')?.leftOut).to.have.length(2);
    expect(databases.get('postgresql/one_wp')).to.deep.include({ result: 'ok', tables: 2, rows: 3 });
    for (const name of ['mysql/one_other', 'postgresql/one_other'])
      expect(databases.get(name)).to.include({ result: 'ok' }).and.not.to.have.property('leftOut');
    expect((await site.restore('shadow/index.html', '--to', join(site.folder, 'aside'))).result.status).to.equal('ok');
  });

  it('comes back without it, and the restore says so', async () => {
    await mariadb.run("UPDATE posts SET text = 'broken'", 'one_wp');
    await postgresql.run("UPDATE posts SET text = 'broken'", 'one_wp');
    const { status, databases } = await restore('mysql/one_wp', 'postgresql/one_wp');
    expect([status, ...databases.map(({ result }) => result)], JSON.stringify(databases)).to.deep.equal(['partial', 'partial', 'partial']);
    const [ofMariadb, ofPostgresql] = databases.map(({ leftOut }) => leftOut.join('\n'));
    expect(ofMariadb)
      .to.match(/the table unreadable could not be dumped/)
      .and.match(/the view of_crashed/);
    expect(ofPostgresql)
      .to.match(/the rows of public."dam""aged" could not be dumped/)
      .and.match(/children_parent_fkey.*NOT VALID/);
    const rows = [{ text: 'one' }, { text: 'two' }];
    for (const server of [mariadb, postgresql])
      expect(await server.query('SELECT text FROM posts ORDER BY id', 'one_wp')).to.deep.equal(rows);
    expect(await postgresql.query('SELECT * FROM of_damaged', 'one_wp')).to.deep.equal([{ count: '0' }]);
    const triggers = "SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'one_wp'";
    expect(await mariadb.query(triggers)).to.deep.equal([{ name: 'before_posts' }]);
    expect(databases[0]?.notes.join()).to.include('unreadable of what was live is broken');
  });
});

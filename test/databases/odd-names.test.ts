import { expect } from 'chai';
import type { RestoreDatabaseResult } from '../../core/schemas/restore-database.ts';
import { makeMariadbAccount, makePostgresqlAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { describeMariadb } from './every-kind-of-mariadb.ts';
import { dumpPostgresql } from './every-kind-of-postgresql.ts';
import { MariadbServer, named, quoted } from './mariadb-server.ts';
import { identifier, PostgresqlServer } from './postgresql-server.ts';

/** Parts of names that some program reads as something else. */
const NAMES = ['-dash', 'a.b', `q'"\`\\q`, 'percent%41\nline/b\tc ü_ß.', 'case'];
// The longest names that there are.
const NAMES_OF_MARIADB = [...NAMES, 'CASE', 'l'.repeat(60), '中'.repeat(45)];
const NAMES_OF_POSTGRESQL = [...NAMES, '中'.repeat(19)];

/** Names of objects within a database, for the same reason. */
const OBJECTS = ['a.b', `q'"\`q`, 'order', '-- x', '/*!99999 x', '; x', 'back\\slash', 'DELIMITER', 'ü', 't'.repeat(60)];

describe('Databases of odd names', function () {
  this.timeout(240_000);
  let mariadb: MariadbServer;
  let postgresql: PostgresqlServer;
  let site: DatabaseSite;
  let describedMariadb: Record<string, unknown>;
  let dumpedPostgresql: string;

  before(async () => {
    [mariadb, postgresql] = await Promise.all([MariadbServer.start(), PostgresqlServer.start()]);
    const account = { prefix: 'one_', user: 'owner1', password: 'pw' };
    await makeMariadbAccount(mariadb, { ...account, databases: NAMES_OF_MARIADB });
    await makePostgresqlAccount(postgresql, { ...account, databases: NAMES_OF_POSTGRESQL });
    for (const [index, name] of NAMES_OF_MARIADB.entries()) await mariadb.run(`CREATE TABLE t AS SELECT ${index} AS n`, `one_${name}`);
    const odd = OBJECTS.flatMap((name) => [
      `CREATE TABLE ${named(name)} (${named(name)} TEXT, ${named(`k${name}`.slice(0, 60))} INT PRIMARY KEY)`,
      `INSERT INTO ${named(name)} VALUES (${quoted(name)}, 1)`,
      `CREATE VIEW ${named(`v${name}`)} AS SELECT * FROM ${named(name)}`,
      `CREATE TRIGGER ${named(`t${name}`.slice(0, 60))} BEFORE INSERT ON ${named(name)} FOR EACH ROW SET NEW.${named(name)} = ${quoted(name)}`,
      `CREATE PROCEDURE ${named(`p${name}`.slice(0, 60))}() SELECT ${quoted(name)}`,
      `CREATE EVENT ${named(`e${name}`.slice(0, 60))} ON SCHEDULE EVERY 1 DAY DO SELECT ${quoted(name)}`,
    ]);
    const definer = await mariadb.connect({ user: 'owner1', password: 'pw', database: 'one_a.b' });
    await definer.query(odd.join(';\n'));
    await definer.end();
    describedMariadb = await describeMariadb(mariadb, 'one_a.b');
    await mariadb.run('CREATE TABLE u (a INT); CREATE VIEW w AS SELECT * FROM u; DROP TABLE u', 'one_a.b');
    for (const [index, name] of NAMES_OF_POSTGRESQL.entries())
      await postgresql.run(`CREATE TABLE t AS SELECT ${index} AS n; ALTER TABLE t OWNER TO owner1`, `one_${name}`);
    const inSchema = OBJECTS.flatMap((name) => [
      `CREATE SCHEMA ${identifier(name)}`,
      `CREATE TABLE ${identifier(name)}.${identifier(name)} (${identifier(name)} text, id serial PRIMARY KEY)`,
      `INSERT INTO ${identifier(name)}.${identifier(name)} VALUES ('x')`,
      `CREATE VIEW ${identifier(name)}.${identifier(`v${name}`)} AS SELECT * FROM ${identifier(name)}.${identifier(name)}`,
      `CREATE FUNCTION ${identifier(name)}.${identifier(`f${name}`)}(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
      `CREATE TYPE ${identifier(name)}.${identifier(`y${name}`)} AS ENUM ('a''b', 'c\\d')`,
    ]);
    const owner = await postgresql.connect({ user: 'owner1', password: 'pw', database: 'one_a.b' });
    await owner.query(inSchema.join(';\n'));
    await owner.end();
    dumpedPostgresql = String(await dumpPostgresql(postgresql, 'one_a.b'));
    site = new DatabaseSite({ mariadb, postgresql });
    for (const service of ['mysql', 'pgsql'] as const) site.setLogin(service, 'one_', 'owner1');
    await site.init();
  });
  after(async () => {
    await mariadb?.stop();
    await postgresql?.stop();
    await site?.remove();
  });

  it('are dumped and brought back, each as itself', async () => {
    const { warnings } = (await site.run()).result.units[0]!;
    // It is broken, and that is all that is wrong here.
    expect(warnings.map(({ code, message }) => `${code}: ${message}`)).to.have.length(1);
    expect(warnings[0]!.message).to.contain('the view w cannot be dumped');
    const all = [...NAMES_OF_MARIADB.map((name) => `mysql/one_${name}`), ...NAMES_OF_POSTGRESQL.map((name) => `postgresql/one_${name}`)];
    const { stdout } = await site.start(['restore-database', 'site1', '--all']);
    const { status, databases } = JSON.parse(String(stdout)) as RestoreDatabaseResult;
    const partial = databases.filter(({ result }) => result !== 'ok').map(({ name, leftOut }) => `${name}: ${leftOut.join('; ')}`);
    expect(partial, JSON.stringify(databases)).to.have.length(1);
    expect(partial[0]).to.match(/^one_a\.b: the view w could not be dumped: [^;]+$/);
    expect(status).to.equal('partial');
    expect(databases.map(({ engine, name }) => `${engine}/${name}`)).to.have.members(all);
    for (const [index, name] of NAMES_OF_MARIADB.entries())
      expect(await mariadb.query('SELECT n FROM t', `one_${name}`), name).to.deep.equal([{ n: index }]);
    for (const [index, name] of NAMES_OF_POSTGRESQL.entries())
      expect(await postgresql.query('SELECT n FROM t', `one_${name}`), name).to.deep.equal([{ n: index }]);
  });

  it('bring their objects back, whatever those are called', async () => {
    const now = await describeMariadb(mariadb, 'one_a.b');
    for (const key of new Set([...Object.keys(now), ...Object.keys(describedMariadb)]))
      expect(now[key], key).to.deep.equal(describedMariadb[key]);
    expect(String(await dumpPostgresql(postgresql, 'one_a.b'))).to.equal(dumpedPostgresql);
  });
});

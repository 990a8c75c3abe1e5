import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { failureOf } from '../failure-of.ts';
import { makePostgresqlAccount } from './account.ts';
import { dumpPostgresql, fillEveryKind } from './every-kind-of-postgresql.ts';
import { PostgresqlServer } from './postgresql-server.ts';
import { PostgresqlRestores } from './restoring.ts';

const ACCOUNT = {
  prefix: 'example_',
  user: 'exampleadm',
  password: "it's secret",
  databases: ['wp', 'o\'dd "name'],
  furtherUsers: ['web'],
};
const STEPS = ['make shadow', 'load', 'give', 'swap', 'rename shadow', 'commit'];

describe('Bringing a PostgreSQL database back', () => {
  let server: PostgresqlServer;
  before(async () => {
    server = await PostgresqlServer.start();
    await makePostgresqlAccount(server, ACCOUNT);
    await fillEveryKind(server, ACCOUNT.user, ACCOUNT.password, 'example_wp');
    await server.run('ALTER TABLE log OWNER TO example_web', 'example_wp');
    await server.run(`ALTER DATABASE example_wp SET search_path TO public, "odd; ""schema"`);
    await server.run("ALTER DATABASE example_wp SET work_mem TO '5MB'");
  });
  after(() => server.stop());

  const restore: PostgresqlRestores['restore'] = (bytes, given) => new PostgresqlRestores(server, ACCOUNT).restore(bytes, given);
  const asOwner = async (...statements: string[]) => {
    const client = await server.connect({ user: ACCOUNT.user, password: ACCOUNT.password, database: 'example_wp' });
    try {
      for (const sql of statements) await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const databases = async () =>
    (await server.query('SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1')).map(({ datname }) => datname);
  const ofTheDatabase = () =>
    server.query(
      "SELECT datname, pg_get_userbyid(datdba), datacl::text, setconfig FROM pg_database LEFT JOIN pg_db_role_setting ON setdatabase = oid WHERE datname = 'example_wp'",
    );
  const temporaryRoles = () => server.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'apbk%'");

  it('makes every kind of object equal to what it was, while others are connected, and keeps what was live', async () => {
    const before = await ofTheDatabase();
    const bytes = await dumpPostgresql(server, 'example_wp');
    await server.run('DROP TABLE children CASCADE; DROP TYPE mood CASCADE; INSERT INTO parents VALUES (77)', 'example_wp');
    const other = await server.connect({ user: ACCOUNT.user, password: ACCOUNT.password, database: 'example_wp' });
    await other.query('BEGIN; SELECT * FROM parents');
    const outcome = await restore(bytes, {
      description: { name: 'example_wp', characterSet: 'UTF8', collation: 'C.UTF-8', tables: 10, rows: 15 },
    });
    expect(outcome).to.deep.equal({ tables: 10, rows: 15, bytes: bytes.length, replaced: 'example_wp_replaced', leftOut: [], notes: [] });
    expect((await dumpPostgresql(server, 'example_wp')).toString()).to.equal(bytes.toString());
    expect(await ofTheDatabase()).to.deep.equal(before);
    expect(await server.query('SELECT id FROM parents WHERE id = 77', 'example_wp_replaced')).to.have.length(1);
    expect([await temporaryRoles(), await databases()]).to.deep.equal([
      [],
      ['example_o\'dd "name', 'example_wp', 'example_wp_replaced', 'postgres'],
    ]);
    await server.run('DROP DATABASE example_wp_replaced');
  });

  it('leaves what is live as it was when any step fails', async () => {
    const bytes = await dumpPostgresql(server, 'example_wp');
    for (const failing of STEPS) {
      const failure = await failureOf(() =>
        restore(bytes, {
          step: (name) => {
            if (name === failing) throw new Failure('io_error', `at ${name}`);
          },
        }),
      );
      expect([failing, failure.message]).to.deep.equal([failing, `at ${failing}`]);
      expect([await temporaryRoles(), await databases()]).to.deep.equal([[], ['example_o\'dd "name', 'example_wp', 'postgres']]);
    }
    expect((await dumpPostgresql(server, 'example_wp')).toString()).to.equal(bytes.toString());
  });

  it('changes nothing when the server dies while it loads, and the next restore takes away what that one left', async () => {
    const bytes = await dumpPostgresql(server, 'example_wp');
    async function* dying() {
      yield bytes.subarray(0, bytes.length / 2);
      await server.kill();
      yield bytes.subarray(bytes.length / 2);
    }
    expect((await failureOf(() => restore(bytes, { dump: dying }))).code).to.equal('database_unreachable');
    await server.startAgain();
    expect((await temporaryRoles()).length).to.equal(1);
    const step = (name: string) => {
      if (name === 'make shadow') throw new Failure('io_error', 'enough');
    };
    await failureOf(() => restore(bytes, { step }));
    expect([await temporaryRoles(), await databases()]).to.deep.equal([[], ['example_o\'dd "name', 'example_wp', 'postgres']]);
    expect((await dumpPostgresql(server, 'example_wp')).toString()).to.equal(bytes.toString());
  });

  it('brings back what a function of the account computes that names things without their schema', async () => {
    await asOwner(
      `CREATE TABLE words (id int, word text); INSERT INTO words VALUES (1, 'A');
       CREATE FUNCTION low(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN lower($1); END';
       CREATE FUNCTION lowest(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN low($1); END';
       CREATE FUNCTION many() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM words); END';
       CREATE TABLE checked (word text CHECK (lowest(word) <> 'b')); INSERT INTO checked VALUES ('a');`,
      // Versions from 17 on do not look there for what they compute by themselves, so there is nothing of the kind to be dumped.
      'CREATE INDEX by_lowest ON words (lowest(word)); CREATE MATERIALIZED VIEW counted AS SELECT many() AS n',
    );
    const bytes = await dumpPostgresql(server, 'example_wp');
    expect(await restore(bytes)).to.include({ replaced: 'example_wp_replaced', rows: 17 });
    expect((await dumpPostgresql(server, 'example_wp')).toString()).to.equal(bytes.toString());
    await server.run('DROP DATABASE example_wp_replaced');
  });

  it('leaves a materialized view empty that cannot be computed any more, and says so', async () => {
    await asOwner(
      'CREATE TABLE divisors (n int); INSERT INTO divisors VALUES (1); CREATE MATERIALIZED VIEW parts AS SELECT 1 / n AS part FROM divisors; UPDATE divisors SET n = 0',
    );
    const { leftOut } = await restore(await dumpPostgresql(server, 'example_wp'));
    expect(leftOut).to.deep.equal(['the rows of MATERIALIZED VIEW public.parts: the database server refused: division by zero']);
    expect(await server.query('SELECT n FROM divisors', 'example_wp')).to.deep.equal([{ n: 0 }]);
    await server.run('DROP DATABASE example_wp_replaced');
    await asOwner('DROP MATERIALIZED VIEW parts; DROP TABLE divisors');
  });

  it('compares texts afterwards as before, by whichever library', async () => {
    const [row] = await server.query('SHOW server_version_num');
    if (Number(row!.server_version_num) < 150_000) return;
    await server.run(
      "CREATE DATABASE example_icu OWNER exampleadm TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-u-kn-true' ENCODING 'UTF8'",
    );
    const bytes = await dumpPostgresql(server, 'example_icu');
    await restore(bytes, { target: 'example_icu' });
    const sorted = "SELECT w FROM (VALUES ('a10'), ('a9')) AS v (w) ORDER BY w";
    expect(await server.query(sorted, 'example_icu')).to.deep.equal([{ w: 'a9' }, { w: 'a10' }]);
    await server.run('DROP DATABASE example_wp_replaced');
    await server.run('DROP DATABASE example_icu');
  });

  it('is not broken off by limits that the server has for sessions of tenants', async () => {
    await server.run("ALTER ROLE ALL SET statement_timeout = '700ms'");
    await server.run("ALTER ROLE ALL SET idle_in_transaction_session_timeout = '700ms'");
    const [row] = await server.query('SHOW server_version_num');
    if (Number(row!.server_version_num) >= 140_000) await server.run("ALTER ROLE ALL SET idle_session_timeout = '700ms'");
    const bytes = await dumpPostgresql(server, 'example_wp');
    async function* slow() {
      yield bytes.subarray(0, bytes.length / 2);
      await sleep(2000);
      yield bytes.subarray(bytes.length / 2);
    }
    try {
      expect(await restore(bytes, { dump: slow })).to.include({ replaced: 'example_wp_replaced' });
    } finally {
      await server.run('ALTER ROLE ALL RESET ALL');
    }
    await server.run('DROP DATABASE example_wp_replaced');
  });
});

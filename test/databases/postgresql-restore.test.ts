import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { failureOf } from '../failure-of.ts';
import { makePostgresqlAccount } from './account.ts';
import { dumpPostgresql, fillEveryKind } from './every-kind-of-postgresql.ts';
import { PostgresqlServer } from './postgresql-server.ts';
import { KILLED_POSTGRESQL, PostgresqlRestores } from './restoring.ts';

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

  it('is in its place whole or not at all when its process or the server dies in the exchange', async () => {
    const bytes = await dumpPostgresql(server, 'example_wp');
    const clean = [[], ['example_o\'dd "name', 'example_wp', 'postgres']];
    const asBefore = async (at: string) => {
      await new PostgresqlRestores(server, ACCOUNT).settle();
      expect([await temporaryRoles(), await databases()], at).to.deep.equal(clean);
      expect((await dumpPostgresql(server, 'example_wp')).toString(), at).to.equal(bytes.toString());
    };
    const { socketFolder, port, password } = server;
    for (const step of process.env.SLOW === undefined ? ['commit'] : STEPS) {
      const order = { server: { socketFolder, port, password }, account: ACCOUNT, dump: bytes.toString('base64'), step };
      const script = ['--input-type=module', '--eval', KILLED_POSTGRESQL, join(import.meta.dirname, 'restoring.ts'), JSON.stringify(order)];
      expect(spawnSync(process.execPath, script, { encoding: 'utf8' })).to.include({ signal: 'SIGKILL' });
      // The server rolls back what nobody ends when it comes to notice.
      await asBefore(`the process at ${step}`);
    }
    for (const failing of process.env.SLOW === undefined ? ['commit'] : STEPS) {
      const step = async (name: string) => void (name === failing && (await server.kill()));
      expect((await failureOf(() => restore(bytes, { step }))).code, failing).to.equal('database_unreachable');
      await server.startAgain();
      await asBefore(`the server at ${failing}`);
    }
  });

  it('brings back what a function of the account computes that names things without their schema', async () => {
    await asOwner(
      `CREATE TABLE words (id int, word text); INSERT INTO words VALUES (1, 'A'); ALTER TABLE words FORCE ROW LEVEL SECURITY;
       CREATE FUNCTION low(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN lower($1); END';
       CREATE FUNCTION lowest(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN low($1); END';
       CREATE FUNCTION many() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM words); END';
       CREATE TABLE checked (word text CHECK (lowest(word) <> 'b')); INSERT INTO checked VALUES ('a');`,
    );
    // Versions from 17 on do not look there for what they compute by themselves, so there is nothing of the kind to be dumped.
    const [version] = await server.query('SHOW server_version_num');
    if (Number(version!.server_version_num) < 170_000)
      await asOwner('CREATE INDEX by_lowest ON words (lowest(word)); CREATE MATERIALIZED VIEW counted AS SELECT many() AS n');
    const bytes = await dumpPostgresql(server, 'example_wp');
    expect(await restore(bytes)).to.include({ replaced: 'example_wp_replaced', rows: 17 });
    expect((await dumpPostgresql(server, 'example_wp')).toString()).to.equal(bytes.toString());
    await server.run('DROP DATABASE example_wp_replaced');
  });

  it('brings tables back whole that hide rows from their owner, with their policies', async () => {
    await asOwner(
      `CREATE TABLE hidden (id int PRIMARY KEY, owner text DEFAULT current_user);
       INSERT INTO hidden SELECT n FROM generate_series(1, 5) AS n;
       CREATE TABLE seen (id int PRIMARY KEY REFERENCES hidden); INSERT INTO seen VALUES (5);
       CREATE FUNCTION wanted() RETURNS int STABLE LANGUAGE sql AS $$ SELECT 2 $$;
       CREATE POLICY few ON hidden AS PERMISSIVE FOR SELECT TO example_web USING (owner = current_user AND id < wanted());
       CREATE POLICY fewer ON hidden AS RESTRICTIVE USING (id > 1) WITH CHECK (id > 2);
       CREATE POLICY nobody ON seen USING (EXISTS (SELECT FROM hidden WHERE hidden.id = seen.id));
       ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; ALTER TABLE hidden FORCE ROW LEVEL SECURITY;
       ALTER TABLE seen ENABLE ROW LEVEL SECURITY; ALTER TABLE seen FORCE ROW LEVEL SECURITY;
       CREATE POLICY own ON hidden FOR SELECT TO exampleadm USING (owner = current_user AND id < 4);
       CREATE MATERIALIZED VIEW shown AS SELECT id FROM hidden; CREATE MATERIALIZED VIEW mine AS SELECT current_user AS me;
       ALTER TABLE parents FORCE ROW LEVEL SECURITY`,
      'REFRESH MATERIALIZED VIEW shown',
    );
    const bytes = await dumpPostgresql(server, 'example_wp');
    expect((await restore(bytes)).leftOut).to.deep.equal([]);
    expect((await dumpPostgresql(server, 'example_wp')).toString()).to.equal(bytes.toString());
    // Computed as who owns them, and not as who loaded them.
    const shown = 'SELECT (SELECT array_agg(id ORDER BY id) FROM shown) AS shown, (SELECT me FROM mine) AS me';
    expect(await server.query(shown, 'example_wp')).to.deep.equal([{ shown: [2, 3], me: 'exampleadm' }]);
    const all = 'SELECT (SELECT count(*)::int FROM hidden) AS hidden, (SELECT count(*)::int FROM seen) AS seen';
    expect(await server.query(all, 'example_wp')).to.deep.equal([{ hidden: 5, seen: 1 }]);
    const client = await server.connect({ user: ACCOUNT.user, password: ACCOUNT.password, database: 'example_wp' });
    try {
      expect((await client.query('SELECT id FROM hidden')).rows).to.deep.equal([{ id: 2 }, { id: 3 }]);
    } finally {
      await client.end();
    }
    await server.run('DROP DATABASE example_wp_replaced');
    await asOwner(
      'DROP MATERIALIZED VIEW mine; DROP TABLE hidden CASCADE; DROP TABLE seen; DROP FUNCTION wanted; ALTER TABLE parents NO FORCE ROW LEVEL SECURITY',
    );
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
    // It is gone, and the backup alone knows.
    const locale = { provider: 'icu', ctype: 'C.UTF-8', name: 'de-u-kn-true' } as const;
    const described = { name: 'example_icu', characterSet: 'UTF8', collation: 'C.UTF-8', locale, tables: null, rows: null };
    expect((await restore(bytes, { target: 'example_icu', description: described })).notes).to.deep.equal([]);
    expect(await server.query(sorted, 'example_icu')).to.deep.equal([{ w: 'a9' }, { w: 'a10' }]);
    await server.run('DROP DATABASE example_icu');
  });

  it('brings names back that stand in another character set, and what bytes without one say', async () => {
    for (const [set, word] of Object.entries({ LATIN1: 'größe', EUC_JP: '表', SQL_ASCII: 'größe' })) {
      const name = `example_${set.toLowerCase()}`;
      await server.run(`CREATE DATABASE ${name} OWNER exampleadm TEMPLATE template0 ENCODING '${set}' LC_COLLATE 'C' LC_CTYPE 'C'`);
      const client = await server.connect({ user: ACCOUNT.user, password: ACCOUNT.password, database: name });
      await client.query(
        `CREATE SCHEMA "${word}"; CREATE TABLE "${word}"."${word}" ("${word}" text); INSERT INTO "${word}"."${word}" VALUES ('${word}');
         CREATE MATERIALIZED VIEW "m${word}" AS SELECT * FROM "${word}"."${word}"; COMMENT ON MATERIALIZED VIEW "m${word}" IS '${word}';
         ALTER DEFAULT PRIVILEGES IN SCHEMA "${word}" GRANT SELECT ON TABLES TO example_web`,
      );
      await client.end();
      await server.run(`CREATE TABLE "of web ${word}" (i int); ALTER TABLE "of web ${word}" OWNER TO example_web`, name);
      if (set === 'SQL_ASCII') await server.run(`INSERT INTO "${word}"."${word}" VALUES (convert_from('\\xfffe', 'SQL_ASCII'))`, name);
      const before = await dumpPostgresql(server, name);
      const description = { name, characterSet: set, collation: 'C', tables: 2, rows: set === 'SQL_ASCII' ? 2 : 1 };
      const { leftOut, notes } = await restore(before, { target: name, description });
      expect([leftOut, notes], set).to.deep.equal([[], []]);
      expect((await dumpPostgresql(server, name)).latin1Slice(), set).to.equal(before.latin1Slice());
      await server.run(`DROP DATABASE example_wp_replaced`);
      await server.run(`DROP DATABASE ${name}`);
    }
  });

  it('makes an extension that is for administrators alone when the live database has it, also behind a collation', async () => {
    const available = await server.query("SELECT 1 FROM pg_available_extensions WHERE name = 'pageinspect'");
    if (available.length === 0) return;
    await server.run('CREATE EXTENSION pageinspect', 'example_wp');
    const bytes = await dumpPostgresql(server, 'example_wp');
    expect(bytes.toString()).to.match(/CREATE COLLATION.*CREATE EXTENSION[^;]*pageinspect/s);
    expect(await restore(bytes)).to.deep.include({ replaced: 'example_wp_replaced', leftOut: [] });
    expect(await server.query("SELECT 1 AS there FROM pg_extension WHERE extname = 'pageinspect'", 'example_wp')).to.deep.equal([
      { there: 1 },
    ]);
    await server.run('DROP DATABASE example_wp_replaced');
    await server.run('DROP EXTENSION pageinspect', 'example_wp');
  });

  it('brings back what somebody has added to the tables of an extension, as far as the account may write there', async () => {
    const [row] = await server.query('SHOW server_version');
    const folder = `/usr/share/postgresql/${Number.parseInt(String(row!.server_version), 10)}/extension`;
    if (!existsSync(folder)) return;
    const files = [join(folder, 'apiscp_backup_test.control'), join(folder, 'apiscp_backup_test--1.sql')] as const;
    writeFileSync(files[0], "default_version = '1'\ntrusted = true\nrelocatable = true\n");
    const marked = ['theirs', 'all']
      .map((name) => `SELECT pg_catalog.pg_extension_config_dump('${name}_rows', 'WHERE id > 10');`)
      .join('\n');
    const tables =
      'CREATE TABLE theirs_rows (id int); INSERT INTO theirs_rows VALUES (1); CREATE TABLE all_rows (id int); GRANT ALL ON all_rows TO PUBLIC;';
    writeFileSync(files[1], `${tables}\n${marked}`);
    try {
      await asOwner('CREATE EXTENSION apiscp_backup_test', 'INSERT INTO all_rows VALUES (11), (12)');
      const described = { name: 'example_wp', characterSet: 'UTF8', collation: 'C.UTF-8' };
      const bytes = await dumpPostgresql(server, 'example_wp');
      const { tables: inAll, rows, leftOut } = await restore(bytes, { description: { ...described, tables: 14, rows: 19 } });
      expect([inAll, rows, leftOut]).to.deep.equal([13, 19, []]);
      expect(await server.query('SELECT id FROM all_rows', 'example_wp')).to.deep.equal([{ id: 11 }, { id: 12 }]);
      await server.run('DROP DATABASE example_wp_replaced');
      await server.run('INSERT INTO theirs_rows VALUES (13)', 'example_wp');
      const again = await restore(await dumpPostgresql(server, 'example_wp'));
      expect(again.leftOut.join()).to.match(/^1 rows of public.theirs_rows, a table of an extension: .*permission denied/);
      await server.run('DROP DATABASE example_wp_replaced');
      await asOwner('DROP EXTENSION apiscp_backup_test');
    } finally {
      for (const file of files) rmSync(file, { force: true });
    }
  });

  it('is not broken off by limits that the server has for sessions of tenants', async () => {
    await server.run("ALTER ROLE ALL SET statement_timeout = '700ms'");
    await server.run("ALTER ROLE ALL SET idle_in_transaction_session_timeout = '700ms'");
    const [row] = await server.query('SHOW server_version_num');
    if (Number(row!.server_version_num) >= 140_000) await server.run("ALTER ROLE ALL SET idle_session_timeout = '700ms'");
    // A newer program sets a limit that an older server does not know.
    const dump = (await dumpPostgresql(server, 'example_wp')).latin1Slice();
    const bytes = Buffer.from(dump.replace('SET lock_timeout = 0;\n', 'SET lock_timeout = 0;\nSET transaction_timeout = 0;\n'), 'latin1');
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

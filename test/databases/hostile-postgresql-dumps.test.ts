import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadPostgresqlDump } from '../../core/databases/load/postgresql/load.ts';
import { makeTemporaryLogin, removeLeftovers } from '../../core/databases/load/postgresql/temporary-login.ts';
import { LoadRoom } from '../../core/databases/load/room.ts';
import { StatementLimit } from '../../core/databases/load/statement-limit.ts';
import { PostgresqlConnection } from '../../core/databases/sessions/postgresql-connection.ts';
import { failureOf } from '../failure-of.ts';
import { makePostgresqlAccount } from './account.ts';
import { PostgresqlServer } from './postgresql-server.ts';
import { ALONE, inPieces, PostgresqlRestores } from './restoring.ts';

const ONE = { prefix: 'one_', user: 'owner1', password: 'pw', databases: ['wp'], furtherUsers: ['web'] };
const TWO = { prefix: 'two_', user: 'owner2', password: 'pw', databases: ['wp'] };

/** Statements that no dump of a database has; some are commands of the client, some of the server. */
const NOT_OF_A_DUMP = (trap: string): string[] => [
  `\\! touch ${trap}`,
  `\\copy posts from '/etc/passwd'`,
  '\\connect two_wp',
  `\\i ${trap}`,
  `\\o ${trap}`,
  '\\restrict other',
  `\\unrestrict other\n\\! touch ${trap}`,
  `SELECT 1 \\g ${trap}\n;`,
  `COPY posts FROM PROGRAM 'touch ${trap}';`,
  `COPY posts TO PROGRAM 'touch ${trap}';`,
  `COPY posts (text) FROM '/etc/passwd';`,
  `COPY (SELECT 1) TO '${trap}';`,
  `COPY posts FROM stdin WHERE pg_catalog.pg_read_file('/etc/passwd') <> '';\n\\.\n`,
  'SET ROLE postgres;',
  'SET SESSION AUTHORIZATION postgres;',
  'RESET ALL;',
  'SET standard_conforming_strings = off;',
  "SET client_encoding = 'SJIS';",
  'SET default_transaction_read_only = on;',
  'CREATE ROLE other SUPERUSER;',
  "ALTER ROLE postgres PASSWORD 'x';",
  'ALTER USER owner2 SUPERUSER;',
  "ALTER SYSTEM SET log_statement = 'all';",
  'ALTER DATABASE two_wp RENAME TO gone;',
  'DROP DATABASE two_wp;',
  'GRANT pg_execute_server_program TO owner1;',
  'GRANT ALL ON DATABASE two_wp TO owner1;',
  `DO $$ BEGIN EXECUTE 'COPY posts TO PROGRAM ''touch ${trap}'''; END $$;`,
  "SELECT pg_catalog.lo_import('/etc/passwd');",
  "SELECT pg_catalog.pg_read_file('/etc/passwd');",
  "SELECT pg_catalog.setval('posts', (SELECT 1));",
  "SELECT pg_catalog.set_config('role', 'postgres', false);",
  "SELECT pg_catalog.lo_create('1'), pg_catalog.pg_reload_conf();",
  'SELECT pg_catalog.pg_terminate_backend(1);',
  'INSERT INTO posts SELECT 1;',
  'UPDATE posts SET text = 1;',
  'TABLE posts;',
  'NOTIFY x;',
  "PREPARE TRANSACTION 'x';",
  "LOAD 'plpgsql';",
  'CREATE USER MAPPING FOR PUBLIC SERVER s;',
  'CREATE SUBSCRIPTION s CONNECTION $$host=x$$ PUBLICATION p;',
  'REASSIGN OWNED BY owner2 TO owner1;',
  'SELECT pg_catalog.lowrite(0, pg_catalog.pg_read_binary_file($$/etc/passwd$$));',
  'CALL anything();',
  'EXECUTE anything;',
  'ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT ALL ON TABLES TO owner1; SELECT 1 AS "not of a dump";',
  'COMMENT ON DATABASE two_wp IS NULL;',
  "CREATE TABLE t (a text DEFAULT 'no end",
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $x$ SELECT 1;',
  '/* no end',
  'COPY public.posts (id, text) FROM stdin;\n1\tno end\n',
];

/** What the login itself must not reach, were such statements let through. */
const NOT_OF_THE_LOGIN = (trap: string): string[] => [
  `COPY posts TO PROGRAM 'touch ${trap}'`,
  `COPY posts FROM PROGRAM 'touch ${trap}'`,
  `COPY posts TO '${trap}'`,
  "COPY posts (text) FROM '/etc/passwd'",
  'SET ROLE postgres',
  'SET ROLE owner1',
  'SET SESSION AUTHORIZATION postgres',
  'CREATE ROLE other',
  "ALTER ROLE owner2 PASSWORD 'x'",
  'ALTER DATABASE two_wp RENAME TO gone',
  'CREATE DATABASE three_wp',
  'DROP DATABASE two_wp',
  "ALTER SYSTEM SET log_statement = 'all'",
  'GRANT pg_execute_server_program TO owner1',
  'GRANT ALL ON DATABASE two_wp TO owner1',
  "SELECT pg_catalog.lo_import('/etc/passwd')",
  "SELECT pg_catalog.pg_read_file('/etc/passwd')",
  'SELECT rolpassword FROM pg_catalog.pg_authid',
  "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc.so.6', 'system'",
  'CREATE OR REPLACE FUNCTION pg_catalog.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT $1 $$',
  'CREATE PUBLICATION p FOR ALL TABLES',
  'CREATE CAST (text AS int) WITHOUT FUNCTION',
  'CREATE EXTENSION postgres_fdw',
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql SET session_preload_libraries = $$x$$ AS $$ SELECT 1 $$',
  'CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION pg_catalog.now()',
  'SELECT 1; DROP TABLE posts',
  'ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT ALL ON TABLES TO owner1',
];

describe('A hostile dump for PostgreSQL', () => {
  let server: PostgresqlServer;
  let restores: PostgresqlRestores;
  let trap: string;
  before(async () => {
    server = await PostgresqlServer.start();
    restores = new PostgresqlRestores(server, ONE);
    trap = join(server.folder, 'trap');
    await makePostgresqlAccount(server, ONE);
    await makePostgresqlAccount(server, TWO);
    for (const database of ['one_wp', 'two_wp'])
      await server.run("CREATE TABLE posts (id int, text text); INSERT INTO posts VALUES (1, 'old')", database);
  });
  after(() => server.stop());

  /** What must be as it was. */
  const others = async () => [
    await server.query('SELECT * FROM posts', 'one_wp'),
    await server.query('SELECT * FROM posts', 'two_wp'),
    await server.query('SELECT datname, datacl::text, pg_get_userbyid(datdba) FROM pg_database ORDER BY 1'),
    await server.query('SELECT rolname, rolsuper, rolpassword FROM pg_authid ORDER BY 1'),
    await server.query('SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members ORDER BY 1, 2'),
    await server.query('SHOW log_statement'),
    existsSync(trap),
  ];
  /** In a shadow database with a table, as the login that owns it; all of that is gone afterwards. */
  const asLogin = async (action: (connection: PostgresqlConnection) => Promise<void>): Promise<void> => {
    const at = { host: server.socketFolder, port: server.port };
    const admin = await PostgresqlConnection.open({ ...at, user: 'postgres', password: server.password }, 'postgres');
    const login = await makeTemporaryLogin(admin, { ...at, user: 'postgres', password: undefined }, 'site1');
    await admin.query(`CREATE DATABASE apiscp_backup_000000000000 OWNER "${login.user}" TEMPLATE template0`);
    const connection = await PostgresqlConnection.open(login, 'apiscp_backup_000000000000');
    await connection.query('CREATE TABLE public.posts (id int, text text)');
    await connection.query('SET search_path = public');
    try {
      await action(connection);
    } finally {
      await connection.close();
      await removeLeftovers(admin, ALONE);
      await admin.close();
    }
  };
  const TABLE = '\\restrict apiscpbackup\nCREATE TABLE public.posts (id int, text text);\n';

  it('is refused at the first statement that no dump has, and nothing comes of it (case 30)', async () => {
    const before = await others();
    await asLogin(async (connection) => {
      for (const attack of NOT_OF_A_DUMP(trap)) {
        const dump = inPieces(Buffer.from(`${attack}\n`));
        const limit = new StatementLimit(ALONE.statementLimit, () => {});
        const order = {
          dump,
          connection,
          limit,
          makeExtension: async () => false,
          room: new LoadRoom([]),
          schemas: ['public'],
          looksAlways: false,
          lacksRows: false,
          signal: new AbortController().signal,
          progress: () => {},
        };
        const { code } = await failureOf(() => loadPostgresqlDump(order));
        expect(code, attack).to.equal('dump_refused');
      }
      // The session goes on: nothing of all that has stayed in it.
      expect(await connection.query('SELECT count(*) AS n FROM public.posts')).to.deep.equal([{ n: '0' }]);
    });
    expect(await others()).to.deep.equal(before);
  });

  it('reaches nothing by the login that it is loaded with', async () => {
    const before = await others();
    await asLogin(async (connection) => {
      for (const attack of NOT_OF_THE_LOGIN(trap)) {
        // The server answers some of these with a warning alone, and gives nothing.
        await connection.execute(Buffer.from(attack)).then(
          () => expect(attack).to.match(/^GRANT ALL ON DATABASE/),
          ({ code }) => expect(code, attack).to.equal('database_refused'),
        );
      }
    });
    expect(await others()).to.deep.equal(before);
  });

  it('has nothing executed by the administrator', async () => {
    const log = 'CREATE TABLE public.log (who text);\n';
    const trapOf = (name: string, type: string, value: string) =>
      `CREATE FUNCTION public.${name} RETURNS ${type} LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM public.spy(); RETURN ${value}; END $$;\n`;
    const dump = [
      TABLE,
      log,
      'CREATE FUNCTION public.spy() RETURNS void LANGUAGE sql AS $$ INSERT INTO public.log VALUES (current_user) $$;\n',
      trapOf('lower(text)', 'text', "''"),
      trapOf('count(int)', 'bigint', '1'),
      trapOf('in_index(int)', 'int', '1'),
      trapOf('equal(text, text)', 'boolean', 'true'),
      'CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.equal);\n',
      'COPY public.posts (id, text) FROM stdin;\n1\ta\n2\tb\n\\.\n',
      'CREATE INDEX by_trap ON public.posts (public.in_index(id));\n',
      // Computed when a statement on the table is planned, whoever asks.
      'CREATE INDEX by_constant ON public.posts (public.in_index(1));\n',
      'CREATE INDEX partial ON public.posts (id) WHERE (public.in_index(2) = 1);\n',
      'CREATE MATERIALIZED VIEW public.kept AS SELECT public.in_index(id) AS i FROM public.posts;\n',
      'ALTER FUNCTION pg_catalog.lower(text) OWNER TO one_web;\n',
      'ALTER TABLE pg_catalog.pg_authid OWNER TO one_web;\n',
      'ALTER TABLE public.posts OWNER TO postgres;\n',
      'ALTER TABLE public.log OWNER TO one_web;\n',
      'ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT ALL ON TABLES TO owner1;\n',
      '\\unrestrict apiscpbackup\n',
    ].join('');
    const { replaced, notes } = await restores.restore(Buffer.from(dump));
    const users = (await server.query('SELECT DISTINCT who FROM log', 'one_wp')).map(({ who }) =>
      String(who).replace(/^apbk_.*/, 'the login'),
    );
    expect(users).to.deep.equal(['the login']);
    const owners = await server.query(
      `SELECT oid::regclass::text AS name, relowner::regrole::text AS owner FROM pg_class WHERE oid IN ('pg_authid'::regclass, 'posts'::regclass, 'log'::regclass)
       UNION ALL SELECT proname, proowner::regrole::text FROM pg_proc WHERE oid = 'pg_catalog.lower(text)'::regprocedure ORDER BY 1`,
      'one_wp',
    );
    expect(owners.map(({ name, owner }) => `${name} ${owner}`)).to.deep.equal([
      'log one_web',
      'lower postgres',
      'pg_authid postgres',
      'posts owner1',
    ]);
    expect(notes.join('\n')).to.contain('FUNCTION pg_catalog.lower(text)').and.to.contain('postgres is no role of the account');
    await server.run('ALTER DATABASE one_wp RENAME TO one_trap');
    await server.run(`ALTER DATABASE ${replaced} RENAME TO one_wp`);
    await server.run('DROP DATABASE one_trap');
  });

  it('has its rows stay that it has not committed itself, and gives nothing to a role that is not the account’s', async () => {
    const dump = [
      TABLE,
      'CREATE FUNCTION public.f() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT current_user::text $$;\n',
      'ALTER FUNCTION public.f() OWNER TO postgres;\n',
      "SELECT pg_catalog.lo_create('77');\nALTER LARGE OBJECT 77 OWNER TO postgres;\n",
      'CREATE PUBLICATION p FOR TABLE public.posts;\n',
      'CREATE TRIGGER t BEFORE UPDATE ON public.posts FOR EACH ROW EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger();\n',
      'BEGIN;\nCOPY public.posts (id, text) FROM stdin;\n1\ta\n2\tb\n\\.\n\\unrestrict apiscpbackup\n',
    ].join('');
    const { replaced, rows } = await restores.restore(Buffer.from(dump));
    expect([rows, await server.query('SELECT count(*) AS n FROM posts', 'one_wp')]).to.deep.equal([2, [{ n: '2' }]]);
    const [owners] = await server.query(
      `SELECT public.f() AS f, (SELECT lomowner::regrole::text FROM pg_largeobject_metadata WHERE oid = 77) AS object,
        (SELECT pubowner::regrole::text FROM pg_publication) AS publication, (SELECT relowner::regrole::text FROM pg_class WHERE relname = 'posts') AS posts`,
      'one_wp',
    );
    expect(owners).to.deep.equal({ f: 'owner1', object: 'owner1', publication: 'owner1', posts: 'owner1' });
    await server.run('DROP DATABASE one_wp');
    await server.run(`ALTER DATABASE ${replaced} RENAME TO one_wp`);
  });

  it('has no extension made by the administrator that could take what it has made for its own', async () => {
    if ((await server.query("SELECT 1 FROM pg_available_extensions WHERE name = 'pageinspect'")).length === 0) return;
    await server.run('CREATE EXTENSION pageinspect', 'one_wp');
    const before = await others();
    const body = "(int) RETURNS int LANGUAGE sql AS 'SELECT 1';\n";
    for (const made of [
      `CREATE/**/FUNCTION trap.f${body}`,
      `CREATE OR REPLACE FUNCTION trap.f${body}`,
      'CREATE SCHEMA more CREATE TABLE t (id int);\n',
    ]) {
      const dump = `CREATE SCHEMA trap;\n${made}CREATE EXTENSION pageinspect WITH SCHEMA trap;\n`;
      expect((await failureOf(() => restores.restore(Buffer.from(dump)))).message, made).to.include(
        'permission denied to create extension',
      );
    }
    expect(await others()).to.deep.equal(before);
    await server.run('DROP EXTENSION pageinspect', 'one_wp');
  });

  it('is ended when a statement of it, or a piece of its rows, takes too long', async () => {
    const before = await others();
    const asleep = [
      'CREATE FUNCTION public.f(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.pg_sleep(86400) IS NULL$$;',
      'CREATE TABLE public.t (id integer, CONSTRAINT c CHECK (public.f(id)));',
      'COPY public.t (id) FROM stdin;\n1\n\\.\n',
    ].join('\n');
    restores.turn = { statementLimit: 500 };
    const { code, message } = await failureOf(() => restores.restore(Buffer.from(`${TABLE}${asleep}`)));
    restores.turn = {};
    expect(code).to.equal('database_refused');
    expect(message).to.include('took longer than');
    expect(await others()).to.deep.equal(before);
  });
});

import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa, execaSync } from 'execa';
import { makePostgresqlAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { fillEveryKind } from './every-kind-of-postgresql.ts';
import { PostgresqlServer } from './postgresql-server.ts';

const NAMES = ['wp', 'empty', 'kinds', "it's", 'a-b.c', '-x', 'na"ïve', String.raw`back\slash`, 'a/b'];

describe('dumps of PostgreSQL', function () {
  this.timeout(120_000);
  let server: PostgresqlServer;
  let site: DatabaseSite;

  before(async () => {
    server = await PostgresqlServer.start();
    const account = { prefix: 'one_', user: 'owner1', password: "o'1", databases: NAMES, furtherUsers: ['reader'] };
    await makePostgresqlAccount(server, account);
    await makePostgresqlAccount(server, { prefix: 'two_', user: 'owner2', password: 'o2', databases: ['wp'] });
    await server.run('CREATE DATABASE older OWNER owner1');
    await server.run(
      `CREATE TABLE posts (id INT PRIMARY KEY, text TEXT); CREATE TABLE none (id int);
      INSERT INTO posts VALUES (1, 'Grüße 😀 (a);'), (2, E'\\\\.\\n'), (3, NULL); SELECT lo_from_bytea(0, 'large')`,
      'one_wp',
    );
    await server.run('CREATE ROLE example_web');
    await fillEveryKind(server, 'owner1', "o'1", 'one_kinds');
    site = new DatabaseSite({ postgresql: server });
    site.setLogin('pgsql', 'one_', 'owner1');
    await site.init();
  });
  after(async () => {
    await server?.stop();
    await site?.remove();
  });

  it('store each database of the account as a file of the snapshot, which the record describes', async () => {
    await site.backUp();
    const folder = await site.restoreAside();
    const recorded = site.recorded();
    expect(Object.keys(recorded)).to.have.members(['older', ...NAMES.map((name) => `one_${name}`)]);
    const { one_wp, one_empty, one_kinds } = recorded;
    expect(one_wp).to.include({ engine: 'postgresql', result: 'ok', tables: 2, rows: 3, characterSet: 'UTF8', consistency: 'snapshot' });
    expect(one_wp?.locale).to.deep.equal({ provider: 'libc', ctype: 'C.UTF-8' });
    expect(one_empty).to.include({ result: 'ok', tables: 0, rows: 0 });
    expect(one_kinds?.rows).to.be.greaterThan(5);
    for (const each of Object.values(recorded)) expect(readFileSync(join(folder, each.path)).length, each.path).to.equal(each.size);
    expect(readFileSync(join(folder, 'databases/postgresql/one_wp.sql'), 'utf8'))
      .to.include('lowrite')
      .and.to.include('OWNER TO');
  });

  it('have the roles of the account with the hashes of their passwords, and nobody else', async () => {
    const path = 'databases/postgresql-users.sql';
    const users = readFileSync(join(await site.restoreAside(path), path), 'utf8');
    expect(users).to.match(/^CREATE ROLE one_reader;\nALTER ROLE one_reader WITH .* PASSWORD 'SCRAM-SHA-256\$/);
    expect(users).to.include('GRANT CONNECT ON DATABASE one_wp TO one_reader;\n').and.to.include('CREATE ROLE owner1;\n');
    expect(users).not.to.include('owner2').and.not.to.include('postgres;');
  });

  it('can be loaded as they are', async () => {
    await server.run('CREATE DATABASE copied TEMPLATE template0');
    const dump = readFileSync(join(await site.restoreAside('databases/postgresql/one_kinds.sql'), 'databases/postgresql/one_kinds.sql'));
    const to = `host=${server.socketFolder} user=postgres dbname=copied passfile=${server.passwordFile}`;
    await execa('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', `--dbname=${to}`], { input: dump });
    await server.run('DROP DATABASE copied');
  });

  it('leave a tablespace out that lies in the account', async () => {
    const folder = join(site.shadow, 'home/space');
    mkdirSync(folder, { recursive: true });
    execaSync('chown', ['postgres', folder]);
    execaSync('chmod', ['o+x', site.folder]);
    await server.run(`CREATE TABLESPACE space LOCATION '${folder}'`);
    const { result } = await site.run();
    expect(result.units[0]?.rawDatabases).to.deep.equal([{ path: 'shadow/home/space', engine: 'postgresql', replacedBy: 'dumps' }]);
    expect(existsSync(join(await site.restoreAside(), 'shadow/home/space'))).to.equal(false);
    await server.run('DROP TABLESPACE space');
    rmSync(folder, { recursive: true });
    await site.backUp();
  });

  it('cost nothing when nothing has changed', async () => {
    expect((await site.backUp()).status).to.equal('unchanged');
  });

  it('keep everything while nobody is let in, and say so without the password', async () => {
    const wrong = join(site.folder, 'wrong');
    writeFileSync(wrong, '*:*:*:postgres:wrong-one\n', { mode: 0o600 });
    site.setDatabases({ postgresql: { socket: server.socketFolder, credentials: wrong } });
    const { result } = await site.run();
    expect(result.status).to.equal('partial');
    expect(result.units[0]?.deleted).to.equal(0);
    expect(result.units[0]?.warnings[0]).to.include({ code: 'database_unreachable', path: 'databases/postgresql' });
    expect(result.units[0]?.warnings[0]?.message).to.include('password authentication failed').and.not.to.include('wrong-one');
  });

  it('are made without any password where the system’s user may log in by who it is', async () => {
    const rules = join(server.folder, 'data/pg_hba.conf');
    const before = readFileSync(rules, 'utf8');
    writeFileSync(rules, 'local all postgres peer\n');
    appendFileSync(rules, before);
    await server.run('SELECT pg_reload_conf()');
    site.setDatabases({ postgresql: { socket: server.socketFolder, credentials: join(site.folder, 'none') } });
    try {
      await site.backUp();
      expect(Object.values(site.recorded()).every(({ result }) => result === 'ok')).to.equal(true);
    } finally {
      writeFileSync(rules, before);
      process.kill(server.pid, 'SIGHUP');
      site.setDatabases();
    }
  });

  it('do not take a database for gone that lets nobody in or is a template; what was not dumped is not restored in silence', async () => {
    await server.run('ALTER DATABASE one_wp ALLOW_CONNECTIONS false');
    await server.run('ALTER DATABASE one_empty IS_TEMPLATE true');
    const { result } = await site.run();
    expect(result.units[0]?.warnings.map(({ path }) => path)).to.deep.equal(['databases/postgresql/one_wp.sql']);
    const { one_wp, one_empty } = site.recorded();
    expect([one_wp?.result, one_empty?.result]).to.deep.equal(['failed', 'ok']);
    const folder = await site.restoreAside();
    expect(readFileSync(join(folder, 'databases/postgresql/one_wp.sql'), 'utf8')).to.include('lowrite');
    const { stdout, exitCode } = await site.start(['restore-database', 'site1', '--all', '--dry-run']);
    const { databases } = JSON.parse(String(stdout));
    expect(exitCode).to.equal(3);
    const outcomes = new Map(databases.map(({ name, result: of }: { name: string; result: string }) => [name, of]));
    expect([outcomes.get('one_empty'), outcomes.get('one_wp')]).to.deep.equal(['planned', 'failed']);
  });
});

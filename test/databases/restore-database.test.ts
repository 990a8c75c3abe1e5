import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { takeLock } from '../../core/locks/locks.ts';
import type { WireError } from '../../core/schemas/parts.ts';
import type { RestoreDatabaseResult } from '../../core/schemas/restore-database.ts';
import { makeMariadbAccount, makePostgresqlAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { MariadbServer } from './mariadb-server.ts';
import { PostgresqlServer } from './postgresql-server.ts';

const ONE = { prefix: 'one_', user: 'owner1', password: 'pw', databases: ['wp', "o'd`d-name", 'empty'] };
const TWO = { prefix: 'two_', user: 'owner2', password: 'pw', databases: ['wp'] };

describe('restore-database', function () {
  this.timeout(120_000);
  let mariadb: MariadbServer;
  let postgresql: PostgresqlServer;
  let site: DatabaseSite;

  before(async () => {
    [mariadb, postgresql] = await Promise.all([MariadbServer.start(), PostgresqlServer.start()]);
    for (const account of [ONE, TWO]) {
      await makeMariadbAccount(mariadb, account);
      await makePostgresqlAccount(postgresql, account);
      await mariadb.run(
        "CREATE TABLE posts (id INT PRIMARY KEY, text TEXT); INSERT INTO posts VALUES (1, 'Grüße 😀'), (2, NULL)",
        `${account.prefix}wp`,
      );
      await postgresql.run(
        "CREATE TABLE posts (id int PRIMARY KEY, text text); INSERT INTO posts VALUES (1, 'Grüße 😀'), (2, NULL)",
        `${account.prefix}wp`,
      );
      await postgresql.run(`ALTER TABLE posts OWNER TO ${account.user}`, `${account.prefix}wp`);
    }
    site = new DatabaseSite({ mariadb, postgresql });
    const home = join(site.shadow, 'home/owner1');
    mkdirSync(home, { recursive: true });
    chownSync(home, 2001, 2000);
    for (const service of ['mysql', 'pgsql'] as const) {
      site.setLogin(service, 'one_', 'owner1');
      site.setLogin(service, 'two_', 'owner2', join(site.accountsRoot, 'site2'));
    }
    await site.init();
    await site.backUp();
  });
  after(async () => {
    await mariadb?.stop();
    await postgresql?.stop();
    await site?.remove();
  });

  const ask = async (
    ...args: string[]
  ): Promise<{ result: RestoreDatabaseResult; error: WireError | undefined; exitCode: number | undefined }> => {
    const { stdout, exitCode } = await site.start(['restore-database', ...args]);
    const answer = JSON.parse(String(stdout));
    return { result: answer, error: answer.error, exitCode };
  };
  const texts = async (database: string): Promise<unknown[]> => [
    ...(await mariadb.query('SELECT text FROM posts ORDER BY id', database)),
    ...(await postgresql.query('SELECT text FROM posts ORDER BY id', database)),
  ];

  it('brings all databases of a unit back, keeps what was live, and touches no other', async () => {
    await mariadb.run("UPDATE posts SET text = 'broken'; CREATE TABLE new (a INT)", 'one_wp');
    await postgresql.run('DROP TABLE posts', 'one_wp');
    await mariadb.run("UPDATE posts SET text = 'kept'", 'two_wp');
    const { result, exitCode } = await ask('site1', '--all');
    expect([exitCode, result.status], JSON.stringify(result)).to.deep.equal([0, 'ok']);
    expect(result.databases.map(({ engine, name }) => `${engine}/${name}`)).to.have.members(
      ['one_wp', "one_o'd`d-name", 'one_empty'].flatMap((name) => [`mysql/${name}`, `postgresql/${name}`]),
    );
    expect(await texts('one_wp')).to.deep.equal([{ text: 'Grüße 😀' }, { text: null }, { text: 'Grüße 😀' }, { text: null }]);
    expect(await mariadb.query("SHOW TABLES LIKE 'new'", 'one_wp')).to.deep.equal([]);
    expect(await mariadb.query('SELECT text FROM posts', 'two_wp')).to.deep.equal([{ text: 'kept' }, { text: 'kept' }]);
    const { replaced } = result.databases.find(({ engine, name }) => engine === 'mysql' && name === 'one_wp')!;
    expect(await mariadb.query('SELECT text FROM posts', replaced!)).to.deep.equal([{ text: 'broken' }, { text: 'broken' }]);
    expect(
      await postgresql.query("SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relname = 'posts'", 'one_wp'),
    ).to.deep.equal([{ owner: 'owner1' }]);
  });

  it('makes a database anew that was dropped, and one under another name', async () => {
    await mariadb.run('DROP DATABASE one_wp; DROP USER owner1@localhost');
    await postgresql.run('DROP DATABASE one_wp');
    await postgresql.run("ALTER ROLE owner1 PASSWORD 'forgotten'");
    const again = await ask('site1', 'mysql/one_wp', 'postgresql/one_wp', '--users');
    expect(again.result, JSON.stringify(again.result)).to.deep.include({ status: 'ok', users: ['owner1', 'owner1'], notes: [] });
    const login = { user: ONE.user, password: ONE.password, database: 'one_wp' };
    const [inMariadb, inPostgresql] = [await mariadb.connect(login), await postgresql.connect(login)];
    await inMariadb.query("UPDATE posts SET text = 'by the owner' WHERE id = 2");
    await inPostgresql.query("UPDATE posts SET text = 'by the owner' WHERE id = 2");
    await Promise.all([inMariadb.end(), inPostgresql.end()]);
    for (const engine of ['mysql', 'postgresql']) {
      const { result } = await ask('site1', `${engine}/one_wp`, '--as', 'one_copy');
      expect(result.databases[0], JSON.stringify(result)).to.include({
        result: 'ok',
        target: 'one_copy',
        replaced: null,
        tables: 1,
        rows: 2,
      });
    }
    expect(await texts('one_copy')).to.deep.equal([{ text: 'Grüße 😀' }, { text: null }, { text: 'Grüße 😀' }, { text: null }]);
    const { result, exitCode } = await ask('site1', 'mysql/one_wp', '--as', 'one_copy');
    expect([exitCode, result.databases[0]!.error!.code]).to.deep.equal([1, 'database_exists']);
  });

  it('brings them into another account, under its prefix and as its main user’s', async () => {
    const names = async () => [
      ...(await mariadb.query("SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE 'one%'")),
      ...(await postgresql.query("SELECT datname AS name FROM pg_database WHERE datname LIKE 'one%'")),
    ];
    const before = await names();
    const planned = await ask('site1', '--all', '--onto', 'site2', '--dry-run');
    const { result, exitCode } = await ask('site1', '--all', '--onto', 'site2');
    expect([exitCode, result.status], JSON.stringify(result)).to.deep.equal([0, 'ok']);
    const targets = ['two_wp', "two_o'd`d-name", 'two_empty'].flatMap((name) => [`mysql/${name}`, `postgresql/${name}`]);
    for (const { databases } of [planned.result, result])
      expect(databases.map(({ engine, target }) => `${engine}/${target}`)).to.have.members(targets);
    expect(await texts('two_wp')).to.deep.equal([{ text: 'Grüße 😀' }, { text: null }, { text: 'Grüße 😀' }, { text: null }]);
    const owner = "SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relname = 'posts'";
    expect(await postgresql.query(owner, 'two_wp')).to.deep.equal([{ owner: 'owner2' }]);
    expect(await names(), 'those that they come from are as they were').to.deep.equal(before);
    // Whatever somebody calls it, it is that account's alone.
    const [stolen] = (await ask('site1', 'mysql/one_wp', '--onto', 'site2', '--as', 'one_new')).result.databases;
    expect(stolen?.error?.code).to.equal('owner_not_allowed');
    expect((await ask('site1', '--all', '--onto', 'site2', '--users')).error?.code).to.equal('usage');
    expect((await ask('site1', '--all', '--onto', 'site9')).error?.code).to.equal('unit_unknown');
    site.setLogin('mysql', '', 'owner2', join(site.accountsRoot, 'site2'));
    const [unknown] = (await ask('site1', 'mysql/one_wp', '--onto', 'site2')).result.databases;
    site.setLogin('mysql', 'two_', 'owner2', join(site.accountsRoot, 'site2'));
    expect(unknown?.error?.code).to.equal('database_refused');
    await mariadb.run("UPDATE posts SET text = 'kept'", 'two_wp');
  });

  it('writes a dump to a new file that root alone can read', async () => {
    const tenants = join(site.folder, 'of-a-tenant');
    mkdirSync(tenants);
    chownSync(tenants, 1001, 1001);
    const { result } = await ask('site1', 'mysql/one_wp', '--to', join(tenants, 'dump.sql'));
    expect(result.databases[0]!.error?.code).to.equal('unsafe_path');
    const safe = join(site.folder, 'dump.sql');
    const written = await ask('site1', 'mysql/one_wp', '--to', safe);
    expect(written.result.status, JSON.stringify(written.result)).to.equal('ok');
    expect(readFileSync(safe, 'utf8')).to.include("(1,'Grüße 😀')");
    expect(statSync(safe).mode & 0o777).to.equal(0o600);
    expect((await ask('site1', 'mysql/one_wp', '--to', safe)).result.databases[0]!.error!.message).to.include('already');
  });

  it('leaves no file behind where there is no room for a dump', async () => {
    const small = join(site.folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=700', 'tmpfs', small]);
    try {
      writeFileSync(join(small, 'full'), Buffer.alloc(12 * 1024));
      writeFileSync(join(small, 'fuller'), Buffer.alloc(3 * 1024));
      const { result, exitCode } = await ask('site1', 'mysql/one_wp', '--to', join(small, 'dump.sql'));
      expect([exitCode, result.databases[0]!.error!.code, readdirSync(small)]).to.deep.equal([1, 'disk_full', ['full', 'fuller']]);
    } finally {
      execFileSync('umount', [small]);
    }
  });

  it('goes with the restore of a whole account', async () => {
    await mariadb.run("UPDATE posts SET text = 'broken'", 'one_wp');
    rmSync(join(site.shadow, 'index.html'));
    const { result, exitCode } = await site.restore('--with-databases');
    expect([exitCode, result.status, result.databases?.map(({ result }) => result)], JSON.stringify(result)).to.deep.equal([
      0,
      'ok',
      Array(6).fill('ok'),
    ]);
    expect(readFileSync(join(site.shadow, 'index.html'), 'utf8')).to.equal('a page');
    expect(await mariadb.query('SELECT text FROM posts', 'one_wp')).to.deep.equal([{ text: 'Grüße 😀' }, { text: null }]);
    expect((await site.restore('--with-databases', '--to', '/root/x')).error?.code).to.equal('usage');
    // One that cannot be replaced, for the foreign key of another, keeps back neither the files nor the others; the owner hears of it as well.
    await mariadb.run('CREATE TABLE two_wp.holds (id INT, FOREIGN KEY (id) REFERENCES one_wp.posts (id))');
    const rpc = site.start(['rpc']);
    const params = { unit: 'site1', policy: 'owner', withDatabases: true };
    rpc.stdin?.end(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'restore', params })}\n`);
    const said = String((await rpc).stdout).split('\n');
    await mariadb.run('DROP TABLE two_wp.holds');
    const { result: own } = JSON.parse(said.find((line) => line.includes('"id":1')) as string);
    const outcomes = own.databases.map(
      (each: { engine: string; name: string; result: string }) => `${each.engine}/${each.name} ${each.result}`,
    );
    expect([own.status, outcomes.filter((each: string) => each.endsWith('failed'))], JSON.stringify(own)).to.deep.equal([
      'partial',
      ['mysql/one_wp failed'],
    ]);
    expect(outcomes).to.have.length(6);
  });

  it('waits for no restore of another account, and for one of the same', async () => {
    const of = (unit: string) => takeLock(join(site.folder, 'state'), `mysql.databases.${unit}`, 'a restore that goes on for hours');
    const other = of('site2');
    const { exitCode, result } = await ask('site1', 'mysql/one_wp');
    other.release();
    expect(exitCode, JSON.stringify(result)).to.equal(0);
    site.set({ limits: { workers: 2, wait: 0 } });
    const same = of('site1');
    const { error } = await ask('site1', 'mysql/one_wp');
    rmSync(join(site.shadow, 'index.html'));
    const { exitCode: partial, stdout, stderr } = await site.start(['restore', 'site1', '--with-databases']);
    expect([partial, JSON.parse(stdout).status, JSON.parse(stdout).databases]).to.deep.equal([3, 'partial', []]);
    expect(JSON.parse(stdout).databaseError).to.include({ code: 'locked' });
    expect(stderr).to.include('no database was restored');
    expect(readFileSync(join(site.shadow, 'index.html'), 'utf8')).to.equal('a page');
    same.release();
    site.set({ limits: { workers: 2 } });
    expect(error).to.include({ code: 'locked' });
  });

  it('refuses a dump of which a byte was changed in the repository, and leaves what is live', async () => {
    await mariadb.run("CREATE TABLE long_one (t LONGTEXT); INSERT INTO long_one VALUES (REPEAT('a long text', 9000))", 'one_empty');
    const before = new Set(site.objects('.zst'));
    await site.backUp();
    const packs = site.objects('.zst').filter((name) => !before.has(name) && name.includes('/packs/'));
    for (const pack of packs) {
      const file = join(site.repository, pack);
      const bytes = readFileSync(file);
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      chmodSync(file, 0o600);
      writeFileSync(file, bytes);
    }
    expect(packs).not.to.deep.equal([]);
    await mariadb.run("UPDATE long_one SET t = 'live'", 'one_empty');
    const { result, exitCode } = await ask('site1', 'mysql/one_empty');
    expect([exitCode, result.databases[0]?.result, result.databases[0]?.error?.code], JSON.stringify(result)).to.deep.equal([
      1,
      'failed',
      'repository_damaged',
    ]);
    expect(await mariadb.query('SELECT t FROM long_one', 'one_empty')).to.deep.equal([{ t: 'live' }]);
    await mariadb.run('DROP TABLE long_one', 'one_empty');
    await site.run(['site1']);
  });

  it('changes nothing in a dry run', async () => {
    await mariadb.run("UPDATE posts SET text = 'new'", 'one_wp');
    const { result } = await ask('site1', 'mysql/one_wp', '--dry-run');
    expect([result.status, result.databases[0]!.result, result.databases[0]!.rows]).to.deep.equal(['ok', 'planned', 2]);
    expect(await mariadb.query('SELECT text FROM posts', 'one_wp')).to.deep.equal([{ text: 'new' }, { text: 'new' }]);
  });

  it('gives an account nothing of another, and no name that is not its own', async () => {
    const unknown = await ask('site1', 'mysql/two_wp');
    expect(unknown.error!.code).to.equal('database_unknown');
    for (const name of ['two_new', 'mysql']) {
      const { result } = await ask('site1', 'mysql/one_wp', '--as', name);
      expect(result.databases[0]!.error!.code, name).to.equal('owner_not_allowed');
    }
    expect(await mariadb.query('SELECT text FROM posts', 'two_wp')).to.deep.equal([{ text: 'kept' }, { text: 'kept' }]);
  });

  it('does not replace a database by its old name that is not the account’s alone any more, and brings it back when it is gone', async () => {
    const rows = async () => (await mariadb.query('SELECT n FROM t', 'former')).map(({ n }) => n);
    await mariadb.run('CREATE DATABASE former; GRANT ALL ON former.* TO owner1@localhost');
    await mariadb.run('CREATE TABLE t (n INT); INSERT INTO t VALUES (1)', 'former');
    await site.backUp();
    await mariadb.run('UPDATE former.t SET n = 2; GRANT ALL ON former.* TO owner2@localhost');
    for (const more of [[], ['--dry-run']]) {
      const { result } = await ask('site1', 'mysql/former', ...more);
      expect(result.databases[0]!.error?.code, String(more)).to.equal('owner_not_allowed');
    }
    expect(await rows()).to.deep.equal([2]);
    await mariadb.run('DROP DATABASE former; REVOKE ALL PRIVILEGES ON former.* FROM owner1@localhost, owner2@localhost');
    const { result } = await ask('site1', 'mysql/former');
    expect(result.status, JSON.stringify(result)).to.equal('ok');
    expect(await rows()).to.deep.equal([1]);
    await mariadb.run('DROP DATABASE former');
    await site.backUp();
  });

  it('brings the users of the whole server back by no command, and says what to do instead', async () => {
    const { error } = await ask('system', '--all', '--users');
    expect(error).to.include({ code: 'usage' });
    expect(error?.advice).to.include('restore system databases/mysql-users.sql --to');
  });

  it('gives an owner the own databases, and no more than that', async () => {
    const asked = [
      { databases: ['mysql/one_wp'] },
      { databases: ['mysql/two_wp'] },
      { databases: ['mysql/one_wp'], as: 'two_new' },
      { databases: ['mysql/one_wp'], to: '/root/dump.sql' },
      { databases: ['mysql/one_wp'], users: true },
      { databases: ['mysql/one_wp'], server: 'other' },
    ];
    const child = site.start(['rpc']);
    const requests = asked.map((params, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'restoreDatabase',
      params: { unit: 'site1', policy: 'owner', ...params },
    }));
    child.stdin?.end(requests.map((request) => `${JSON.stringify(request)}\n`).join(''));
    const { stdout } = await child;
    const answers = String(stdout)
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ id }) => id !== undefined);
    const outcome = answers
      .toSorted((a, b) => a.id - b.id)
      .map(({ result, error }) => error?.data?.code ?? result?.databases[0]?.error?.code ?? result?.status);
    expect(outcome, String(stdout)).to.deep.equal(['ok', 'database_unknown', ...Array(4).fill('owner_not_allowed')]);
  });

  it('needs no program of the servers; a backup without theirs keeps the last dumps and names what is missing', async () => {
    const hide =
      'for p in mariadb-dump mysqldump pg_dump; do mount --bind /dev/null /usr/bin/$p 2>/dev/null; done; mount -t tmpfs none /usr/lib/postgresql; exec "$@"';
    const prefix = ['unshare', '--mount', 'sh', '-c', hide, 'sh'];
    const { result } = await site.run(['site1'], prefix);
    expect(result.status).to.equal('partial');
    expect(result.units[0]?.deleted).to.equal(0);
    const said = new Set(
      result.units[0]?.warnings.map(({ code, path, message }) =>
        [code, path?.split('/')[1], /there is no (\S+)/.exec(message)?.[1]].join(),
      ),
    );
    expect([...said]).to.deep.equal(['database_unreachable,mysql,mariadb-dump', 'database_unreachable,postgresql,pg_dump']);
    const { stdout } = await site.start(['restore-database', 'site1', 'mysql/one_wp', '--at', (await site.snapshots()).at(-2)!.id], prefix);
    expect(JSON.parse(String(stdout)).status, String(stdout)).to.equal('ok');
  });
});

import { chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { isDatabase } from '../../core/databases/load/mysql/quoting.ts';
import { type StartedProgram, until } from '../end-to-end/test-server.ts';
import { makeMariadbAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { MariadbServer, named } from './mariadb-server.ts';

const NAMES = ['wp', 'empty', 'bad', "it's", 'a-b.c', '-x', 'naïve', 'a`b', 'a/b', 'myisam'];

/** Of the long table. */
const ROWS = process.env.SLOW === undefined ? 60_000 : 1_000_000;

describe('dumps of MariaDB', function () {
  this.timeout(120_000);
  let server: MariadbServer;
  let site: DatabaseSite;

  before(async () => {
    server = await MariadbServer.start();
    await makeMariadbAccount(server, { prefix: 'one_', user: 'owner1', password: "o'1", databases: NAMES });
    await makeMariadbAccount(server, { prefix: 'two_', user: 'owner2', password: 'o2', databases: ['wp'] });
    await server.run('CREATE DATABASE nobodys');
    await server.run(
      `CREATE TABLE posts (id INT PRIMARY KEY, text TEXT);
      INSERT INTO posts VALUES (1, 'Grüße 😀 (a);'), (2, '\\\\'); INSERT INTO posts VALUES (3, NULL);
      CREATE VIEW v AS SELECT * FROM posts; CREATE SEQUENCE s; CREATE VIEW \`NULL\` AS SELECT 1 AS one;
      CREATE TRIGGER t BEFORE INSERT ON posts FOR EACH ROW SET NEW.text = 'x';
      CREATE PROCEDURE p() INSERT INTO posts VALUES (9, '');
      CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM posts`,
      'one_wp',
    );
    await server.run('CREATE TABLE plain (id INT) ENGINE=MyISAM; INSERT INTO plain VALUES (1), (2); CREATE TABLE t (id INT)', 'one_myisam');
    site = new DatabaseSite({ mariadb: server });
    site.setLogin('mysql', 'one_', 'owner1');
    await site.init();
  });

  after(async () => {
    await server?.stop();
    await site?.remove();
  });

  it('store each database of the account as a file of the snapshot, which the record describes', async () => {
    await site.backUp();
    const folder = await site.restoreAside();
    const dump = readFileSync(join(folder, 'databases/mysql/one_wp.sql'), 'utf8');
    expect(dump)
      .to.include("(1,'Grüße 😀 (a);')")
      .and.to.match(/-- Dump completed\n$/);
    for (const part of [/VIEW `v`/, /TRIGGER `?t`?/, /PROCEDURE `p`/, /EVENT `e`/, /SEQUENCE `s`/]) expect(dump).to.match(part);
    const recorded = site.recorded();
    expect(Object.keys(recorded)).to.have.members(NAMES.map((name) => `one_${name}`));
    const { one_wp, one_empty, one_myisam } = recorded;
    const size = Buffer.byteLength(dump);
    expect(one_wp).to.include({
      engine: 'mysql',
      result: 'ok',
      tables: 1,
      rows: 3,
      size,
      characterSet: 'utf8mb4',
      consistency: 'snapshot',
    });
    expect(one_wp?.server).to.match(/MariaDB/);
    expect(one_wp?.secondsBeforeFiles).to.be.within(0, 60);
    expect(one_empty).to.include({ result: 'ok', tables: 0, rows: 0 });
    expect(one_myisam).to.include({ result: 'ok', tables: 2, rows: 2, consistency: 'locked' });
    for (const each of Object.values(recorded)) expect(readFileSync(join(folder, each.path)).length, each.path).to.equal(each.size);
  });

  it('are listed with what the record says of them, for people too', async () => {
    const { stdout } = await site.start(['databases', 'site1', '--at', 'latest']);
    const { databases, moment } = JSON.parse(stdout);
    expect(databases).to.deep.equal(Object.values(site.recorded()));
    expect(moment.snapshot).to.equal((await site.snapshots()).at(-1)?.id);
    expect((await site.start(['databases', 'site1', '--at', '2020-01-01'])).exitCode).to.equal(1);
    const text = (await site.startForPeople(['databases', 'site1'])).stdout;
    const { server, sha256, seconds, secondsBeforeFiles } = site.recorded().one_wp!;
    expect(text).to.include(
      `\n    ${server}, utf8mb4 (utf8mb4_unicode_ci); dumped in ${seconds} s in one transaction, ${secondsBeforeFiles} s before the files\n    sha256 ${sha256}`,
    );
    expect(text).to.match(/mysql\/one_wp +2[-0-9T:.Z]+ +1 +3 .* ok\n/);
  });

  it('are listed of all units, each by itself', async () => {
    const { stdout, exitCode } = await site.start(['databases']);
    const { status, units } = JSON.parse(stdout);
    expect([exitCode, status]).to.deep.equal([0, 'ok']);
    const [one, ...others] = units;
    expect(others).to.deep.equal([]);
    const named = JSON.parse((await site.start(['databases', 'site1'])).stdout);
    expect({ ...one, moment: null }).to.deep.equal({ ...named, moment: null, error: null });
    const then = JSON.parse((await site.start(['databases', '--at', '2020-01-01'])).stdout);
    expect(then).to.deep.include({ status: 'ok' });
    expect(then.units[0]).to.deep.include({ moment: null, databases: [], error: null });
    for (const wrong of [['all', '--at', named.moment.snapshot], ['']])
      expect(JSON.parse((await site.start(['databases', ...wrong])).stdout).error.code).to.equal('usage');
  });

  it('are in a download, for their owner without the users of the server', async () => {
    const home = join(site.shadow, 'home/owner1');
    mkdirSync(home, { recursive: true });
    for (const folder of [join(site.shadow, 'home'), home]) chownSync(folder, 2001, 2000);
    const wp = 'databases/mysql/one_wp.sql';
    const asked = [
      { paths: [wp], to: join(site.folder, 'one') },
      { paths: ['databases'], to: join(site.folder, 'all') },
      { paths: ['databases', 'shadow/index.html'], to: join(home, 'own'), policy: 'owner' },
      { paths: ['databases/mysql-users.sql'], to: join(home, 'own'), policy: 'owner' },
    ];
    const rpc = site.start(['rpc']);
    const requests = asked.map((params, id) => ({ jsonrpc: '2.0', id, method: 'download', params: { unit: 'site1', ...params } }));
    rpc.stdin?.end(requests.map((request) => `${JSON.stringify(request)}\n`).join(''));
    const answers = String((await rpc).stdout)
      .split('\n')
      .map((line) => JSON.parse(line));
    const [one, all, own, users] = asked.map((_, id) => answers.find((answer) => answer.id === id));
    const script = (words: string, { result, error }: { result: { file: string }; error?: unknown }) => {
      expect(error).to.equal(undefined);
      return execaSync('bash', ['-c', `zstd -dc "$1" | tar ${words}`, 'bash', result.file]).stdout;
    };
    expect(script('-t', one)).to.equal(wp);
    expect(script(`-xO ${wp}`, own)).to.include("(1,'Grüße 😀 (a);')");
    expect(script('-t', all).split('\n')).to.include.members(['databases/mysql-users.sql', wp, 'databases/mysql/one_empty.sql']);
    expect(script('-t', own)).to.include('one_empty.sql').and.not.include('users');
    expect(users.error.data.code).to.equal('owner_not_allowed');
  });

  it('have the users of the account with the hashes of their passwords, and nobody else', async () => {
    const users = readFileSync(join(await site.restoreAside('databases/mysql-users.sql'), 'databases/mysql-users.sql'), 'utf8');
    expect(users).to.match(/^CREATE USER `owner1`@`localhost` IDENTIFIED BY PASSWORD '\*[0-9A-F]{40}';\n/);
    expect(users).to.include('GRANT ALL PRIVILEGES ON `one\\_wp`.* TO `owner1`@`localhost`;\n');
    expect(users).not.to.include('owner2');
  });

  it('have their rows although root’s option file has other dumps without', async () => {
    const before = readFileSync(server.optionFile);
    const { rows, sha256 } = site.recorded().one_wp ?? {};
    writeFileSync(server.optionFile, `${before}\n[mysqldump]\nno-data\nno-create-info\nskip-triggers\n`);
    await site.backUp().finally(() => writeFileSync(server.optionFile, before));
    expect(site.recorded().one_wp).to.include({ rows, sha256 });
  });

  it('cost nothing when nothing has changed', async () => {
    const before = site.objects('.tar.zst').length + site.objects('.json').filter((name) => name.includes('/snapshots/')).length;
    expect((await site.backUp()).status).to.equal('unchanged');
    expect(site.objects('.tar.zst').length + site.objects('.json').filter((name) => name.includes('/snapshots/')).length).to.equal(before);
  });

  it('give up one database that cannot be dumped, keep its last dump, and store the others', async () => {
    await server.run("CREATE TABLE held (id INT PRIMARY KEY, t TEXT); INSERT INTO held VALUES (1, REPEAT('x', 1000))", 'one_bad');
    await site.backUp();
    const good = site.recorded().one_bad;
    await server.run("INSERT INTO posts VALUES (4, 'new')", 'one_wp');
    // Its dump waits for the lock, and is killed meanwhile.
    const holder = await server.connect({ database: 'one_bad' });
    await holder.query('LOCK TABLES held WRITE');
    const running = site.start(['run', 'site1']);
    const dumps = () => childrenOf(running.pid as number).filter((pid) => /mariadb-dump.*one_bad/s.test(shownOf(pid)));
    await until(() => dumps().length > 0, running as StartedProgram);
    for (const pid of dumps()) process.kill(pid, 'SIGKILL');
    const { exitCode, stdout } = await running;
    await holder.end();
    const result = JSON.parse(String(stdout));
    expect([exitCode, result.status]).to.deep.equal([3, 'partial']);
    expect(result.units[0]?.warnings).to.have.length(1);
    expect(result.units[0]?.warnings[0]).to.include({ code: 'database_failed', path: 'databases/mysql/one_bad.sql' });
    expect(result.units[0]?.warnings[0]?.message).to.match(/SIGKILL.*the dump before stays/s);
    expect(site.recorded().one_bad).to.include({ result: 'failed', size: null });
    expect(site.recorded().one_wp).to.include({ result: 'ok', rows: 4 });
    const folder = await site.restoreAside('databases/mysql/one_bad.sql');
    expect(readFileSync(join(folder, 'databases/mysql/one_bad.sql')).length).to.equal(good?.size);
    expect((await site.backUp()).status).to.equal('ok');
  });

  it('are asked for database by database: the server opens no other for that, whatever the name', async () => {
    for (const name of ['one_wp', 'größe']) {
      const [plan] = await server.query(`EXPLAIN SELECT 1 FROM information_schema.tables WHERE ${isDatabase('table_schema', name)}`);
      expect(plan?.Extra, name).to.include('Scanned 1 database');
    }
  });

  it('lock a database while they are made when one of its tables has no transactions, also one that keeps its history', async () => {
    await server.run('CREATE TABLE t (id INT) ENGINE=Aria WITH SYSTEM VERSIONING', 'one_empty');
    await site.backUp();
    expect(site.recorded().one_empty).to.include({ result: 'ok', consistency: 'locked' });
    expect(site.recorded().one_wp).to.include({ result: 'ok', consistency: 'snapshot' });
    await server.run('DROP TABLE t', 'one_empty');
  });

  it('have the rows that tables had before, which come back with their times; or their record says that they do not', async () => {
    const old = execaSync('mariadb-dump', ['--no-defaults', '--help']).stdout.includes('--dump-history') ? [] : ['history'];
    await server.run(
      `CREATE TABLE v (id INT PRIMARY KEY, word TEXT) WITH SYSTEM VERSIONING; INSERT INTO v VALUES (1, 'first'), (2, 'gone');
       UPDATE v SET word = 'second' WHERE id = 1; DELETE FROM v WHERE id = 2;
       CREATE TABLE named (n INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING;
       INSERT INTO named (n) VALUES (1); UPDATE named SET n = 2`,
      'one_empty',
    );
    const history = async () => [
      await server.query(
        'SELECT id, word, row_start + 0 AS since, row_end + 0 AS until FROM v FOR SYSTEM_TIME ALL ORDER BY 1, 3',
        'one_empty',
      ),
      await server.query('SELECT n, s + 0 AS since, e + 0 AS until FROM named FOR SYSTEM_TIME ALL ORDER BY 2', 'one_empty'),
    ];
    const before = await history();
    await site.run();
    const kinds = () => (site.recorded().one_empty?.leftOut ?? []).map(({ kind }) => kind);
    expect(kinds()).to.deep.equal(old);
    if (old.length === 0) {
      expect(site.recorded().one_empty).to.include({ result: 'ok', rows: 5 });
      const stored = site.storedBytes();
      await site.backUp();
      expect(site.storedBytes() - stored).to.be.lessThan(4000);
      const { stdout } = await site.start(['restore-database', 'site1', 'mysql/one_empty']);
      expect(JSON.parse(String(stdout)).status, String(stdout)).to.equal('ok');
      expect(await history()).to.deep.equal(before);
    }
    await server.run(
      'CREATE TABLE by_transaction (n INT, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING',
      'one_empty',
    );
    const { result } = await site.run();
    expect(result.units[0]?.warnings.map(({ code }) => code)).to.deep.equal(['database_incomplete']);
    expect(kinds()).to.deep.equal(['history']);
    await server.run('DROP TABLE v; DROP TABLE named; DROP TABLE by_transaction', 'one_empty');
    const kept = await server.query(
      "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'one_empty_before%'",
    );
    for (const { name } of kept) await server.run(`DROP DATABASE ${named(String(name))}`);
  });

  it('leave out a view that leads nowhere, and say so', async () => {
    await server.run(
      'CREATE TABLE gone (id INT); CREATE VIEW broken AS SELECT * FROM gone; DROP TABLE gone; CREATE TABLE kept (id INT); CREATE DEFINER=gone@localhost VIEW orphan AS SELECT * FROM kept',
      'one_empty',
    );
    const { result } = await site.run();
    expect(result.units[0]?.warnings).to.have.length(1);
    expect(result.units[0]?.warnings[0]).to.include({ code: 'database_incomplete' });
    expect(result.units[0]?.warnings[0]?.message).to.include('broken');
    expect(site.recorded().one_empty).to.include({ result: 'ok', tables: 1 });
    const folder = await site.restoreAside('databases/mysql/one_empty.sql');
    expect(readFileSync(join(folder, 'databases/mysql/one_empty.sql'), 'utf8')).to.include('VIEW `orphan`');
    await server.run('DROP VIEW broken', 'one_empty');
    await site.backUp();
  });

  it('are gone when their database is dropped', async () => {
    await server.run(`DROP DATABASE ${named('one_-x')}`);
    expect((await site.backUp()).deleted).to.equal(1);
    expect((await site.restore('databases/mysql/one_-x.sql', '--to', join(site.folder, 'none'))).error).to.include({
      code: 'path_unknown',
    });
  });

  it('keep everything while the server cannot be reached, and name it', async () => {
    const before = site.recorded();
    const options = join(site.folder, 'wrong.cnf');
    copyFileSync(server.optionFile, options);
    writeFileSync(options, "[client]\nuser=root\npassword='wrong'\n", { mode: 0o600 });
    site.setDatabases({ mysql: { socket: server.socket, credentials: options } });
    const { result } = await site.run();
    expect(result.status).to.equal('partial');
    expect(result.units[0]?.warnings[0]).to.include({ code: 'database_unreachable', path: 'databases/mysql' });
    expect(result.units[0]?.warnings[0]?.message)
      .to.match(/Access denied/)
      .and.not.to.include('wrong');
    expect(result.units[0]?.deleted).to.equal(0);
    expect(Object.keys(site.recorded())).to.have.members(Object.keys(before));
    expect(site.recorded().one_wp).to.include({ result: 'failed', characterSet: 'utf8mb4' });
    const folder = await site.restoreAside('databases/mysql/one_wp.sql');
    expect(readFileSync(join(folder, 'databases/mysql/one_wp.sql')).length).to.equal(before.one_wp?.size);
    site.setDatabases();
    await site.backUp();
  });

  it('of what is no account’s are those of the unit system, with all users', async () => {
    const { result } = await site.run(['system']);
    expect(result.units[0]).to.include({ error: null, warningCount: 0 });
    // site2 is not on this server any more: nothing of its database is lost.
    expect(Object.keys(site.recorded('system'))).to.have.members(['nobodys', 'two_wp']);
    const target = join(site.folder, 'system');
    await site.start(['restore', 'system', '--to', target]);
    const users = readFileSync(join(target, 'databases/mysql-users.sql'), 'utf8');
    expect(users).to.include('`owner1`').and.to.include('`owner2`').and.to.include('`root`');
  });

  it('are left out by their whole path, and not by a pattern for files', async () => {
    site.set({ exclude: ['*.sql', '/databases/mysql/one_empty.sql'] });
    await site.backUp();
    expect(site.recorded()).to.have.property('one_wp');
    expect(site.recorded()).not.to.have.property('one_empty');
    site.set({ exclude: [] });
    site.setDatabases({ method: 'none' });
    const unit = await site.backUp();
    expect(unit.deleted).to.be.greaterThan(0);
    expect((await site.restore('databases', '--to', join(site.folder, 'none'))).error).to.include({ code: 'path_unknown' });
    site.setDatabases();
    await site.backUp();
  });

  it('are said to stand for the live files that are left out, once for people, and in the record; where there are none it is a warning', async () => {
    for (const folder of ['mysql/one_wp', 'pgsql/PG_15/5']) {
      mkdirSync(join(site.shadow, 'var/lib', folder), { recursive: true });
      writeFileSync(join(site.shadow, 'var/lib', folder, 'posts.ibd'), 'live');
    }
    const { result } = await site.run();
    const leftOut = [
      { path: 'shadow/var/lib/mysql', engine: 'mysql', replacedBy: 'dumps' },
      { path: 'shadow/var/lib/pgsql', engine: 'postgresql', replacedBy: null },
    ];
    expect(result.units[0]).to.deep.include({ status: 'ok', rawDatabases: leftOut });
    const [record] = site.objects('.json').filter((name) => name.includes(`/snapshots/${result.units[0]?.snapshot}`));
    expect(JSON.parse(readFileSync(join(site.repository, record as string), 'utf8')).excluded.rawDatabases).to.deep.equal(leftOut);
    const { stdout, stderr } = await site.startForPeople(['run', 'site1']);
    expect(stdout).to.include('Left out of 1 unit: live database files (shadow/var/lib/mysql,').and.to.include('as dumps');
    expect(stderr).to.include('shadow/var/lib/pgsql are left out, and no database of PostgreSQL is backed up');
    expect(stderr).not.to.include('shadow/var/lib/mysql');
    expect(existsSync(join(await site.restoreAside(), 'shadow/var/lib/mysql'))).to.equal(false);
  });

  it('refuse an account that is the folder in which the server says that its data are, and leave that out of one that holds it', async () => {
    const other = join(site.accountsRoot, 'site2');
    mkdirSync(join(other, 'info/current'), { recursive: true });
    mkdirSync(join(other, 'shadow'));
    for (const [folder, expected] of [
      [server.dataDirectory, 'raw_database_refused'],
      [join(server.dataDirectory, 'one_wp'), 'raw_database_refused'],
      [server.folder, undefined],
    ] as const) {
      execaSync('mount', ['--bind', folder, join(other, 'shadow')]);
      try {
        const { result } = await site.run(['site2']);
        const [unit] = result.units;
        expect(unit?.error?.code, folder).to.equal(expected);
        if (expected === undefined) {
          const paths = JSON.parse((await site.start(['ls', 'site2', 'shadow'])).stdout).entries.map(({ path }: { path: string }) => path);
          expect(paths).to.include('shadow/first.sql').and.not.to.include('shadow/data');
        }
      } finally {
        execaSync('umount', [join(other, 'shadow')]);
      }
    }
    rmSync(other, { recursive: true });
  });

  it('show no password to others, in arguments, environment or logs (case 33)', async () => {
    await server.run(
      'CREATE TABLE slow (id INT, t LONGTEXT); INSERT INTO slow SELECT seq, REPEAT(MD5(seq), 100) FROM seq_1_to_20000',
      'one_wp',
    );
    const running = site.start(['run', 'site1']);
    const seen = new Set<string>();
    let isOver = false;
    void running.then(() => {
      isOver = true;
    });
    while (!isOver) {
      for (const shown of programsBelow(running.pid as number)) seen.add(shown);
      await sleep(5);
    }
    const all = [...seen].join('\n');
    expect(all).to.include('mariadb-dump');
    const { stdout, stderr } = await running;
    expect(JSON.parse(stdout)).to.include({ status: 'ok' });
    for (const text of [all, stdout, stderr]) expect(text).not.to.include(`root's "word"`);
  });

  it('stop at once when the run is stopped, and keep nothing of the run', async () => {
    // A dump that waits for a lock that nobody lets go.
    const holder = await server.connect({ database: 'one_myisam' });
    await holder.query('LOCK TABLES plain WRITE');
    const running = site.start(['run', 'site1']);
    const dumps = () => programsBelow(running.pid as number).filter((shown) => /mariadb-dump.*one_myisam/.test(shown));
    await until(() => dumps().length > 0, running as StartedProgram);
    running.kill('SIGTERM');
    expect((await running).exitCode).not.to.equal(0);
    await holder.end();
    await site.backUp();
  });

  it('of a long table are stored whole, cost little when few rows change, and come back row for row', async function () {
    this.timeout(600_000);
    await server.run(
      `CREATE TABLE million (id INT PRIMARY KEY, text CHAR(64));
      INSERT INTO million SELECT seq, CONCAT(MD5(seq), MD5(-seq)) FROM seq_1_to_${ROWS}`,
      'one_myisam',
    );
    const grown = async (change: string): Promise<number> => {
      const before = site.storedBytes();
      if (change !== '') await server.run(change, 'one_myisam');
      await site.backUp();
      return site.storedBytes() - before;
    };
    const first = await grown('');
    expect(first).to.be.greaterThan(ROWS * 30);
    expect(site.recorded().one_myisam).to.include({ result: 'ok', rows: ROWS + 2 });
    const few = await grown(`UPDATE million SET text = 'new' WHERE id IN (7, ${ROWS - 7})`);
    expect(few).to.be.lessThan(first / 20);
    expect(site.recorded().one_myisam).to.include({ result: 'ok', rows: ROWS + 2 });

    const [before] = await server.query('CHECKSUM TABLE million EXTENDED', 'one_myisam');
    await server.run('DELETE FROM million WHERE id % 3 = 0', 'one_myisam');
    const { stdout, exitCode } = await site.start(['restore-database', 'site1', 'mysql/one_myisam']);
    expect(exitCode, String(stdout)).to.equal(0);
    expect(await server.query('CHECKSUM TABLE million EXTENDED', 'one_myisam')).to.deep.equal([before]);
  });
});

/** Processes below `pid`. */
function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .map(Number)
      .filter((each) => each > 0);
    return children.flatMap((child) => [child, ...childrenOf(child)]);
  } catch {
    return [];
  }
}

/** Arguments and environment of a process. */
function shownOf(pid: number): string {
  try {
    return ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'latin1').replaceAll('\0', ' ')).join('\n');
  } catch {
    return '';
  }
}

/** Arguments and environment of the programs that `pid` and its children run. */
function programsBelow(pid: number): string[] {
  return childrenOf(pid)
    .map(shownOf)
    .filter((shown) => shown !== '' && !shown.includes('core/main.ts'));
}

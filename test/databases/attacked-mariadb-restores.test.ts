import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MysqlRestorer } from '../../core/databases/load/mysql/restore.ts';
import { SwapJournal } from '../../core/databases/load/swap-journal.ts';
import { Failure } from '../../core/failure.ts';
import { failureOf } from '../failure-of.ts';
import { makeMariadbAccount } from './account.ts';
import { MariadbServer } from './mariadb-server.ts';
import { ALONE, MariadbRestores } from './restoring.ts';

const ACCOUNT = { prefix: 'one_', user: 'owner1', password: 'pw', databases: ['wp', 'WP', 'other'] };
const TABLE = 'SET NAMES utf8mb4;\nCREATE TABLE posts (id INT PRIMARY KEY, text TEXT);\n';

describe('A restore into a MariaDB in which others have their own', () => {
  let server: MariadbServer;
  let restores: MariadbRestores;
  let number = 0;
  before(async () => {
    server = await MariadbServer.start();
    restores = new MariadbRestores(server, ACCOUNT);
    await makeMariadbAccount(server, ACCOUNT);
    await server.run("CREATE TABLE posts (id INT PRIMARY KEY, text TEXT); INSERT INTO posts VALUES (1, 'old')", 'one_wp');
  });
  after(async () => {
    await server.stop();
    restores.remove();
  });

  const restore = (dump: string | Buffer, given: Parameters<MariadbRestores['restore']>[1] = {}) =>
    restores.restore(Buffer.from(dump), { replacedName: `one_kept_${++number}`, ...given });
  const dumpOf = (database: string): Buffer =>
    execFileSync(
      'mariadb-dump',
      [`--defaults-file=${server.optionFile}`, '--hex-blob', '--routines', '--max-allowed-packet=1G', database],
      { maxBuffer: 1024 ** 3 },
    );

  it('does not touch a database that came to have the name under which the live one is to be kept', async () => {
    const step = async (name: string) => {
      if (name === 'make databases') await server.run('CREATE DATABASE one_late; CREATE TABLE one_late.posts (precious INT)');
    };
    const { message } = await failureOf(() => restore(TABLE, { step, replacedName: 'one_late' }));
    expect(message).to.contain('database exists');
    expect(await server.query('SHOW COLUMNS FROM one_late.posts')).to.have.length(1);
    expect(await server.query('SELECT text FROM one_wp.posts')).to.deep.equal([{ text: 'old' }]);
  });

  it('does not take an account’s own databases and users for leftovers when their names begin alike', async () => {
    await server.run('CREATE DATABASE apiscp_backup_2026; CREATE DATABASE apiscp_backup_shop; CREATE USER apbk_web@localhost');
    await server.run('CREATE DATABASE apiscp_backup_0123456789ab; CREATE USER apbk_0123456789abcdef@localhost');
    await restores.settle();
    expect(await server.query("SHOW DATABASES LIKE 'apiscp%'")).to.have.length(2);
    expect(await server.query("SELECT User FROM mysql.user WHERE User LIKE 'apbk%'")).to.deep.equal([{ User: 'apbk_web' }]);
  });

  it('has the server put files where it has all others, whatever the dump says, and leaves nothing behind', async () => {
    const elsewhere = `DATA DIRECTORY = '${server.folder}'`;
    const far = `CREATE TABLE far (id INT) ${elsewhere};\n`;
    const parted = `CREATE TABLE parted (id INT) PARTITION BY LIST (id) (PARTITION p VALUES IN (1) ${elsewhere});\n`;
    expect(await restore(`${TABLE}SET sql_mode='NO_AUTO_VALUE_ON_ZERO';\n${far}${parted}`)).to.include({ tables: 3 });
    expect(readdirSync(server.folder).filter((name) => /^(?:one_|apiscp_)/.test(name))).to.deep.equal([]);
    expect(await server.query("SHOW DATABASES LIKE 'apiscp_backup_000001%'")).to.deep.equal([]);
  });

  it('is not kept from it by what a dead one has left and nobody can drop', async () => {
    const left = 'apiscp_backup_000001abcdef';
    await server.run(`CREATE DATABASE ${left}`);
    writeFileSync(join(server.dataDirectory, left, 'odd'), '');
    await restore(TABLE);
    rmSync(join(server.dataDirectory, left, 'odd'));
    await restore(TABLE);
    expect(await server.query("SHOW DATABASES LIKE 'apiscp_backup_000001%'")).to.deep.equal([]);
  });

  it('tells databases apart whose names differ in case alone', async () => {
    await server.run('CREATE PROCEDURE p() SELECT 1', 'one_WP');
    await restore(TABLE);
    expect(await server.query("SELECT ROUTINE_SCHEMA AS db FROM information_schema.ROUTINES WHERE ROUTINE_NAME = 'p'")).to.deep.equal([
      { db: 'one_WP' },
    ]);
    // Programs of version 10.5 mix the two up.
    await server.run('DROP PROCEDURE p', 'one_WP');
  });

  it('brings values back that are as long as the server takes, and tables that show the rows of others', async () => {
    await server.run("CREATE TABLE big (b LONGBLOB); INSERT INTO big VALUES (REPEAT('x', 15000000))", 'one_other');
    await server.run('CREATE TABLE a (id INT) ENGINE=MyISAM; INSERT INTO a VALUES (1), (2)', 'one_other');
    await server.run('CREATE TABLE m (id INT) ENGINE=MERGE UNION=(a)', 'one_other');
    const [before] = await server.query('SELECT @@GLOBAL.max_allowed_packet AS bytes');
    const description = { name: 'one_other', characterSet: 'utf8mb4', collation: 'utf8mb4_unicode_ci', tables: 2, rows: 3 };
    await restore(dumpOf('one_other'), { target: 'one_other', description });
    expect(await server.query('SELECT LENGTH(b) AS bytes FROM big', 'one_other')).to.deep.equal([{ bytes: 15_000_000 }]);
    expect(await server.query('SELECT id FROM m ORDER BY id', 'one_other')).to.deep.equal([{ id: 1 }, { id: 2 }]);
    expect(await server.query('SELECT @@GLOBAL.max_allowed_packet AS bytes')).to.deep.equal([before]);
  });

  it('brings triggers back that were made with the name of their database, and none that names another', async () => {
    await server.run(
      "CREATE TRIGGER one_wp.`a.b` BEFORE INSERT ON `one_wp` . `posts` FOR EACH ROW SET NEW.text = 'by a trigger'; CREATE DEFINER=owner1@localhost TRIGGER c AFTER INSERT ON one_wp.posts FOR EACH ROW SET @x = 1",
      'one_wp',
    );
    await restore(dumpOf('one_wp'), { target: 'one_copy' });
    await server.run("INSERT INTO posts VALUES (7, 'given')", 'one_copy');
    expect(await server.query('SELECT text FROM posts WHERE id = 7', 'one_copy')).to.deep.equal([{ text: 'by a trigger' }]);
    expect(
      await server.query("SELECT EVENT_OBJECT_SCHEMA AS db FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA LIKE 'one%' ORDER BY 1"),
    ).to.deep.equal(['one_copy', 'one_copy', 'one_wp', 'one_wp'].map((db) => ({ db })));
    for (const table of ['one_other.posts', '`one_wp`.`posts`.`x`', "'one_wp'.posts"]) {
      const trigger = `CREATE TRIGGER one_wp.t AFTER INSERT ON ${table} FOR EACH ROW SET @x = 1;\n`;
      expect((await failureOf(() => restore(`${TABLE}${trigger}`))).code, table).to.be.oneOf(['dump_refused', 'database_refused']);
    }
    await server.run('DROP TRIGGER `a.b`; DROP TRIGGER c', 'one_wp');
  });

  it('keeps triggers with what was live, and leaves the character set when it fails', async () => {
    const columns = Array.from({ length: 100 }, (_, number) => `c${number} CHAR(255)`).join();
    const wide = `CREATE TABLE wide (${columns}) CHARACTER SET latin1 ROW_FORMAT=REDUNDANT;\n`;
    await server.run(
      'ALTER DATABASE one_wp CHARACTER SET latin1; CREATE TRIGGER one_wp.late BEFORE INSERT ON one_wp.posts FOR EACH ROW SET @x = 1',
      'one_wp',
    );
    const step = (name: string) => {
      if (name === 'keep old code') throw new Failure('io_error', 'at the end');
    };
    await failureOf(() => restore(TABLE, { step }));
    expect(await server.query('SELECT @@character_set_database AS name', 'one_wp')).to.deep.equal([{ name: 'latin1' }]);
    const { replaced } = await restore(`${TABLE}${wide}`);
    expect(
      await server.query(
        "SELECT TRIGGER_SCHEMA AS db, EVENT_OBJECT_SCHEMA AS of FROM information_schema.TRIGGERS WHERE TRIGGER_NAME = 'late'",
      ),
    ).to.deep.equal([{ db: replaced, of: replaced }]);
  });

  it('gives a new database to the main user, and nothing to a user who is not there', async () => {
    await restore(TABLE, { target: 'one_new' });
    const own = await server.connect({ user: 'owner1', password: 'pw', database: 'one_new' });
    await own.query("INSERT INTO posts VALUES (1, 'by the owner')");
    await own.end();
    await server.run("SET GLOBAL sql_mode = ''");
    const after = ['GRANT SELECT ON `one\\_wp`.* TO `one_nobody`@`localhost`'];
    const restorer = await MysqlRestorer.open(
      { socket: server.socket, user: 'root', password: server.password },
      new SwapJournal(restores.journal),
      ALONE,
    );
    expect(await restorer.apply({ users: [], before: [], after, notes: [] }, 'after')).to.have.length(1);
    await restorer.close();
    await server.run('SET GLOBAL sql_mode = DEFAULT');
    expect(await server.query("SELECT User FROM mysql.user WHERE User = 'one_nobody'")).to.deep.equal([]);
  });

  it('can be stopped while a statement of the dump goes on for ever', async () => {
    const stopping = new AbortController();
    const step = (name: string) => {
      if (name === 'load') setTimeout(() => stopping.abort(), 500);
    };
    const { code } = await failureOf(() =>
      restore(`${TABLE}INSERT INTO posts VALUES (SLEEP(86400), 'x');\n`, { step, signal: stopping.signal }),
    );
    expect(code).to.equal('cancelled');
    expect(await server.query("SHOW DATABASES LIKE 'apiscp\\_backup\\_____________'")).to.deep.equal([]);
  });

  it('is ended when a statement of the dump takes too long', async () => {
    restores.turn = { statementLimit: 500 };
    try {
      const { code, message } = await failureOf(() => restore(`${TABLE}INSERT INTO posts VALUES (SLEEP(86400), 'x');\n`));
      expect(code).to.equal('database_refused');
      expect(message).to.include('took longer than');
    } finally {
      restores.turn = {};
    }
    expect(await server.query("SHOW DATABASES LIKE 'apiscp\\_backup\\_____________'")).to.deep.equal([]);
  });

  it('lets alone what a restore of another unit has under way, and takes away what one left that died', async () => {
    await server.run('CREATE DATABASE apiscp_backup_000002abcdef; CREATE TABLE apiscp_backup_000002abcdef.t (a INT)');
    await server.run(
      "CREATE USER apbk_0000020123456789@localhost IDENTIFIED BY 'pw'; GRANT ALL ON `apiscp\\_backup\\_000002abcdef`.* TO apbk_0000020123456789@localhost",
    );
    const plan = { id: 'apiscp_backup_000002abcdef', shadow: 'apiscp_backup_000002abcdef', live: 'two_wp', replaced: undefined };
    restores.leave({ ...plan, defaults: undefined, oldTables: [], newTables: ['t'], oldCode: [], broken: [], isMade: false });
    restores.turn = { isUnderWay: (unit) => unit === 'site2' };
    try {
      await restore(TABLE);
      expect(await server.query('SHOW TABLES FROM apiscp_backup_000002abcdef')).to.have.length(1);
      expect(await server.query("SELECT 1 FROM mysql.user WHERE User = 'apbk_0000020123456789'")).to.have.length(1);
    } finally {
      restores.turn = {};
    }
    // The server is still busy with a statement of the dead one's, which holds the table.
    const dead = await server.connect({ user: 'apbk_0000020123456789', password: 'pw', database: 'apiscp_backup_000002abcdef' });
    dead.on('error', () => {});
    const statement = dead.query('SELECT SLEEP(86400) FROM t UNION SELECT SLEEP(86400)').catch(() => {});
    expect((await restores.settle()).map(({ database }) => database)).to.deep.equal(['two_wp']);
    await statement;
    expect(await server.query("SHOW DATABASES LIKE 'apiscp\\_backup\\_____________'")).to.deep.equal([]);
    expect(await server.query("SELECT 1 FROM mysql.user WHERE User = 'apbk_0000020123456789'")).to.deep.equal([]);
  });

  it('goes on for the others when one that was broken off cannot be put back, and says so of that one', async () => {
    const plan = { id: 'apiscp_backup_0123456789ab', shadow: 'apiscp_backup_0123456789ab', live: 'one_gone', replaced: 'one_gone_kept' };
    restores.leave({ ...plan, defaults: undefined, oldTables: ['posts'], newTables: ['posts'], oldCode: [], broken: [], isMade: false });
    await server.run('CREATE DATABASE one_gone_kept; CREATE TABLE one_gone_kept.posts (a INT)');
    await restore(TABLE);
    expect((await failureOf(() => restore(TABLE, { target: 'one_gone' }))).code).to.equal('database_refused');
    expect(await server.query('SHOW TABLES FROM one_gone_kept')).to.have.length(1);
    await server.run('CREATE DATABASE one_gone');
    expect(await restores.settle()).to.deep.equal([{ database: 'one_gone', kept: undefined }]);
    expect(await server.query('SHOW TABLES FROM one_gone')).to.have.length(1);
  });

  it('goes back while the account holds a lock, tries again, and takes nothing of the live one for restored', async () => {
    const holder = await server.connect({ user: ACCOUNT.user, password: ACCOUNT.password, database: 'one_wp' });
    await holder.query('LOCK TABLES posts WRITE');
    let tries = 0;
    const step = async (name: string): Promise<void> => {
      if (name === 'rename' && ++tries === 2) await holder.query('UNLOCK TABLES');
    };
    const { replaced } = await restore(TABLE, { step });
    await holder.end();
    expect([tries, replaced]).to.deep.equal([2, `one_kept_${number}`]);
    // Nothing of this one was exchanged, and its shadow is gone.
    const plan = { id: 'apiscp_backup_0123456789ab', shadow: 'apiscp_backup_0123456789ab', live: 'one_wp', replaced: 'one_none' };
    const defaults = { characterSet: 'utf8mb4', collation: 'utf8mb4_unicode_ci' };
    restores.leave({ ...plan, defaults, oldTables: ['posts'], newTables: ['posts'], oldCode: [], broken: [], isMade: false });
    expect(await restores.settle()).to.deep.equal([{ database: 'one_wp', kept: undefined }]);
    expect(await server.query("SHOW TABLES FROM one_wp LIKE 'posts'")).to.have.length(1);
  });

  it('tells no rows of the account in its messages', async () => {
    const dump = `${TABLE}INSERT INTO posts VALUES (1, 'secret'), (1, 'secret');\n`;
    expect((await failureOf(() => restore(dump))).message)
      .to.include('INSERT INTO posts VALUES')
      .and.not.include('secret');
  });
});

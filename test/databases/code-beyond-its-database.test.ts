import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { makeMariadbAccount } from './account.ts';
import { MariadbServer } from './mariadb-server.ts';
import { MariadbRestores } from './restoring.ts';

const ONE = { prefix: 'one_', user: 'owner1', password: 'pw', databases: ['wp', 'shop', 'gone'] };
const TWO = { prefix: 'two_', user: 'owner2', password: 'pw', databases: ['wp'] };

/** As applications have it: a forum that shows the users of a shop, what a deleted user made, what others take for granted. */
const CODE = `
  CREATE TABLE posts (id INT PRIMARY KEY, text TEXT, length INT AS (CHAR_LENGTH(text)) PERSISTENT);
  INSERT INTO posts (id, text) VALUES (1, 'one');
  CREATE DEFINER=deleted@localhost SQL SECURITY DEFINER VIEW plain AS SELECT id FROM posts;
  CREATE DEFINER=owner1@localhost VIEW of_shop AS SELECT c.name, p.text FROM posts p JOIN one_shop.customers c ON c.id = p.id;
  CREATE DEFINER=owner1@localhost VIEW upon_it AS SELECT name FROM of_shop;
  CREATE DEFINER=root@localhost VIEW of_other AS SELECT * FROM two_wp.secrets;
  CREATE DEFINER=root@localhost VIEW of_server AS SELECT User FROM mysql.user;
  CREATE DEFINER=owner1@localhost VIEW of_gone AS SELECT * FROM one_gone.t;
  CREATE DEFINER=deleted@localhost FUNCTION total() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM one_shop.customers);
  CREATE DEFINER=owner1@localhost TRIGGER noted AFTER INSERT ON posts FOR EACH ROW INSERT INTO one_shop.customers VALUES (NEW.id, 'noted');
  CREATE DEFINER=owner1@localhost PROCEDURE p() INSERT INTO one_shop.customers VALUES (100, 'p');
  CREATE DEFINER=owner1@localhost EVENT e ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM one_shop.customers`;

describe('What reaches beyond its database', () => {
  let server: MariadbServer;
  let restores: MariadbRestores;
  let dump: Buffer;

  before(async () => {
    server = await MariadbServer.start(['--log-bin', '--binlog-format=ROW', '--server-id=1']);
    restores = new MariadbRestores(server, ONE);
    await makeMariadbAccount(server, ONE);
    await makeMariadbAccount(server, TWO);
    await server.run(`CREATE TABLE one_shop.customers (id INT PRIMARY KEY, name TEXT); INSERT INTO one_shop.customers VALUES (1, 'Ann');
      CREATE TABLE one_gone.t (id INT); CREATE TABLE two_wp.secrets (secret TEXT); INSERT INTO two_wp.secrets VALUES ('of two')`);
    for (const statement of CODE.split(/;\n/)) await server.run(statement, 'one_wp');
    const options = ['--skip-dump-date', '--single-transaction', '--routines', '--events', '--triggers', 'one_wp'];
    dump = execFileSync('mariadb-dump', [`--defaults-file=${server.optionFile}`, ...options]);
    await server.run('DROP DATABASE one_gone');
  });
  after(async () => {
    await server.stop();
    restores.remove();
  });

  it('comes back where it is the account’s own, and is left out and named where it is not; all else comes back', async () => {
    expect(await server.query('SELECT @@log_bin AS log, @@log_bin_trust_function_creators AS trust')).to.deep.equal([{ log: 1, trust: 0 }]);
    const { leftOut, rows, replaced } = await restores.restore(dump, { replacedName: 'one_kept' });
    expect(leftOut.map((each) => each.split(':')[0])).to.have.members(['the view of_other', 'the view of_server', 'the view of_gone']);
    expect([rows, replaced]).to.deep.equal([1, 'one_kept']);
    expect(await server.query('SELECT * FROM one_wp.upon_it')).to.deep.equal([{ name: 'Ann' }]);
    expect(await server.query('SELECT * FROM one_wp.plain')).to.deep.equal([{ id: 1 }]);
    expect(await server.query('SELECT one_wp.total() AS n')).to.deep.equal([{ n: 1 }]);
    await server.run("INSERT INTO one_wp.posts (id, text) VALUES (2, 'two')");
    expect(await server.query('SELECT name FROM one_shop.customers WHERE id = 2')).to.deep.equal([{ name: 'noted' }]);
    expect(await server.query('SELECT length FROM one_wp.posts WHERE id = 1')).to.deep.equal([{ length: 3 }]);
    const kinds = await server.query(
      "SELECT STATUS AS status, DEFINER AS definer FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'one_wp'",
    );
    expect(kinds).to.deep.equal([{ status: 'DISABLED', definer: 'owner1@localhost' }]);
  });

  it('gives nobody a right that was not there before', async () => {
    const users = await server.query(
      "SELECT User, Host FROM mysql.user WHERE User NOT IN ('root', 'mariadb.sys', 'mysql', 'owner1', 'owner2')",
    );
    expect(users).to.deep.equal([]);
    const definers = await server.query("SELECT DISTINCT DEFINER AS d FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'one_wp'");
    expect(definers).to.deep.equal([{ d: 'owner1@localhost' }]);
    const [{ trust } = {}] = await server.query('SELECT @@log_bin_trust_function_creators AS trust');
    expect(trust).to.equal(0);
  });

  it('ends a restore as before where it is a mistake of the dump’s own', async () => {
    const wrong = Buffer.from(`${dump.toString()}\nCREATE VIEW wrong AS SELECT FROM posts;\n`);
    const failure = await restores.restore(wrong, { replacedName: 'one_kept2' }).catch((error: Error) => error);
    expect(failure).to.include({ code: 'database_refused' });
    expect(await server.query("SHOW DATABASES LIKE 'one_kept2'")).to.deep.equal([]);
  });

  it('has foreign keys that come back where both databases are the account’s own; what is kept holds nobody fast', async () => {
    await server.run(`DROP DATABASE one_kept; CREATE TABLE two_wp.theirs (id INT PRIMARY KEY);
      CREATE TABLE one_wp.orders (id INT PRIMARY KEY, c INT, t INT, KEY (c), KEY (t),
        CONSTRAINT \`of the shop\` FOREIGN KEY (c) REFERENCES one_shop.customers (id) ON DELETE SET NULL ON UPDATE CASCADE,
        CONSTRAINT of_two FOREIGN KEY (t) REFERENCES two_wp.theirs (id));
      INSERT INTO one_shop.customers VALUES (50, 'Bob'); INSERT INTO one_wp.orders VALUES (1, 50, NULL)`);
    const bytes = execFileSync('mariadb-dump', [
      `--defaults-file=${server.optionFile}`,
      '--skip-dump-date',
      '--single-transaction',
      'one_wp',
      'orders',
    ]);
    const { leftOut, notes } = await restores.restore(bytes, { replacedName: 'one_kept' });
    expect(leftOut.map((each) => each.split(':')[0])).to.deep.equal(['the foreign key of_two of orders to two_wp.theirs']);
    expect(notes.join('\n')).to.include('one_kept.orders is kept without its foreign key of the shop');
    const [made] = await server.query('SHOW CREATE TABLE one_wp.orders');
    expect(made!['Create Table'])
      .to.include('FOREIGN KEY (`c`) REFERENCES `one_shop`.`customers` (`id`) ON DELETE SET NULL ON UPDATE CASCADE')
      .and.not.include('two_wp');
    await server.run('DELETE FROM one_shop.customers WHERE id = 50');
    expect(await server.query('SELECT k.c AS kept, w.c AS live FROM one_kept.orders k, one_wp.orders w')).to.deep.equal([
      { kept: 50, live: null },
    ]);
    const copy = await restores.restore(bytes, { target: 'one_copy' });
    expect(copy.leftOut).to.have.length(2);
  });
});

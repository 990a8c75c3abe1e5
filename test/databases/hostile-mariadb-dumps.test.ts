import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { serverKind } from '../../core/databases/load/mysql/quoting.ts';
import { makeTemporaryLogin } from '../../core/databases/load/mysql/temporary-login.ts';
import { MysqlConnection } from '../../core/databases/sessions/mysql-connection.ts';
import { failureOf } from '../failure-of.ts';
import { makeMariadbAccount } from './account.ts';
import { MariadbServer } from './mariadb-server.ts';
import { MariadbRestores } from './restoring.ts';

const ONE = { prefix: 'one_', user: 'owner1', password: 'pw', databases: ['wp'], furtherUsers: ['web'] };
const TWO = { prefix: 'two_', user: 'owner2', password: 'pw', databases: ['wp'] };

/** Statements that no dump of a database has; some are commands of the client, some of the server. */
const NOT_OF_A_DUMP = (trap: string): string[] => [
  `\\! touch ${trap}`,
  `system touch ${trap};`,
  `source ${trap}`,
  `\\. ${trap}`,
  `tee ${trap}`,
  `pager touch ${trap}`,
  'USE two_wp;',
  '/*!50003 USE two_wp */;',
  '/*M!100000 USE two_wp */;',
  'CONNECT two_wp;',
  'SET GLOBAL event_scheduler = OFF;',
  'SET @@global.event_scheduler = OFF;',
  'SET @x = 1, GLOBAL event_scheduler = OFF;',
  "SET PASSWORD = PASSWORD('x');",
  'SET ROLE two;',
  'SET sql_mode = (SELECT text FROM two_wp.posts LIMIT 1);',
  'SET STATEMENT max_statement_time = 1 FOR DROP DATABASE two_wp;',
  `LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE posts;`,
  `LOAD DATA INFILE '/etc/passwd' INTO TABLE posts;`,
  `SELECT 1 INTO OUTFILE '${trap}';`,
  `DO SETVAL(numbers, (SELECT 1 INTO OUTFILE '${trap}'));`,
  'GRANT ALL ON *.* TO owner1@localhost;',
  'DROP DATABASE two_wp;',
  'DROP TABLE IF EXISTS two_wp.posts;',
  'RENAME TABLE two_wp.posts TO two_wp.gone;',
  "EXECUTE IMMEDIATE 'DROP DATABASE two_wp';",
  'BEGIN NOT ATOMIC DROP DATABASE two_wp; END;',
  'CALL two_wp.anything();',
  'ALTER TABLE two_wp.posts DROP COLUMN text;',
  'SHUTDOWN;',
  'KILL 1;',
  'FLUSH TABLES WITH READ LOCK;',
  'CREATE TEMPORARY TABLE t (a INT);',
  'CREATE TRIGGER two_wp.t AFTER INSERT ON two_wp.posts FOR EACH ROW SET @x = 1;',
  'CREATE EVENT e ON SCHEDULE AT CURRENT_TIMESTAMP ENABLE DO DELETE FROM posts;',
  "CREATE EVENT e ON SCHEDULE AT LOAD_FILE('/etc/passwd') ENABLE DO DELETE FROM posts;",
  "CREATE FUNCTION f RETURNS STRING SONAME 'x.so';",
  "DELIMITER '\nINSERT INTO posts VALUES (1, 'x')'\n",
  "DELIMITER ;;\nINSERT INTO posts VALUES (5, 'x'); DROP DATABASE two_wp;;\n",
  "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; INSERT INTO posts VALUES (6, '\\'); USE two_wp; -- ');\n",
  'SET NAMES gbk;',
  "INSERT INTO posts VALUES (1, 'no end",
  'COMMIT AND CHAIN;',
  'COMMIT RELEASE;',
  "XA START 'x';",
  "INSTALL SONAME 'ha_x';",
  "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1');",
  'DO SETVAL(`two_wp`.`s`, 5, 0);',
  '/* no end',
  '/*!50000 INSERT INTO posts VALUES (9, 9)',
];

/** What the login itself must not reach, were such statements let through. */
const NOT_OF_THE_LOGIN = (trap: string): string[] => [
  'USE two_wp',
  'INSERT INTO two_wp.posts VALUES (9, NULL)',
  'CREATE TABLE t AS SELECT * FROM two_wp.posts',
  'CREATE VIEW v AS SELECT * FROM two_wp.posts',
  'CREATE TABLE t (id INT, FOREIGN KEY (id) REFERENCES two_wp.posts (id))',
  'CREATE TABLE t LIKE two_wp.posts',
  'CREATE TRIGGER two_wp.t AFTER INSERT ON two_wp.posts FOR EACH ROW SET @x = 1',
  'CREATE DATABASE three_wp',
  'DROP DATABASE two_wp',
  'CREATE USER x',
  'GRANT SELECT ON posts TO owner2@localhost',
  'SET GLOBAL event_scheduler = OFF',
  'CREATE DEFINER = root@localhost PROCEDURE p() SELECT 1',
  "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE posts",
  "LOAD DATA INFILE '/etc/passwd' INTO TABLE posts",
  `SELECT 1 INTO OUTFILE '${trap}'`,
  "INSTALL SONAME 'ha_blackhole'",
  'SELECT * FROM mysql.user',
  'SHUTDOWN',
  'INSERT INTO posts VALUES (1, 1); DROP TABLE posts',
  'CREATE TABLE `#mysql50#../two_wp/evil` (a INT)',
  'DROP TABLE `#mysql50#../two_wp/posts`',
  'CREATE TABLE f (a INT) ENGINE=MERGE UNION=(two_wp.posts)',
  'CREATE OR REPLACE TABLE two_wp.posts (a INT)',
  "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1')",
];

describe('A hostile dump for MariaDB', () => {
  let server: MariadbServer;
  let restores: MariadbRestores;
  let trap: string;
  before(async () => {
    server = await MariadbServer.start();
    restores = new MariadbRestores(server, ONE);
    trap = join(server.folder, 'trap');
    await makeMariadbAccount(server, ONE);
    await makeMariadbAccount(server, TWO);
    for (const database of ['one_wp', 'two_wp'])
      await server.run("CREATE TABLE posts (id INT PRIMARY KEY, text TEXT) ENGINE=MyISAM; INSERT INTO posts VALUES (1, 'old')", database);
  });
  after(async () => {
    await server.stop();
    restores.remove();
  });

  /** What must be as it was. */
  const others = async () => [
    await server.query('SELECT * FROM one_wp.posts'),
    await server.query('SELECT * FROM two_wp.posts'),
    await server.query('SHOW FULL TABLES FROM two_wp'),
    await server.query('SHOW DATABASES'),
    await server.query('SELECT User, Host FROM mysql.user ORDER BY 1, 2'),
    await server.query('SELECT @@global.event_scheduler AS scheduler'),
    existsSync(trap),
  ];
  const TABLE = 'SET NAMES utf8mb4;\nCREATE TABLE posts (id INT PRIMARY KEY, text TEXT) ENGINE=MyISAM;\n';

  it('is refused at the first statement that no dump has, and nothing comes of it (case 30)', async () => {
    const before = await others();
    for (const attack of NOT_OF_A_DUMP(trap)) {
      const { code } = await failureOf(() => restores.restore(Buffer.from(`${TABLE}${attack}\n`)));
      // These the server takes for no statement.
      expect(code, attack).to.equal(/FUNCTION f RETURNS|^DELIMITER ;;/.test(attack) ? 'database_refused' : 'dump_refused');
    }
    expect(await others()).to.deep.equal(before);
  });

  it('reaches nothing by the login that it is loaded with', async () => {
    const before = await others();
    const { socket, password } = server;
    const admin = await MysqlConnection.open({ socket, user: 'root', password });
    await admin.query('CREATE DATABASE apiscp_backup_000000000000');
    const login = await makeTemporaryLogin(admin, socket, serverKind('10.11.19-MariaDB'), {
      database: 'apiscp_backup_000000000000',
      unit: 'site1',
    });
    const connection = await MysqlConnection.open(login, 'apiscp_backup_000000000000');
    await connection.query('CREATE TABLE posts (id INT, text TEXT)');
    for (const attack of NOT_OF_THE_LOGIN(trap)) {
      const { code } = await failureOf(() => connection.execute(Buffer.from(attack)));
      expect(code, attack).to.be.oneOf(['database_refused', 'database_unreachable']);
    }
    // A server that shows its files to nobody shows them to it as little.
    writeFileSync(trap, 'secret', { mode: 0o644 });
    expect(await connection.query(`SELECT LOAD_FILE('${trap}') AS text`)).to.deep.equal([{ text: null }]);
    await connection.close();
    await admin.close();
    await restores.settle();
    expect((await others()).slice(0, -1)).to.deep.equal(before.slice(0, -1));
  });

  it('makes nothing for another user: what names root becomes the account’s, and what names the account’s stays (case 31)', async () => {
    const code = [
      'CREATE DEFINER=`root`@`localhost` PROCEDURE `of root`() SQL SECURITY DEFINER SELECT User FROM mysql.user;',
      '/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`%`*/ /*!50003 TRIGGER seen BEFORE INSERT ON posts FOR EACH ROW SET NEW.text = CURRENT_USER() */;',
      '/*!50001 CREATE ALGORITHM=MERGE */ /*!50013 DEFINER=`one_web`@`localhost` SQL SECURITY DEFINER */ /*!50001 VIEW `of web` AS select CURRENT_USER() AS who */;',
      'CREATE DEFINER=`owner2`@`localhost` FUNCTION `of two`() RETURNS TEXT DETERMINISTIC RETURN CURRENT_USER();',
      "/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT busy ON SCHEDULE EVERY 1 SECOND STARTS '2020-01-01 00:00:00' ON COMPLETION PRESERVE ENABLE DO INSERT INTO posts VALUES (FLOOR(RAND() * 1000000), USER()) */;",
    ].join('\n');
    const { replaced } = await restores.restore(Buffer.from(`${TABLE}${code}\n`));
    const definers = await server.query(
      `SELECT DEFINER AS d FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'one_wp' UNION ALL SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'one_wp'
       UNION ALL SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'one_wp' UNION ALL SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'one_wp'`,
    );
    expect(definers.map(({ d }) => d)).to.deep.equal([
      'owner1@localhost',
      'owner1@localhost',
      'owner1@localhost',
      'owner1@localhost',
      'one_web@localhost',
    ]);
    const refusal = await server.query('CALL one_wp.`of root`()').catch((error) => String(error));
    expect(refusal).to.contain('denied');
    expect(await server.query('SELECT one_wp.`of two`() AS who')).to.deep.equal([{ who: 'owner1@localhost' }]);
    await server.run(`DROP EVENT one_wp.busy; DROP DATABASE ${replaced}`);
  });

  it('has its rows stay that it has not committed itself: what was counted is there afterwards', async () => {
    const table = 'CREATE TABLE posts (id INT PRIMARY KEY, text TEXT) ENGINE=InnoDB;\n';
    const { rows, replaced } = await restores.restore(
      Buffer.from(`${table}SET autocommit=0;\nINSERT INTO posts VALUES (1,'a'),(2,'b');\n`),
    );
    expect([rows, await server.query('SELECT COUNT(*) AS n FROM one_wp.posts')]).to.deep.equal([2, [{ n: 2 }]]);
    await server.run(`DROP DATABASE ${replaced}`);
  });

  it('is not taken for its beginning, nor for what its record does not say', async () => {
    const bytes = Buffer.from(`${TABLE}INSERT INTO posts VALUES (1,'a'),(2,'b');\n`);
    const description = { name: 'one_wp', characterSet: 'utf8mb4', collation: 'utf8mb4_unicode_ci' };
    const before = await others();
    expect((await failureOf(() => restores.restore(bytes, { description: { ...description, tables: 1, rows: 3 } }))).code).to.equal(
      'database_differs',
    );
    expect((await failureOf(() => restores.restore(bytes, { description: { ...description, tables: 2, rows: 2 } }))).code).to.equal(
      'database_differs',
    );
    expect((await failureOf(() => restores.restore(bytes.subarray(0, bytes.length - 3)))).code).to.equal('dump_refused');
    expect(await others()).to.deep.equal(before);
  });
});

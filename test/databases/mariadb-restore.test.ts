import { expect } from 'chai';
import { execa } from 'execa';
import { Failure } from '../../core/failure.ts';
import { failureOf } from '../failure-of.ts';
import { makeMariadbAccount } from './account.ts';
import { describeMariadb, fillEveryKind } from './every-kind-of-mariadb.ts';
import { MariadbServer } from './mariadb-server.ts';
import { MariadbRestores } from './restoring.ts';

const ACCOUNT = {
  prefix: 'example_',
  user: 'exampleadm',
  password: "it's secret",
  databases: ['wp', "o'dd-name", 'none'],
  furtherUsers: ['web'],
};
const DUMP = [
  '--single-transaction',
  '--quick',
  '--routines',
  '--events',
  '--triggers',
  '--hex-blob',
  '--skip-dump-date',
  '--no-tablespaces',
];
const DESCRIPTION = { name: 'example_wp', characterSet: 'utf8mb4', collation: 'utf8mb4_unicode_ci' };

describe('Bringing a MariaDB database back', () => {
  let server: MariadbServer;
  let restores: MariadbRestores;
  before(async () => {
    server = await MariadbServer.start();
    restores = new MariadbRestores(server, ACCOUNT);
    await makeMariadbAccount(server, ACCOUNT);
    await fillEveryKind(server, ACCOUNT.user, ACCOUNT.password, 'example_wp');
  });
  after(async () => {
    await server.stop();
    restores.remove();
  });

  const dump = async (database: string): Promise<Buffer> => {
    const { stdout } = await execa('mariadb-dump', [`--defaults-file=${server.optionFile}`, ...DUMP, database], { encoding: 'buffer' });
    return Buffer.from(stdout);
  };
  const restore: MariadbRestores['restore'] = (bytes, given) => restores.restore(bytes, given);
  const names = async (): Promise<unknown[]> => (await server.query('SHOW DATABASES')).map(({ Database }) => Database);
  const temporaryUsers = () => server.query("SELECT User FROM mysql.user WHERE User LIKE 'apbk%'");

  it('makes every kind of object equal to what it was, and keeps what was live', async () => {
    const before = await describeMariadb(server, 'example_wp');
    const bytes = await dump('example_wp');
    await server.run('DROP VIEW families; DROP TABLE children; INSERT INTO parents VALUES (77, "new"); DROP FUNCTION total', 'example_wp');
    const outcome = await restore(bytes, { description: { ...DESCRIPTION, tables: 7, rows: 9 } });
    const now = await describeMariadb(server, 'example_wp');
    for (const each of Object.keys({ ...now, ...before })) expect(JSON.stringify(now[each]), each).to.equal(JSON.stringify(before[each]));
    expect(outcome).to.deep.include({ tables: 7, rows: 9, bytes: bytes.length, replaced: 'example_wp_replaced' });
    expect(await server.query('SELECT id FROM example_wp_replaced.parents ORDER BY id')).to.deep.equal([{ id: 1 }, { id: 2 }, { id: 77 }]);
    expect(
      await server.query(
        "SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'example_wp_replaced' AND STATUS <> 'DISABLED'",
      ),
    ).to.deep.equal([]);
    expect([await temporaryUsers(), (await names()).filter((name) => String(name).startsWith('apiscp'))]).to.deep.equal([[], []]);
    await server.run('DROP DATABASE example_wp_replaced');
  });

  it('makes no event whose time has passed since, says so, and makes those that stay', async () => {
    const once = "ON SCHEDULE AT '2037-01-02 03:04:05'";
    await server.run(
      `CREATE EVENT goes ${once} DO SELECT 1; CREATE EVENT stays ${once} ON COMPLETION PRESERVE DO SELECT 2; CREATE EVENT comes ${once} DO SELECT 3`,
      'example_wp',
    );
    const bytes = (await dump('example_wp')).toString().replaceAll(/(EVENT `(?:goes|stays)` ON SCHEDULE AT ')2037/g, '$12017');
    await server.run('DROP EVENT goes; DROP EVENT stays; DROP EVENT comes', 'example_wp');
    const { notes, leftOut } = await restore(Buffer.from(bytes));
    expect(notes).to.include('the event goes is over');
    expect(leftOut).to.deep.equal([]);
    const events =
      "SELECT EVENT_NAME AS name FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'example_wp' AND EVENT_NAME IN ('goes', 'stays', 'comes')";
    expect(await server.query(`${events} ORDER BY 1`)).to.deep.equal([{ name: 'comes' }, { name: 'stays' }]);
    await server.run('DROP DATABASE example_wp_replaced');
  });

  it('keeps foreign keys within their database when the table that they name is not there, then or now', async () => {
    const pointsAt = async (database: string) =>
      (
        await server.query(
          `SELECT CONSTRAINT_NAME AS name, UNIQUE_CONSTRAINT_SCHEMA AS db, DELETE_RULE AS rule FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = '${database}' AND REFERENCED_TABLE_NAME IN ('gone', 'lost') ORDER BY 1`,
        )
      ).map(({ name, db, rule }) => [name, db, rule]);
    await server.run(
      `SET foreign_key_checks = 0; CREATE TABLE lost (id INT, part INT, PRIMARY KEY (id, part));
       CREATE TABLE orphans (id INT PRIMARY KEY, g INT, CONSTRAINT of_gone FOREIGN KEY (g) REFERENCES gone (\`i'd\`) ON DELETE SET NULL ON UPDATE CASCADE);
       CREATE TABLE others (a INT, b INT, CONSTRAINT of_lost FOREIGN KEY (a, b) REFERENCES lost (id, part) ON DELETE CASCADE);`,
      'example_wp',
    );
    const before = await describeMariadb(server, 'example_wp');
    const bytes = await dump('example_wp');
    await server.run('SET foreign_key_checks = 0; DROP TABLE lost', 'example_wp');
    const failed = await failureOf(() =>
      restore(bytes, {
        step: (name) => {
          if (name === 'end') throw new Failure('io_error', 'enough');
        },
      }),
    );
    expect(failed.message).to.equal('enough');
    const keys = (database: string) => [
      ['of_gone', database, 'SET NULL'],
      ['of_lost', database, 'CASCADE'],
    ];
    expect(await pointsAt('example_wp')).to.deep.equal(keys('example_wp'));
    await restore(bytes);
    const now = await describeMariadb(server, 'example_wp');
    for (const each of Object.keys({ ...now, ...before })) expect(JSON.stringify(now[each]), each).to.equal(JSON.stringify(before[each]));
    expect(await pointsAt('example_wp')).to.deep.equal(keys('example_wp'));
    expect(await pointsAt('example_wp_replaced')).to.deep.equal(keys('example_wp_replaced'));
    await server.run('DROP DATABASE example_wp_replaced');
  });

  it('brings back what a server of today would not take any more: dates, rows beside a CHECK, views that check behind others', async () => {
    await server.run(
      `SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', check_constraint_checks = OFF;
       CREATE TABLE odd (id INT AUTO_INCREMENT PRIMARY KEY, day DATE DEFAULT '2021-02-31', at DATETIME, positive INT CHECK (positive > 0));
       INSERT INTO odd VALUES (0, '2021-02-31', '2021-04-31 01:02:03', -1), (5, '0000-00-00', '2020-00-00', 1);
       CREATE DEFINER=exampleadm@localhost VIEW z_odd AS SELECT * FROM odd; CREATE DEFINER=exampleadm@localhost VIEW a_odd AS SELECT * FROM z_odd WITH CASCADED CHECK OPTION`,
      'example_wp',
    );
    const before = await describeMariadb(server, 'example_wp');
    const values = 'SELECT id, day + 0 AS day, at + 0 AS at, positive FROM odd ORDER BY id';
    const rows = await server.query(values, 'example_wp');
    expect(rows[0]).to.include({ id: 0, day: 20210231, positive: -1 });
    const [{ mode } = {}] = await server.query('SELECT @@GLOBAL.sql_mode AS mode');
    const bytes = await dump('example_wp');
    // Users' names are filled with spaces then.
    await server.run("SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ZERO_DATE,PAD_CHAR_TO_FULL_LENGTH'");
    const { leftOut } = await restore(bytes).finally(() => server.run(`SET GLOBAL sql_mode = '${mode}'`));
    expect(leftOut).to.deep.equal([]);
    expect(await server.query(values, 'example_wp')).to.deep.equal(rows);
    const now = await describeMariadb(server, 'example_wp');
    for (const each of Object.keys({ ...now, ...before })) expect(JSON.stringify(now[each]), each).to.equal(JSON.stringify(before[each]));
    await server.run('DROP DATABASE example_wp_replaced');
    await server.run('DROP VIEW a_odd; DROP VIEW z_odd; DROP TABLE odd', 'example_wp');
  });

  it('keeps who may execute a single routine, also when it fails, and names what is gone', async () => {
    const rights = () =>
      server.query("SELECT User, Host, Routine_name, Proc_priv FROM mysql.procs_priv WHERE Db = 'example_wp' ORDER BY 1, 3");
    const bytes = await dump('example_wp');
    await server.run(
      `CREATE ROLE example_role; CREATE PROCEDURE newer() SELECT 1;
       GRANT EXECUTE ON FUNCTION total TO example_web@localhost WITH GRANT OPTION;
       GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE add_child TO example_role; GRANT EXECUTE ON PROCEDURE newer TO example_role`,
      'example_wp',
    );
    const before = await rights();
    expect(before).to.have.length(3);
    const step = (name: string) => {
      if (name === 'end') throw new Failure('io_error', 'enough');
    };
    expect((await failureOf(() => restore(bytes, { step }))).message).to.equal('enough');
    expect(await rights()).to.deep.equal(before);
    const { notes } = await restore(bytes);
    expect(await rights()).to.deep.equal(before.filter(({ Routine_name }) => Routine_name !== 'newer'));
    const left = notes.filter((note) => note.includes('GRANT'));
    expect(left).to.have.length(1);
    expect(left[0]).to.include('GRANT Execute ON PROCEDURE `example_wp`.`newer` TO `example_role`');
    await server.run('DROP DATABASE example_wp_replaced; DROP ROLE example_role');
  });
});

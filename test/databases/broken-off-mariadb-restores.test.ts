import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { failureOf } from '../failure-of.ts';
import { makeMariadbAccount } from './account.ts';
import { describeMariadb } from './every-kind-of-mariadb.ts';
import { MariadbServer } from './mariadb-server.ts';
import { inPieces, KILLED, MariadbRestores } from './restoring.ts';

const ACCOUNT = { prefix: 'example_', user: 'exampleadm', password: 'pw', databases: ['wp'] };
const STEPS = [
  'make shadow',
  'load',
  'swap',
  'make databases',
  'drop triggers',
  'rename',
  'drop code',
  'make code',
  'keep old code',
  'end',
];
const CONTENTS = [
  'CREATE TABLE parents (id INT PRIMARY KEY)',
  'CREATE TABLE children (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parents (id))',
  'CREATE TABLE log (what TEXT)',
  "CREATE TRIGGER logged AFTER INSERT ON parents FOR EACH ROW INSERT INTO log VALUES ('parent')",
  'INSERT INTO parents VALUES (1)',
  'INSERT INTO children VALUES (5, 1)',
  'CREATE VIEW families AS SELECT * FROM children',
  'CREATE PROCEDURE empty() DELETE FROM log',
  // An event whose time is this second would be run each time that a restore makes it again.
  "CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2031-01-01 03:00:00' DO DELETE FROM log",
];

describe('A restore of a MariaDB database that is broken off', () => {
  let server: MariadbServer;
  let restores: MariadbRestores;
  let dump: Buffer;
  before(async () => {
    server = await MariadbServer.start();
    restores = new MariadbRestores(server, ACCOUNT);
    await makeMariadbAccount(server, ACCOUNT);
    const own = await server.connect({ user: ACCOUNT.user, password: ACCOUNT.password, database: 'example_wp' });
    for (const sql of CONTENTS) await own.query(sql);
    const options = ['--routines', '--events', '--triggers', '--hex-blob', '--skip-dump-date'];
    dump = execFileSync('mariadb-dump', [`--defaults-file=${server.optionFile}`, ...options, 'example_wp']);
    // What is live since differs from the dump in every kind of object.
    await own.query(
      "INSERT INTO parents VALUES (2); DROP VIEW families; CREATE VIEW families AS SELECT 'new' AS new; DROP PROCEDURE empty; CREATE PROCEDURE more() SELECT 1; CREATE TABLE more (a INT)",
    );
    await own.end();
  });
  after(async () => {
    await server.stop();
    restores.remove();
  });

  const leftovers = async () => [
    ...(await server.query("SHOW DATABASES WHERE `Database` LIKE 'apiscp%' OR `Database` LIKE 'example%'")),
    ...(await server.query("SELECT User FROM mysql.user WHERE User LIKE 'apbk%'")),
  ];
  const CLEAN = [{ Database: 'example_wp' }];

  it('leaves what is live as it was when any step fails (case 32)', async () => {
    const before = await describeMariadb(server, 'example_wp');
    for (const failing of STEPS) {
      const step = (name: string) => {
        if (name === failing) throw new Failure('io_error', `at ${name}`);
      };
      expect((await failureOf(() => restores.restore(dump, { step }))).message).to.equal(`at ${failing}`);
      expect(await describeMariadb(server, 'example_wp'), failing).to.deep.equal(before);
      expect(await leftovers(), failing).to.deep.equal(CLEAN);
    }
  });

  it('is undone by the next call when its process was killed', async () => {
    const before = await describeMariadb(server, 'example_wp');
    const { socket, password } = server;
    const die = (step: string) => {
      const order = { server: { socket, password }, account: ACCOUNT, journal: restores.journal, dump: dump.toString('base64'), step };
      const script = ['--input-type=module', '--eval', KILLED, join(import.meta.dirname, 'restoring.ts'), JSON.stringify(order)];
      expect(spawnSync(process.execPath, script, { encoding: 'utf8' })).to.include({ signal: 'SIGKILL' });
    };
    // Without its triggers.
    die('rename');
    expect(await describeMariadb(server, 'example_wp')).not.to.deep.equal(before);
    expect(await restores.settle()).to.deep.equal([{ database: 'example_wp', kept: undefined }]);
    expect(await describeMariadb(server, 'example_wp')).to.deep.equal(before);
    expect(await leftovers()).to.deep.equal(CLEAN);
    // With the restored tables, in which somebody goes on.
    die('make code');
    await server.run('INSERT INTO parents VALUES (99)', 'example_wp');
    const [settled] = await restores.settle();
    expect(await describeMariadb(server, 'example_wp')).to.deep.equal(before);
    expect(await server.query(`SELECT id FROM ${settled!.kept}.parents ORDER BY id`)).to.deep.equal([{ id: 1 }, { id: 99 }]);
    await server.run(`DROP DATABASE ${settled!.kept}`);
    expect(await leftovers()).to.deep.equal(CLEAN);
  });

  it('is brought to its end by the next call when all that was restored stood in its place', async () => {
    const before = await describeMariadb(server, 'example_wp');
    const { socket, password } = server;
    const order = {
      server: { socket, password },
      account: ACCOUNT,
      journal: restores.journal,
      dump: dump.toString('base64'),
      step: 'keep old code',
    };
    const script = ['--input-type=module', '--eval', KILLED, join(import.meta.dirname, 'restoring.ts'), JSON.stringify(order)];
    expect(spawnSync(process.execPath, script, { encoding: 'utf8' })).to.include({ signal: 'SIGKILL' });
    await server.run('INSERT INTO parents VALUES (99)', 'example_wp');
    expect(await restores.settle()).to.deep.equal([]);
    expect(await server.query('SELECT id FROM parents ORDER BY id', 'example_wp')).to.deep.equal([{ id: 1 }, { id: 99 }]);
    expect(Object.keys(await describeMariadb(server, 'example_wp_replaced'))).to.deep.equal(Object.keys(before));
    await server.run('DROP DATABASE example_wp_replaced');
    expect(await leftovers()).to.deep.equal(CLEAN);
  });

  it('changes nothing when the server dies while it loads, or the dump cannot be read to its end', async () => {
    const before = await describeMariadb(server, 'example_wp');
    async function* dying() {
      yield* inPieces(dump.subarray(0, dump.length / 2));
      await server.kill();
      yield* inPieces(dump.subarray(dump.length / 2));
    }
    expect((await failureOf(() => restores.restore(dump, { dump: dying }))).code).to.equal('database_unreachable');
    await server.startAgain();
    async function* unreadable() {
      yield* inPieces(dump.subarray(0, dump.length / 2));
      throw new Failure('digest_mismatch', 'stored content differs');
    }
    expect((await failureOf(() => restores.restore(dump, { dump: unreadable }))).code).to.equal('digest_mismatch');
    expect(await describeMariadb(server, 'example_wp')).to.deep.equal(before);
    expect(await leftovers()).to.deep.equal(CLEAN);
  });

  it('is undone by the next call when the server died at any step', async () => {
    const before = await describeMariadb(server, 'example_wp');
    const undone = STEPS.slice(0, STEPS.indexOf('keep old code'));
    for (const dying of process.env.SLOW === undefined ? ['rename', 'drop code'] : undone) {
      const step = async (name: string) => {
        if (name === dying) await server.kill();
      };
      expect((await failureOf(() => restores.restore(dump, { step }))).code, dying).to.equal('database_unreachable');
      await server.startAgain();
      for (const { kept } of await restores.settle()) if (kept !== undefined) await server.run(`DROP DATABASE ${kept}`);
      expect(await describeMariadb(server, 'example_wp'), dying).to.deep.equal(before);
      expect(await leftovers(), dying).to.deep.equal(CLEAN);
    }
  });

  it('changes nothing when the dump is of a newer server and has what this one does not know', async () => {
    const before = await describeMariadb(server, 'example_wp');
    const text = dump.toString('latin1');
    for (const [known, newer] of [
      ['ENGINE=InnoDB DEFAULT CHARSET=', 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb5 OLD='],
      ['CREATE TABLE `parents` (', 'CREATE TABLE `parents` (`v` HOLOGRAM(3),'],
      ['CREATE DEFINER=', '/*M!100100 CREATE OR RENEW */ CREATE DEFINER='],
    ] as const) {
      expect(text).to.include(known);
      const failure = await failureOf(() => restores.restore(Buffer.from(text.replace(known, newer), 'latin1')));
      expect(failure.code, failure.message).to.be.oneOf(['database_refused', 'dump_refused']);
      expect(await describeMariadb(server, 'example_wp'), newer).to.deep.equal(before);
      expect(await leftovers(), newer).to.deep.equal(CLEAN);
    }
  });

  it('waits for a transaction that is under way, which then ends in what is kept', async () => {
    const other = await server.connect({ database: 'example_wp' });
    await other.query('START TRANSACTION; INSERT INTO parents VALUES (3)');
    const restored = restores.restore(dump);
    await sleep(500);
    await other.query('COMMIT');
    await other.end();
    const { replaced } = await restored;
    expect(await server.query(`SELECT id FROM ${replaced}.parents WHERE id = 3`)).to.have.length(1);
    expect(await server.query('SELECT id FROM example_wp.parents')).to.deep.equal([{ id: 1 }]);
    await server.run(`DROP DATABASE ${replaced}`);
  });

  it('is not broken off by limits that the server has for sessions of tenants', async () => {
    const limits = 'wait_timeout, net_read_timeout, net_write_timeout';
    const names = limits.split(', ');
    const [before] = await server.query(`SELECT ${names.map((name) => `@@GLOBAL.${name} AS ${name}`).join()}`);
    await server.run(`${names.map((name) => `SET GLOBAL ${name} = 1`).join('; ')}; SET GLOBAL max_statement_time = 0.5`);
    async function* slow() {
      yield dump.subarray(0, dump.length / 2);
      await sleep(2500);
      yield dump.subarray(dump.length / 2);
    }
    try {
      const { replaced } = await restores.restore(dump, { dump: slow });
      await server.run(`DROP DATABASE ${replaced}`);
    } finally {
      await server.run(`${names.map((name) => `SET GLOBAL ${name} = ${before![name]}`).join('; ')}; SET GLOBAL max_statement_time = 0`);
    }
  });

  it('is refused where a foreign key of another database would follow what is replaced', async () => {
    await server.run(
      'CREATE DATABASE example_other; CREATE TABLE example_other.t (p INT, FOREIGN KEY (p) REFERENCES example_wp.parents (id))',
    );
    const { message } = await failureOf(() => restores.restore(dump));
    expect(message).to.contain('example_other.t');
  });
});

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import type { Connection } from 'mysql2/promise';
import { type StartedProgram, until } from '../end-to-end/test-server.ts';
import { makeMariadbAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { fillEveryKind } from './every-kind-of-mariadb.ts';
import { MariadbServer, named } from './mariadb-server.ts';

/** Cheap ones; each costs some child processes. */
const MANY = process.env.SLOW === undefined ? 100 : 500;

describe('dumps of MariaDB while others work with it', function () {
  this.timeout(240_000);
  let server: MariadbServer;
  let site: DatabaseSite;

  before(async () => {
    server = await MariadbServer.start();
    await makeMariadbAccount(server, { prefix: 'one_', user: 'owner1', password: 'o1', databases: ['bank', 'kinds', 'last'] });
    await server.run(
      `CREATE TABLE a (id INT PRIMARY KEY, money INT); CREATE TABLE z (id INT PRIMARY KEY, money INT); CREATE TABLE filler (id INT, t TEXT);
      INSERT INTO a SELECT seq, 100 FROM seq_1_to_100; INSERT INTO z SELECT seq, 100 FROM seq_1_to_100;
      INSERT INTO filler SELECT seq, REPEAT(MD5(seq), 10) FROM seq_1_to_50000`,
      'one_bank',
    );
    await fillEveryKind(server, 'owner1', 'o1', 'one_kinds');
    site = new DatabaseSite({ mariadb: server });
    site.setLogin('mysql', 'one_', 'owner1');
    await site.init();
  });
  after(async () => {
    await server?.stop();
    await site?.remove();
  });

  it('are of one moment, whatever is written meanwhile', async () => {
    const writer = await server.connect({ database: 'one_bank' });
    let isOver = false;
    let moves = 0;
    const write = async (): Promise<void> => {
      for (; !isOver; moves++) {
        const [from, to] = moves % 2 === 0 ? ['a', 'z'] : ['z', 'a'];
        const id = 1 + (moves % 100);
        await writer.query(
          `BEGIN; UPDATE ${from} SET money = money - 7 WHERE id = ${id}; UPDATE ${to} SET money = money + 7 WHERE id = ${id}; COMMIT`,
        );
      }
    };
    const writing = write();
    await site.backUp();
    isOver = true;
    await writing;
    await writer.end();
    expect(moves).to.be.greaterThan(10);
    await server.run('CREATE DATABASE copied');
    const dump = readFileSync(join(await site.restoreAside('databases/mysql/one_bank.sql'), 'databases/mysql/one_bank.sql'));
    await execa('mariadb', [`--defaults-file=${server.optionFile}`, 'copied'], { input: dump });
    const [sum] = await server.query('SELECT (SELECT SUM(money) FROM a) + (SELECT SUM(money) FROM z) AS money', 'copied');
    expect(Number(sum?.money)).to.equal(20_000);
    await server.run('DROP DATABASE copied');
  });

  it('count the tables and rows of every kind, and are the same while nothing changes', async () => {
    await site.backUp();
    const tables = await server.query(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'one_kinds' AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')",
    );
    let rows = 0;
    for (const { name } of tables)
      rows += Number((await server.query(`SELECT COUNT(*) AS n FROM ${named(String(name))}`, 'one_kinds'))[0]?.n);
    expect(site.recorded().one_kinds).to.include({ result: 'ok', tables: tables.length, rows });
    expect((await site.backUp()).status).to.equal('unchanged');
  });

  it('that change a little cost little', async () => {
    await server.run("UPDATE filler SET t = 'changed' WHERE id = 25000", 'one_bank');
    const { bytesTotal, bytesStored } = await site.backUp();
    expect(bytesTotal).to.be.greaterThan(16_000_000);
    expect(bytesStored).to.be.lessThan(150_000);
    expect((await site.verify()).result).to.include({ status: 'ok' });
  });

  it('are whole after incrementals, a differential and a synthetic full', async () => {
    const dumpNow = async (): Promise<string> => {
      const path = 'databases/mysql/one_bank.sql';
      return createHash('sha256')
        .update(readFileSync(join(await site.restoreAside(path), path)))
        .digest('hex');
    };
    for (const level of ['incremental', 'differential', 'incremental', 'synthetic', 'incremental']) {
      await server.run(`UPDATE filler SET t = '${level}' WHERE id % 9000 = 17`, 'one_bank');
      expect(JSON.parse(String((await site.start(['run', 'site1', '--level', level])).stdout)), level).to.include({ status: 'ok' });
      expect(await dumpNow(), level).to.equal(site.recorded().one_bank?.sha256);
    }
    expect((await site.verify()).result).to.include({ status: 'ok' });
  });

  it('fail when the server dies, and the last ones stay', async () => {
    const before = site.recorded().one_bank;
    await server.run("UPDATE filler SET t = 'changed again' WHERE id = 1", 'one_bank');
    const holder = await server.connect({ database: 'one_bank' });
    const { running } = await dumpThatWaits(holder);
    holder.on('error', () => {});
    await server.kill();
    holder.destroy();
    const { stdout } = await running;
    expect(JSON.parse(String(stdout))).to.include({ status: 'partial' });
    expect(site.recorded().one_bank).to.deep.include({ result: 'failed', size: null });
    const dump = readFileSync(join(await site.restoreAside('databases/mysql/one_bank.sql'), 'databases/mysql/one_bank.sql'));
    expect(dump.length).to.equal(before?.size);
    expect(dump.toString('latin1')).to.match(/-- Dump completed\n$/);
    // Now it is not there at all.
    expect((await site.run()).result.units[0]?.warnings[0]).to.include({ code: 'database_unreachable' });
    await server.startAgain();
    await site.backUp();
    expect((await site.verify()).result).to.include({ status: 'ok' });
  });

  it('pass over a database that is dropped before its turn comes', async () => {
    site.limit({ workers: 1 });
    const holder = await server.connect({ database: 'one_bank' });
    const { running } = await dumpThatWaits(holder);
    await server.run('DROP DATABASE one_last');
    await holder.query('UNLOCK TABLES');
    await holder.end();
    const { units } = JSON.parse(String((await running).stdout));
    expect(units[0].warnings).to.have.length(1);
    expect(units[0].warnings[0]).to.include({ code: 'vanished', path: 'databases/mysql/one_last.sql' });
    expect(site.recorded()).not.to.have.property('one_last');
    site.limit({ workers: 2 });
  });

  it(`are made of ${MANY} databases, each once`, async () => {
    await server.run(Array.from({ length: MANY }, (_, number) => `CREATE DATABASE one_${number}`).join(';'));
    await site.backUp();
    expect(Object.values(site.recorded()).filter(({ result }) => result === 'ok')).to.have.length(MANY + 2);
  });

  /** Starts a run whose dump of the bank waits in the middle of it for a table that `holder` has locked. */
  async function dumpThatWaits(holder: Connection): Promise<{ readonly running: StartedProgram }> {
    await holder.query('LOCK TABLES z WRITE');
    const running = site.start(['run', 'site1']) as StartedProgram;
    const states = "SELECT COUNT(*) AS waiting FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock%'";
    let isWaiting = false;
    let isOver = false;
    const watch = async (): Promise<void> => {
      while (!isWaiting && !isOver) {
        isWaiting = Number((await server.query(states))[0]?.waiting) > 0;
        await sleep(20);
      }
    };
    const watching = watch();
    try {
      await until(() => isWaiting, running);
    } finally {
      isOver = true;
      await watching;
    }
    // In an object: a promise that is returned would be waited for.
    return { running };
  }
});

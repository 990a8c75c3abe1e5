import { join } from 'node:path';
import { expect } from 'chai';
import type { SwapPlan } from '../../core/databases/load/mysql/swap.ts';
import { SwapJournal } from '../../core/databases/load/swap-journal.ts';
import { makeMariadbAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { MariadbServer } from './mariadb-server.ts';

const ACCOUNT = { prefix: 'one_', user: 'owner1', password: 'pw', databases: ['wp', 'x_before_20250101_000000'] };

describe('Backups after restores of databases', function () {
  this.timeout(120_000);
  let server: MariadbServer;
  let site: DatabaseSite;

  before(async () => {
    server = await MariadbServer.start();
    await makeMariadbAccount(server, ACCOUNT);
    await server.run("CREATE TABLE posts (id INT PRIMARY KEY, text TEXT); INSERT INTO posts VALUES (1, 'one')", 'one_wp');
    site = new DatabaseSite({ mariadb: server });
    site.setLogin('mysql', 'one_', 'owner1');
    await site.init();
    await site.backUp();
  });
  after(async () => {
    await server?.stop();
    await site?.remove();
  });

  const doctor = async () => {
    const { stdout } = await site.start(['doctor']);
    return JSON.parse(String(stdout)).checks.find(({ check }: { check: string }) => check === 'databases');
  };

  it('leave out what a restore has replaced, and say so; what an account has named alike is its own', async () => {
    const { stdout } = await site.start(['restore-database', 'site1', 'mysql/one_wp']);
    const { replaced } = JSON.parse(String(stdout)).databases[0];
    expect(replaced).to.match(/^one_wp_before_/);
    const run = await site.start(['run', 'site1']);
    expect(JSON.parse(String(run.stdout)).units[0]).to.include({ status: 'unchanged' });
    expect(String(run.stderr)).to.include(`DROP DATABASE \`${replaced}\`;`);
    expect(site.recorded()).to.have.keys(['one_wp', 'one_x_before_20250101_000000']);
    const named = await doctor();
    expect(named.result).to.equal('ok');
    expect(named.message).to.include(replaced);
    // Nobody has noted that one.
    await server.run(`DROP DATABASE ${replaced}`);
    expect((await site.backUp()).status).to.equal('unchanged');
  });

  it('come after a database is back in its place whose restore has died', async () => {
    const shadow = 'apiscp_backup_0000010a0b0c';
    const plan = { id: shadow, shadow, live: 'one_wp', replaced: 'one_wp_kept', defaults: undefined, broken: [], oldCode: [] };
    const journal = new SwapJournal<SwapPlan>(join(site.folder, 'state/databases'));
    journal.begin(shadow, { ...plan, oldTables: ['posts'], newTables: ['fresh'], isMade: false });
    await server.run(
      `CREATE DATABASE ${shadow}; CREATE DATABASE one_wp_kept; RENAME TABLE one_wp.posts TO one_wp_kept.posts; CREATE TABLE one_wp.fresh (a INT)`,
    );
    const run = await site.start(['run', 'site1']);
    expect(String(run.stderr)).to.include('mysql/one_wp was put back').and.to.include('one_wp_broken_off_');
    expect(await server.query('SELECT text FROM one_wp.posts')).to.deep.equal([{ text: 'one' }]);
    expect(await server.query('SHOW TABLES FROM one_wp')).to.have.length(1);
    expect(site.recorded()).to.have.keys(['one_wp', 'one_x_before_20250101_000000']);
    expect(await server.query(`SHOW DATABASES LIKE '${shadow}'`)).to.deep.equal([]);
    expect(journal.pending()).to.deep.equal([]);
    expect((await doctor()).message).to.include('one_wp_broken_off_');
  });
});

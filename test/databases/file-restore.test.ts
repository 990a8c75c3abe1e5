import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeMariadbAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { MariadbServer } from './mariadb-server.ts';

describe('files of a backup with databases', function () {
  this.timeout(120_000);
  let server: MariadbServer;
  let site: DatabaseSite;

  before(async () => {
    server = await MariadbServer.start();
    await makeMariadbAccount(server, { prefix: 'one_', user: 'owner1', password: 'o', databases: ['wp'] });
    site = new DatabaseSite({ mariadb: server });
    site.setLogin('mysql', 'one_', 'owner1');
    await site.init();
    await site.backUp();
  });

  after(async () => {
    await server?.stop();
    await site?.remove();
  });

  it('restored in place bring no databases into the account, and leave a folder of that name alone', async () => {
    rmSync(join(site.shadow, 'index.html'));
    const { result } = await site.restore();
    expect(result, JSON.stringify(result.warnings)).to.include({ status: 'ok', failed: 0 });
    expect(readFileSync(join(site.shadow, 'index.html'), 'utf8')).to.equal('a page');
    expect(existsSync(join(site.site, 'databases'))).to.equal(false);
    mkdirSync(join(site.site, 'databases'));
    writeFileSync(join(site.site, 'databases/mine'), 'mine');
    expect((await site.restore('--delete')).result).to.include({ status: 'ok', deleted: 0 });
    expect(readFileSync(join(site.site, 'databases/mine'), 'utf8')).to.equal('mine');
  });

  it('are foreseen in a dry run', async () => {
    const { result } = await site.restore('--dry-run');
    expect(result, JSON.stringify(result)).to.include({ status: 'ok', failed: 0 });
  });

  it('are not databases: in place those are refused, with where they can go', async () => {
    const { error, exitCode } = await site.restore('databases/mysql/one_wp.sql');
    expect(error).to.include({ code: 'usage' });
    expect(error?.advice).to.include('--to');
    expect(exitCode).to.equal(2);
  });

  it('and the dumps go to a folder, one by one too', async () => {
    const folder = await site.restoreAside('databases/mysql/one_wp.sql');
    expect(readFileSync(join(folder, 'databases/mysql/one_wp.sql'), 'utf8')).to.include('-- Dump completed');
    expect(existsSync(join(folder, 'shadow'))).to.equal(false);
  });

  it('are compared with the live account without the databases', async () => {
    const { stdout } = await site.start(['diff', 'site1', '--live']);
    const paths = JSON.parse(stdout).differences.map(({ path }: { path: string }) => path);
    expect(paths.filter((path: string) => path.startsWith('databases'))).to.deep.equal([]);
  });

  it('and the dumps are verified', async () => {
    expect((await site.verify()).result).to.include({ status: 'ok' });
  });
});

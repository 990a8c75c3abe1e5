import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { newIdentity } from '../../core/crypto/identity.ts';
import { makeMariadbAccount, makePostgresqlAccount } from './account.ts';
import { DatabaseSite } from './database-site.ts';
import { MariadbServer } from './mariadb-server.ts';
import { PostgresqlServer } from './postgresql-server.ts';

const ACCOUNT = { prefix: 'one_', user: 'owner1', password: 'secretpassword', databases: ['wp'] };

describe('Databases in an encrypted repository', function () {
  this.timeout(120_000);
  let mariadb: MariadbServer;
  let postgresql: PostgresqlServer;
  before(async () => {
    [mariadb, postgresql] = await Promise.all([MariadbServer.start(), PostgresqlServer.start()]);
    await makeMariadbAccount(mariadb, ACCOUNT);
    await makePostgresqlAccount(postgresql, ACCOUNT);
    await mariadb.run('CREATE TABLE secrettable (secretcolumn TEXT)', 'one_wp');
    await postgresql.run('CREATE TABLE secrettable (secretcolumn text); ALTER TABLE secrettable OWNER TO owner1', 'one_wp');
  });
  after(async () => {
    await mariadb?.stop();
    await postgresql?.stop();
  });

  const write = async (text: string) => {
    for (const server of [mariadb, postgresql])
      await server.run(`DELETE FROM secrettable; INSERT INTO secrettable VALUES ('${text}')`, 'one_wp');
  };
  const texts = async () => {
    const found = [];
    for (const server of [mariadb, postgresql]) found.push(...(await server.query('SELECT secretcolumn AS t FROM secrettable', 'one_wp')));
    return found.map(({ t }) => t);
  };

  for (const mode of ['write only', 'server can read']) {
    it(`are dumped, listed and brought back where the keys are held so: ${mode}`, async () => {
      const identity = await newIdentity();
      const site = new DatabaseSite({ mariadb, postgresql });
      try {
        for (const service of ['mysql', 'pgsql'] as const) site.setLogin(service, 'one_', 'owner1');
        const key = join(site.folder, 'key');
        writeFileSync(key, `${identity.secret}\n`, { mode: 0o600 });
        const isWriteOnly = mode === 'write only';
        const given = isWriteOnly ? ['--identity', key] : [];
        const keys = isWriteOnly ? [] : ['--server-can-read'];
        expect((await site.start(['init', '--recipient', identity.recipient, ...keys])).exitCode).to.equal(0);
        const ask = async (...args: string[]) => JSON.parse(String((await site.start(args)).stdout));
        await write('secretfirst');
        await site.backUp();
        const { snapshots } = await ask('list', 'site1');
        await write('secretsecond');
        await site.backUp();
        expect((await ask('run', 'site1')).units[0].status).to.equal('unchanged');
        const { databases } = await ask('databases', 'site1', ...given);
        // What an earlier restore keeps is the account's, too.
        const listed = databases.filter(({ name }: { name: string }) => name === 'one_wp');
        expect(listed.map(({ engine, rows }: { engine: string; rows: number }) => [engine, rows])).to.deep.equal([
          ['mysql', 1],
          ['postgresql', 1],
        ]);
        await write('broken');
        if (isWriteOnly) {
          expect((await ask('restore-database', 'site1', '--all')).error.code).to.equal('identity_missing');
          expect(await texts()).to.deep.equal(['broken', 'broken']);
        }
        expect(await ask('restore-database', 'site1', '--all', '--users', ...given)).to.include({ status: 'ok' });
        expect(await texts()).to.deep.equal(['secretsecond', 'secretsecond']);
        const restored = await ask('restore', 'site1', '--with-databases', '--at', snapshots[0].id, ...given);
        expect(restored, JSON.stringify(restored)).to.include({ status: 'ok' });
        expect(await texts()).to.deep.equal(['secretfirst', 'secretfirst']);
        if (isWriteOnly) {
          // The record is for another key then, and the dumps lie in packs of before.
          const other = await newIdentity();
          writeFileSync(key, `${other.secret}\n`);
          await ask('keys', '--recipient', other.recipient, '--remove-recipient', identity.recipient);
          expect((await ask('run', 'site1', '--level', 'synthetic')).status).to.equal('ok');
          const { error } = await ask('restore-database', 'site1', '--all', ...given);
          expect(error).to.include({ code: 'identity_wrong' });
          expect(error.affected).to.deep.equal([identity.recipient]);
        }
        for (const object of site.objects('')) {
          if (!/\.(?:age|json)$/.test(object)) continue;
          const bytes = readFileSync(join(site.repository, object), 'latin1');
          for (const secret of ['secretfirst', 'secretsecond', 'secrettable', 'secretcolumn'])
            expect(bytes.includes(secret), object).to.equal(false);
        }
      } finally {
        await site.remove();
      }
    });
  }
});

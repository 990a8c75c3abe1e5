import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { failureOf } from '../failure-of.ts';
import { makeMariadbAccount } from './account.ts';
import { describeMariadb } from './every-kind-of-mariadb.ts';
import { MariadbServer } from './mariadb-server.ts';
import { KILLED, MariadbRestores } from './restoring.ts';

const ACCOUNT = { prefix: 'example_', user: 'exampleadm', password: 'pw', databases: ['wp', 'd-2'] };
const CONTENTS = [
  "CREATE TABLE posts (id INT PRIMARY KEY, text LONGTEXT); INSERT INTO posts VALUES (1, 'old')",
  'CREATE TABLE plain (a INT) ENGINE=MyISAM; CREATE TABLE crash_safe (a INT) ENGINE=Aria',
  'CREATE TRIGGER t BEFORE INSERT ON posts FOR EACH ROW SET NEW.text = REPEAT(NEW.id, 5)',
  'CREATE VIEW v AS SELECT id FROM posts; CREATE PROCEDURE p() SELECT 1',
];

describe('A restore of a MariaDB database whose folder is a link into the file system of its account', () => {
  let server: MariadbServer;
  let restores: MariadbRestores;
  let dump: Buffer;
  /** The account's own file system, of 100 MiB, and its folder of databases. */
  let own: string;
  let home: string;

  before(async () => {
    own = mkdtempSync(join(tmpdir(), 'apiscp-backup-own-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m,mode=755', 'none', own]);
    home = join(own, 'var/lib/mysql');
    server = await MariadbServer.start();
    mkdirSync(dirname(home), { recursive: true });
    mkdirSync(home);
    execFileSync('chown', ['mysql', home]);
    restores = new MariadbRestores(server, ACCOUNT);
    await makeMariadbAccount(server, ACCOUNT);
    await server.kill();
    // As the panel does it.
    for (const folder of ['example_wp', 'example_d@002d2']) {
      execFileSync('mv', [join(server.dataDirectory, folder), join(home, folder)]);
      execFileSync('chown', ['mysql:2000', join(home, folder)]);
      chmodSync(join(home, folder), 0o2750);
      execFileSync('ln', ['-s', join(home, folder), join(server.dataDirectory, folder)]);
    }
    await server.startAgain();
    for (const sql of CONTENTS) await server.run(sql, 'example_wp');
    dump = execFileSync('mariadb-dump', [`--defaults-file=${server.optionFile}`, '--routines', '--hex-blob', 'example_wp']);
  });
  after(async () => {
    await server?.stop();
    restores?.remove();
    execFileSync('umount', [own]);
    rmSync(own, { recursive: true });
  });

  const folders = () => readdirSync(home).toSorted();
  const placeOf = (database: string) => {
    const folder = join(server.dataDirectory, database);
    if (!lstatSync(folder).isSymbolicLink()) return 'with the server';
    const { uid, gid, mode } = statSync(folder);
    return { in: dirname(readlinkSync(folder)), isMysqls: uid === statSync(server.dataDirectory).uid, gid, mode: mode & 0o7777 };
  };
  const counted = () => ({ in: home, isMysqls: true, gid: 2000, mode: 0o2750 });
  const uncounted = () => ({ in: home, isMysqls: true, gid: statSync(server.dataDirectory).gid, mode: 0o750 });
  const groupsOf = (database: string) => [
    ...new Set(readdirSync(join(home, database)).map((file) => statSync(join(home, database, file)).gid)),
  ];

  it('exchanges it there, and what was live is kept there', async () => {
    await server.run('INSERT INTO posts (id) VALUES (2); INSERT INTO plain VALUES (7)', 'example_wp');
    expect(await restores.restore(dump)).to.include({ replaced: 'example_wp_replaced' });
    expect(await server.query('SELECT id, text FROM posts', 'example_wp')).to.deep.equal([{ id: 1, text: 'old' }]);
    expect(await server.query('SELECT a FROM plain', 'example_wp_replaced')).to.deep.equal([{ a: 7 }]);
    expect([placeOf('example_wp'), placeOf('example_wp_replaced')]).to.deep.equal([counted(), uncounted()]);
    expect([groupsOf('example_wp'), groupsOf('example_wp_replaced')]).to.deep.equal([[2000], [uncounted().gid]]);
    await server.run('DROP DATABASE example_wp_replaced');
    expect(folders()).to.deep.equal(['example_d@002d2', 'example_wp']);
  });

  it('puts one that is new beside the others of its account', async () => {
    await restores.restore(dump, { target: 'example_new' });
    expect([placeOf('example_new'), groupsOf('example_new')]).to.deep.equal([counted(), [2000]]);
    await server.run('DROP DATABASE example_new');
  });

  it('is undone by the next call when its process was killed, and what was restored is kept there', async () => {
    const before = await describeMariadb(server, 'example_wp');
    const { socket, password } = server;
    const order = {
      server: { socket, password },
      account: ACCOUNT,
      journal: restores.journal,
      dump: dump.toString('base64'),
      step: 'make code',
    };
    const script = ['--input-type=module', '--eval', KILLED, join(import.meta.dirname, 'restoring.ts'), JSON.stringify(order)];
    expect(spawnSync(process.execPath, script, { encoding: 'utf8' })).to.include({ signal: 'SIGKILL' });
    const [settled] = await restores.settle();
    expect(await describeMariadb(server, 'example_wp')).to.deep.equal(before);
    expect(placeOf(settled!.kept!)).to.deep.equal(uncounted());
    await server.run(`DROP DATABASE ${settled!.kept}`);
    expect(folders()).to.deep.equal(['example_d@002d2', 'example_wp']);
  });

  it('ends when there is no room for a second one, with what is live as it was', async () => {
    const before = await describeMariadb(server, 'example_wp');
    const rows = Array.from({ length: 100 }, (_, id) => `INSERT INTO \`big\` VALUES (${id},REPEAT('x',1));\n`);
    const bytes = 'y'.repeat(500_000);
    const big = [
      dump.toString(),
      'CREATE TABLE `big` (`id` int, `text` longtext);\n',
      ...rows.map((row) => row.replace("REPEAT('x',1)", `'${bytes}'`)),
    ];
    const failure = await failureOf(() => restores.restore(Buffer.from(big.join(''))));
    expect(failure.code, failure.message).to.equal('disk_full');
    expect(await describeMariadb(server, 'example_wp')).to.deep.equal(before);
    expect(folders()).to.deep.equal(['example_d@002d2', 'example_wp']);
    expect(await restores.restore(dump)).to.include({ replaced: 'example_wp_replaced' });
    await server.run('DROP DATABASE example_wp_replaced');
  });

  it('makes nothing where others than the server may write, and says why it cannot exchange it then', async () => {
    const before = await describeMariadb(server, 'example_wp');
    chmodSync(home, 0o775);
    const { code, message } = await failureOf(() => restores.restore(dump));
    expect([code, message]).to.deep.equal(['database_refused', message]);
    expect(message).to.contain('across file systems');
    expect(folders()).to.deep.equal(['example_d@002d2', 'example_wp']);
    chmodSync(home, 0o755);
    expect(await describeMariadb(server, 'example_wp')).to.deep.equal(before);
    expect(await server.query("SHOW DATABASES WHERE `Database` LIKE 'apiscp%' OR `Database` LIKE '%replaced'")).to.deep.equal([]);
  });
});

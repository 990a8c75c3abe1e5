import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';

/** A folder with one folder a server: `mariadb-11.8` with its programs, `postgresql-17` with `17/bin`. `fetch.sh` brings some. */
const FOLDER = process.env.DATABASE_SERVERS;

const OF_MARIADB = [
  'dump-mariadb',
  'mariadb-restore',
  'attacked-mariadb-restores',
  'broken-off-mariadb-restores',
  'hostile-mariadb-dumps',
  'linked-folders',
  'broken-objects',
];
const OF_POSTGRESQL = ['dump-postgresql', 'postgresql-restore', 'hostile-postgresql-dumps'];

/** Runs a command for which the programs of a server stand where those of the system are looked for, and for nobody else. */
const INSTEAD = `mount --bind "$1" "$2" && shift 2 && exec "$@"`;

const servers = FOLDER === undefined ? [] : readdirSync(FOLDER).filter((name) => /^(?:mariadb|postgresql)-/.test(name));

describe('Other versions of the database servers', function () {
  this.timeout(600_000);

  if (FOLDER === undefined) it('are tried where DATABASE_SERVERS names a folder that has them (test/databases/README.md)');
  for (const server of servers) {
    it(`are dumped and brought back as the usual ones: ${server}`, async () => {
      const isMariadb = server.startsWith('mariadb');
      const place = isMariadb ? '/usr/local/sbin' : '/usr/lib/postgresql';
      const files = (isMariadb ? OF_MARIADB : OF_POSTGRESQL).map((file) => join(import.meta.dirname, '..', `${file}.test.ts`));
      const mocha = join(import.meta.dirname, '../../../node_modules/.bin/mocha');
      const command = ['--mount', '--propagation', 'private', 'sh', '-c', INSTEAD, 'sh', join(FOLDER!, server), place, mocha, ...files];
      // It builds the program for itself, and takes that away in the end.
      const env = { BUILT_PROGRAM: undefined, NODE_COMPILE_CACHE: undefined };
      const { exitCode, stdout } = await execa('unshare', command, { reject: false, stderr: 'inherit', env });
      expect(exitCode, stdout).to.equal(0);
    });
  }
});

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { refuseRawDatabases } from '../../core/panel/always-excluded.ts';
import { systemUnit } from '../../core/panel/system-locations.ts';

describe('the unit system', () => {
  let root: string;

  function makeFile(path: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }

  const paths = () => systemUnit(root).roots.map(({ path }) => path);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'system-'));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it('has the required locations that exist, and nothing beside them', () => {
    const wanted = [
      'etc/virtualhosting/mappings/domainmap.tch',
      'root/apnscp-vars.yml',
      'usr/local/apnscp/config/auth.yaml',
      'var/lib/mysql/mysql-grants',
      'var/lib/mysql/mysql-grants-20261122.gz',
      'var/lib/pgsql/15/backups/globals.sql',
      'var/lib/pgsql/backups/backups/x',
      'var/log/mailer_table',
      'var/log/mailer_table-20261122.gz',
    ];
    const others = [
      'var/lib/mysql/ibdata1',
      'var/lib/mysql/site1_db/t.ibd',
      'var/lib/pgsql/15/data/PG_VERSION',
      'var/log/maillog',
      'root/.my.cnf',
    ];
    for (const path of [...wanted, ...others]) makeFile(path);
    expect(paths()).to.deep.equal([
      'etc/virtualhosting',
      'root/apnscp-vars.yml',
      'usr/local/apnscp/config',
      'var/lib/mysql/mysql-grants',
      'var/lib/mysql/mysql-grants-20261122.gz',
      'var/lib/pgsql/15/backups',
      'var/lib/pgsql/backups/backups',
      'var/log/mailer_table',
      'var/log/mailer_table-20261122.gz',
    ]);
    expect(systemUnit(root).roots[0]).to.deep.equal({ path: 'etc/virtualhosting', parent: join(root, 'etc') });
  });

  it('takes the panel once, under its real name, when the other name is a link to it', () => {
    makeFile('usr/local/apiscp/config/auth.yaml');
    symlinkSync('apiscp', join(root, 'usr/local/apnscp'));
    expect(paths()).to.deep.equal(['usr/local/apiscp/config']);
  });

  it('finds what lies behind a link that the administrator made on the way', () => {
    makeFile('data/mysql/mysql-grants');
    mkdirSync(join(root, 'var/lib'), { recursive: true });
    symlinkSync(join(root, 'data/mysql'), join(root, 'var/lib/mysql'));
    expect(paths()).to.deep.equal(['var/lib/mysql/mysql-grants']);
  });

  it('is empty on a machine without a panel', () => {
    expect(systemUnit(root)).to.deep.include({ name: 'system', roots: [] });
  });
});

describe('raw database files', () => {
  for (const path of [
    'var/lib/mysql',
    'var/lib/pgsql',
    'var/lib',
    'var',
    '',
    'var/lib/mysql/site1_db',
    'var/lib/pgsql/15/data',
    'var/lib/pgsql/15',
  ]) {
    it(`are refused as the root /${path}`, () => {
      expect(() => refuseRawDatabases(path))
        .to.throw(Failure)
        .with.property('code', 'raw_database_refused');
    });
  }

  for (const path of ['var/lib/mysql/mysql-grants-1.gz', 'var/lib/pgsql/15/backups', 'var/lib/mysqlx', 'var/log', 'etc']) {
    it(`are not what /${path} holds`, () => {
      expect(() => refuseRawDatabases(path)).to.not.throw();
    });
  }
});

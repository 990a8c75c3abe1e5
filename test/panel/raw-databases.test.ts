import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { Failure } from '../../core/failure.ts';
import { rawDatabasesIn } from '../../core/panel/raw-databases.ts';

describe('live database files under another name', () => {
  let root: string;
  const mounts: string[] = [];
  const make = (path: string): string => {
    mkdirSync(join(root, path), { recursive: true });
    return join(root, path);
  };
  const bind = (from: string, to: string): void => {
    execaSync('mount', ['--bind', from, to]);
    mounts.unshift(to);
  };
  const inRoot = (path: string, parent: string, name = 'site1') => rawDatabasesIn({ name, roots: [{ path, parent }] }, root);

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'raw-databases-'));
    make('var/lib/mysql/one_wp');
    make('var/lib/pgsql/15/data');
    make('site/shadow/var/lib/mysql');
  });
  after(() => {
    for (const mount of mounts) execaSync('umount', [mount]);
    rmSync(root, { recursive: true, force: true });
  });

  it('are none in an account as the panel makes it', () => {
    expect(inRoot('shadow', join(root, 'site'))).to.deep.equal([]);
  });

  it('are left out of an account in which a link leads to them', () => {
    make('moved/shadow/srv/lib/mysql');
    make('moved/shadow/srv/pgsql');
    make('moved/shadow/var');
    symlinkSync('../srv/lib', join(root, 'moved/shadow/var/lib'));
    symlinkSync('../pgsql', join(root, 'moved/shadow/srv/lib/pgsql'));
    expect(inRoot('shadow', join(root, 'moved'))).to.have.members(['shadow/srv/lib/mysql', 'shadow/srv/pgsql']);
  });

  it('are refused as a root that is the folder itself, by a link or a bind mount', () => {
    symlinkSync(join(root, 'var/lib/mysql'), join(make('linked'), 'shadow'));
    bind(join(root, 'var/lib/pgsql'), make('bound/shadow'));
    for (const parent of ['linked', 'bound']) {
      expect(() => inRoot('shadow', join(root, parent)), parent)
        .to.throw(Failure)
        .with.property('code', 'raw_database_refused');
    }
  });

  it('are refused as a root that is one database of it', () => {
    bind(join(root, 'var/lib/mysql/one_wp'), make('one/shadow'));
    expect(() => inRoot('shadow', join(root, 'one'))).to.throw(Failure);
    expect(() => inRoot('shadow', join(root, 'var/lib/mysql'))).not.to.throw();
    symlinkSync(join(root, 'var/lib/pgsql/15/data'), join(make('data'), 'shadow'));
    expect(() => inRoot('shadow', join(root, 'data'))).to.throw(Failure);
  });

  it('are left out by the name that they have inside of a root', () => {
    bind(join(root, 'var/lib'), make('around/shadow'));
    expect(inRoot('shadow', join(root, 'around'))).to.have.members(['shadow/mysql', 'shadow/pgsql']);
  });

  it('do not keep exports from being backed up that stand beside them', () => {
    make('var/lib/pgsql/15/backups');
    make('var/lib/mysql/mysql-grants');
    expect(inRoot('var/lib/pgsql/15/backups', join(root, 'var/lib/pgsql/15'), 'system')).to.deep.equal([]);
    expect(inRoot('var/lib/mysql/mysql-grants', join(root, 'var/lib/mysql'), 'system')).to.deep.equal([]);
  });
});

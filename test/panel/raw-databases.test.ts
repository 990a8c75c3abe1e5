import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { Failure } from '../../core/failure.ts';
import { type DataFolder, RawFolders } from '../../core/panel/raw-databases.ts';

describe('live database files under another name', () => {
  let root: string;
  const mounts: string[] = [];
  const make = (path: string): string => {
    mkdirSync(join(root, path), { recursive: true });
    return join(root, path);
  };
  const fill = (path: string): string => {
    writeFileSync(join(make(path), 'file'), '');
    return join(root, path);
  };
  const bind = (from: string, to: string): void => {
    execaSync('mount', ['--bind', from, to]);
    mounts.unshift(to);
  };
  const found = (account: string, told: readonly DataFolder[] = [], path = 'shadow', name = 'site1') =>
    new RawFolders({ accountsRoot: join(root, 'virtual'), systemRoot: root }, told).in({
      name,
      roots: [{ path, parent: join(root, account) }],
    });
  const leftOut = (account: string, told: readonly DataFolder[] = []) =>
    found(account, told)
      .filter(({ isUsual }) => !isUsual)
      .map(({ path }) => path);
  const expectRefused = (account: string, told: readonly DataFolder[] = []) =>
    expect(() => found(account, told), account)
      .to.throw(Failure)
      .with.property('code', 'raw_database_refused');

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'raw-databases-'));
    make('var/lib/mysql/one_wp');
    make('var/lib/pgsql/15/data');
    make('virtual/site1/shadow/var/lib/mysql/empty');
    fill('virtual/site2/shadow/var/lib/mysql/two_wp');
    fill('virtual/site2/shadow/var/lib/pgsql/PG_15/16384');
  });
  after(() => {
    for (const mount of mounts) execaSync('umount', [mount]);
    rmSync(root, { recursive: true, force: true });
  });

  it('are none in an account of which the panel has made the folders alone, and named where there are files', () => {
    expect(found('virtual/site1')).to.deep.equal([]);
    expect(found('virtual/site2')).to.deep.equal([
      { engine: 'mysql', path: 'shadow/var/lib/mysql', isUsual: true },
      { engine: 'postgresql', path: 'shadow/var/lib/pgsql', isUsual: true },
    ]);
  });

  it('are left out of an account in which a link leads to them', () => {
    make('virtual/site3/shadow/srv/lib/mysql');
    make('virtual/site3/shadow/srv/pgsql');
    make('virtual/site3/shadow/var');
    symlinkSync('../srv/lib', join(root, 'virtual/site3/shadow/var/lib'));
    symlinkSync('../pgsql', join(root, 'virtual/site3/shadow/srv/lib/pgsql'));
    expect(leftOut('virtual/site3')).to.have.members(['shadow/srv/lib/mysql', 'shadow/srv/pgsql']);
  });

  it('are refused as a root that is the folder itself, or lies in it, by a link or a bind mount', () => {
    symlinkSync(join(root, 'var/lib/mysql'), join(make('linked'), 'shadow'));
    symlinkSync(join(root, 'var/lib/pgsql/15/data'), join(make('data'), 'shadow'));
    bind(join(root, 'var/lib/pgsql'), make('bound/shadow'));
    bind(join(root, 'var/lib/mysql/one_wp'), make('one/shadow'));
    make('var/lib/mysql/one_wp/deep');
    bind(join(root, 'var/lib/mysql/one_wp/deep'), make('deep/shadow'));
    for (const account of ['linked', 'data', 'bound', 'one', 'deep']) expectRefused(account);
  });

  it('are refused where they are those of another account, and only below the folders that the panel makes', () => {
    bind(join(root, 'virtual/site2/shadow/var/lib/mysql'), make('virtual/site4/shadow'));
    bind(join(root, 'virtual/site2/shadow/var/lib/mysql/two_wp'), make('virtual/site5/shadow'));
    expectRefused('virtual/site4');
    expectRefused('virtual/site5');
    // A tenant who leads the name of his folder into another account keeps nobody else from a backup.
    make('virtual/site6/shadow/var/lib');
    symlinkSync(join(root, 'virtual/site1/shadow'), join(root, 'virtual/site6/shadow/var/lib/mysql'));
    expect(found('virtual/site1')).to.deep.equal([]);
    expect(found('virtual/site6')).to.deep.equal([]);
  });

  it('are left out by the name that they have inside of a root', () => {
    bind(join(root, 'var/lib'), make('around/shadow'));
    expect(leftOut('around')).to.have.members(['shadow/mysql', 'shadow/pgsql']);
    bind(join(root, 'virtual/site2'), make('other/shadow'));
    expect(leftOut('other')).to.have.members(['shadow/shadow/var/lib/mysql', 'shadow/shadow/var/lib/pgsql']);
  });

  it('are known by the folders that servers name, also where these are mounted elsewhere', () => {
    const told = [{ engine: 'mysql', path: make('bound-data') }] as const;
    bind(make('disk/mysql'), told[0].path);
    bind(join(root, 'disk'), make('disk-account/shadow'));
    expect(leftOut('disk-account', told)).to.deep.equal(['shadow/mysql']);
    bind(join(root, 'disk/mysql'), make('data-account/shadow'));
    expectRefused('data-account', told);
    const tablespace = [{ engine: 'postgresql', path: make('virtual/site1/shadow/home/space') }] as const;
    expect(leftOut('virtual/site1', tablespace)).to.deep.equal(['shadow/home/space']);
    // One that holds the accounts would refuse them all.
    expect(leftOut('virtual/site1', [{ engine: 'mysql', path: root }])).to.deep.equal([]);
  });

  it('are not followed to where others than root have led the name that a server has for them', () => {
    make('virtual/site1/shadow/home/user');
    execaSync('chown', ['12345', join(root, 'virtual/site1/shadow/home/user')]);
    symlinkSync(join(root, 'virtual/site2/shadow'), join(root, 'virtual/site1/shadow/home/user/space'));
    const told = [{ engine: 'postgresql', path: join(root, 'virtual/site1/shadow/home/user/space') }] as const;
    expect(leftOut('virtual/site2', told)).to.deep.equal([]);
  });

  it('are refused as a root by what only such a folder has at its top', () => {
    fill('copy/shadow/mysql');
    writeFileSync(join(root, 'copy/shadow/ibdata1'), '');
    fill('cluster/shadow/global');
    writeFileSync(join(root, 'cluster/shadow/PG_VERSION'), '15');
    expectRefused('copy');
    expectRefused('cluster');
    writeFileSync(join(make('own/shadow'), 'PG_VERSION'), '15');
    expect(found('own')).to.deep.equal([]);
  });

  it('do not keep exports from being backed up that stand beside them', () => {
    make('var/lib/pgsql/15/backups');
    make('var/lib/mysql/mysql-grants');
    expect(found('var/lib/pgsql/15', [], 'var/lib/pgsql/15/backups', 'system')).to.deep.equal([]);
    expect(found('var/lib/mysql', [], 'var/lib/mysql/mysql-grants', 'system')).to.deep.equal([]);
  });
});

import { expect } from 'chai';
import { grantOn } from '../../core/databases/mysql-grants.ts';
import { Ownership } from '../../core/databases/ownership.ts';
import { databaseOfPath, pathOfDatabase, usersPath } from '../../core/databases/virtual-paths.ts';

const login = (unit: string, prefix?: string, admin?: string) => ({ unit, prefix, admin });

describe('whose a database is', () => {
  it('is said by the longest prefix', () => {
    const ownership = new Ownership([login('site1', 'a_'), login('site2', 'a_b_')], []);
    expect(['a_x', 'a_b_x', 'a_b', 'b_x', 'a'].map((name) => ownership.ofDatabase(name))).to.deep.equal([
      'site1',
      'site2',
      'site1',
      undefined,
      undefined,
    ]);
  });

  it('is said of all that begin so when none of them is another’s', () => {
    const ownership = new Ownership([login('site1', 'a_'), login('site2', 'a_b_')], []);
    expect(['a_', 'a_x', 'a_b', 'a_b_', 'a_b_x', 'c_'].map((name) => ownership.ofAllWith(name))).to.deep.equal([
      undefined,
      'site1',
      undefined,
      'site2',
      'site2',
      undefined,
    ]);
  });

  it('is said by rights where no prefix fits, and only when they are of one account', () => {
    const claims = [
      { database: 'old_wp', user: 'owner1' },
      { database: 'old_wp', user: 'stranger' },
      { database: 'shared', user: 'owner1' },
      { database: 'shared', user: 'b_user' },
      { database: 'b_mine', user: 'owner1' },
    ];
    const ownership = new Ownership([login('site1', 'a_', 'owner1'), login('site2', 'b_', 'owner2')], claims);
    expect(['old_wp', 'shared', 'b_mine'].map((name) => ownership.ofDatabase(name))).to.deep.equal(['site1', undefined, 'site2']);
  });

  it('is nobody’s where two accounts have one prefix or one user, whatever rights say, and no prefix is of one character or none', () => {
    const claims = [{ database: 'a_x', user: 'owner' }];
    const ownership = new Ownership(
      [login('site1', 'a_', 'owner'), login('site2', 'a_', 'owner'), login('site3', '_'), login('site4', 'b')],
      claims,
    );
    for (const name of ['a_x', '_x', 'bx', 'b_x', '']) expect(ownership.ofDatabase(name), name).to.equal(undefined);
    expect(ownership.ofUser('owner')).to.equal(undefined);
  });

  it('is read from grants as they are meant, and from no bare pattern', () => {
    const named = (pattern: string, ...names: string[]) => names.filter(grantOn(pattern));
    expect(named('a\\_wp', 'a_wp', 'axwp', 'a\\_wp')).to.deep.equal(['a_wp']);
    expect(named('a_wp', 'a_wp', 'axwp')).to.deep.equal(['a_wp']);
    expect(named('a\\_%', 'a_', 'a_wp', 'ab')).to.deep.equal(['a_', 'a_wp']);
    expect(named('%', 'a', '')).to.deep.equal([]);
    expect(named('%a', 'xa')).to.deep.equal([]);
    expect(named('50\\%', '50%', '501')).to.deep.equal(['50%']);
  });
});

describe('paths of databases', () => {
  it('lead to one database each, whatever its name', () => {
    const names = ['wp', 'a/b', '../x', '.', '..', 'a%2Fb', 'it’s `"\'', '-n', 'a.sql', 'naïve😀', 'a\nb', 'users', ' '];
    const paths = names.map((name) => pathOfDatabase('mysql', name));
    expect(new Set(paths).size).to.equal(names.length);
    expect(paths.map((path) => databaseOfPath(path))).to.deep.equal(names.map((name) => ({ engine: 'mysql', name })));
    for (const path of paths) expect(path).to.match(/^databases\/mysql\/[^./][^/\n]*\.sql$/);
    expect(paths[1]).to.equal('databases/mysql/a%2Fb.sql');
  });

  it('are not those of users, folders or parts', () => {
    for (const path of [
      usersPath('mysql'),
      'databases/mysql',
      'databases',
      'databases/mysql/a.sql.parts/000001',
      'shadow/databases/mysql/a.sql',
    ]) {
      expect(databaseOfPath(path), path).to.equal(undefined);
    }
  });
});

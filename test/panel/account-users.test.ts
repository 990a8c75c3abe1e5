import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readAccountUsers } from '../../core/panel/account-users.ts';

describe('the users of an account', () => {
  let root: string;
  const at = (...names: string[]) => join(root, 'site1/shadow', ...names);
  const folder = (path: string, uid: number, gid: number) => {
    mkdirSync(at(path), { recursive: true });
    chownSync(at(path), uid, gid);
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'account-users-'));
    folder('home/admin', 2001, 2000);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('are those who have a home with the group of the account', () => {
    folder('home/second', 2002, 2000);
    folder('home/of-root', 0, 2000);
    folder('home/of-the-web-server', 48, 2000);
    folder('home/of-a-neighbour', 3001, 3000);
    folder('somewhere', 2003, 2000);
    symlinkSync('../somewhere', at('home/link'));
    writeFileSync(at('home/file'), '');
    chownSync(at('home/file'), 2004, 2000);
    const { users, group, administrator } = readAccountUsers(root, 'site1', 'admin');
    expect([...users].sort()).to.deep.equal([2001, 2002]);
    expect({ group, administrator }).to.deep.equal({ group: 2000, administrator: 2001 });
  });

  it('are unknown without a home of the administrator that is one', () => {
    folder('home/of-root', 0, 0);
    symlinkSync('admin', at('home/link'));
    for (const name of [null, '', '.', '..', 'nobody', 'of-root', 'link', '../home/admin', 'admin\0']) {
      expect(() => readAccountUsers(root, 'site1', name), String(name))
        .to.throw()
        .with.property('code', 'unsupported');
    }
  });

  it('share ACLs with whom the uppermost folders name', () => {
    folder('var/www', 0, 0);
    folder('home/admin/deep/below', 2001, 2000);
    execFileSync('setfacl', ['-m', 'u:987:rwx', at('home/admin')]);
    execFileSync('setfacl', ['-d', '-m', 'g:986:rwx', at('var/www')]);
    execFileSync('setfacl', ['-m', 'u:3001:rwx', at('home/admin/deep/below')]);
    expect([...readAccountUsers(root, 'site1', 'admin').named].sort()).to.deep.equal([986, 987]);
  });
});

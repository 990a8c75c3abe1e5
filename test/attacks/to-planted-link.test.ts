import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { guard } from './guards.ts';
import { HostingServer, without } from './hosting-server.ts';

describe('attack: a link in the way of the folder that an administrator restores to (case 3)', function () {
  this.timeout(120_000);
  let server: HostingServer;
  let page: string;

  beforeEach(() => {
    server = new HostingServer();
    server.write('page', 'of alice');
    page = join(server.folder, 'virtual/site2/shadow/home/alice/page');
    server.run(['run', 'site1']);
    symlinkSync(join(server.folder, 'virtual/site2'), join(server.home, 'restored'));
    server.asAlice('ln', '-s', join(server.folder, 'virtual/site2'), join(server.home, 'planted'));
  });

  afterEach(() => server.remove());

  const restoreTo = (to: string, root?: string) => server.run(['restore', 'site1', 'shadow/home/alice/page', '--to', to], root);

  it('is refused with its name and whose it is, as the folder and above it, of root in a folder of a tenant too', () => {
    for (const to of ['planted', 'planted/new', 'planted/shadow/home/bob', 'restored']) {
      const { error } = restoreTo(join(server.home, to));
      expect(error, to).to.include({ code: 'unsafe_path' });
      expect(error!.message).to.contain(to === 'restored' ? 'in a folder of user 2001' : 'of user 2001');
    }
    expect(() => readFileSync(page)).to.throw();
  });

  it('of root in folders of root is followed', () => {
    symlinkSync('folder', join(server.folder, 'link'));
    expect(restoreTo(join(server.folder, 'link/deep')).error).to.equal(undefined);
    expect(readFileSync(join(server.folder, 'folder/deep/shadow/home/alice/page'), 'utf8')).to.equal('of alice');
  });

  it('bites without the guard', () => {
    without([guard('links of tenants are not followed')], (root) => restoreTo(join(server.home, 'planted'), root));
    expect(readFileSync(page, 'utf8')).to.equal('of alice');
  });
});

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { guard } from './guards.ts';
import { ALICE, HostingServer, without } from './hosting-server.ts';

const HIDDEN = '.apiscp-backup-0123456789abcdef';

describe('attack: a private folder of root renamed to a name like those of this program', function () {
  this.timeout(120_000);
  let server: HostingServer;
  let log: string;

  beforeEach(() => {
    server = new HostingServer();
    server.write('page', 'of alice');
    server.make('folder', ALICE);
    server.run(['run', 'site1']);
    for (const folder of ['', 'folder/']) {
      server.make(`${folder}evidence`, { uid: 0, gid: 0 }, 0o700);
      writeFileSync(join(server.home, `${folder}evidence/log`), 'of the intrusion');
      server.asAlice('mv', join(server.home, `${folder}evidence`), join(server.home, folder, HIDDEN));
    }
    log = join(server.home, 'folder', HIDDEN, 'log');
  });

  afterEach(() => server.remove());

  const restoreTo = (root?: string) =>
    server.run(['restore', 'site1', 'shadow/home/alice/page', '--to', join(server.home, 'folder')], root);

  it('stays, whoever restores and wherever', () => {
    expect(server.restoreAsOwner({ paths: ['shadow/home/alice'] }).status).to.equal('ok');
    expect(server.run(['restore', 'site1']).error).to.equal(undefined);
    expect(restoreTo().status).to.equal('ok');
    for (const folder of ['', 'folder/']) expect(existsSync(join(server.home, folder, HIDDEN, 'log'))).to.equal(true);
    // Nothing of the program is left beside it.
    expect(readdirSync(join(server.home, 'folder'))).to.deep.equal([HIDDEN, 'shadow']);
    expect(readdirSync(server.site).filter((name) => name.startsWith('.apiscp'))).to.deep.equal([]);
  });

  it('bites without the guard', () => {
    without([guard('a staging folder stands in a folder of root alone')], restoreTo);
    expect(existsSync(log)).to.equal(false);
  });
});

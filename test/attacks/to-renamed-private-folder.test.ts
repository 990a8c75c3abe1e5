import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { guard } from './guards.ts';
import { ALICE, HostingServer, without } from './hosting-server.ts';

const ROOT_USER = { uid: 0, gid: 0 };

describe('attack: a private folder of root renamed to the name that is restored to', function () {
  this.timeout(120_000);
  let server: HostingServer;
  let evidence: string;

  beforeEach(() => {
    server = new HostingServer();
    server.make('evidence', ROOT_USER, 0o700);
    for (const folder of ['shadow', 'shadow/home', 'shadow/home/alice']) server.make(`evidence/${folder}`, ALICE);
    server.write('page', 'of alice');
    server.run(['run', 'site1']);
    server.asAlice('mv', join(server.home, 'evidence'), join(server.home, 'restored'));
    evidence = join(server.home, 'restored/shadow/home/alice/page');
    writeFileSync(evidence, 'what was found');
  });

  afterEach(() => server.remove());

  const asAdministrator = (root?: string) =>
    server.run(['restore', 'site1', 'shadow/home/alice/page', '--to', join(server.home, 'restored')], root);
  const asOwner = (root?: string) =>
    server.restoreAsOwner({ paths: ['shadow/home/alice/page'], to: join(server.home, 'restored/shadow') }, root);

  it('is refused, by an administrator and for an owner', () => {
    expect(asAdministrator().error).to.include({ code: 'unsafe_path' });
    server.make('restored/shadow/shadow', ALICE);
    expect(asOwner().error).to.include({ code: 'owner_not_allowed' });
    expect(readFileSync(evidence, 'utf8')).to.equal('what was found');
  });

  it('bites without the guard when an administrator restores', () => {
    without([guard('below a folder of a tenant goes on only what is his')], asAdministrator);
    expect(readFileSync(evidence, 'utf8')).to.equal('of alice');
  });

  it('bites without the guard when an owner restores', () => {
    const to = join(server.home, 'restored/shadow/new');
    const ask = (root?: string) => server.restoreAsOwner({ paths: ['shadow/home/alice/page'], to }, root);
    expect(ask().error).to.include({ code: 'owner_not_allowed' });
    without([guard("the way to the folder of an owner does not lead through what is somebody else's")], ask);
    expect(readFileSync(join(to, 'shadow/home/alice/page'), 'utf8')).to.equal('of alice');
  });
});

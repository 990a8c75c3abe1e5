import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { guard } from './guards.ts';
import { ALICE, HostingServer, without } from './hosting-server.ts';

describe("attack: an owner's restore into a folder of root that was renamed to the path", function () {
  this.timeout(120_000);
  let server: HostingServer;

  beforeEach(() => {
    server = new HostingServer();
    server.make('logs', ALICE);
    server.write('logs/access', 'from the snapshot');
    server.write('logs/other', 'from the snapshot');
    server.run(['run', 'site1']);
    server.make('evidence', { uid: 0, gid: 0 }, 0o700);
    // Kept with its owner, as a copy is that shall prove something.
    writeFileSync(join(server.home, 'evidence/access'), 'what was found');
    chownSync(join(server.home, 'evidence/access'), ALICE.uid, ALICE.gid);
    server.asAlice('mv', join(server.home, 'logs'), join(server.home, 'away'));
    server.asAlice('mv', join(server.home, 'evidence'), join(server.home, 'logs'));
  });

  afterEach(() => server.remove());

  const ask = (root?: string) => server.restoreAsOwner({ paths: ['shadow/home/alice/logs'] }, root);
  const found = (name: string) => readFileSync(join(server.home, 'logs', name), 'utf8');

  it('changes nothing in it and puts nothing into it', () => {
    const { warnings } = ask();
    expect(warnings!.map(({ code }) => code)).to.include('owner_not_allowed');
    expect(found('access')).to.equal('what was found');
    expect(() => found('other')).to.throw();
  });

  it('bites without the guard', () => {
    const gate = {
      ...guard('an owner puts nothing into a folder of somebody else'),
      file: 'core/restore/owner/owner-gate.ts',
      text: 'this.#isParentOwn = owner === undefined || this.#rights.users.has(owner);',
      without: 'this.#isParentOwn = true; void owner;',
    };
    without([guard('an owner puts nothing into a folder of somebody else'), gate], ask);
    expect([found('access'), found('other')]).to.deep.equal(['from the snapshot', 'from the snapshot']);
  });
});

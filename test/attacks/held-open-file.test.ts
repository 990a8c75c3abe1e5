import { chmodSync, chownSync, closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { guard } from './guards.ts';
import { ALICE, HostingServer, without } from './hosting-server.ts';

describe('attack: a file held open for writing until it belongs to root', function () {
  this.timeout(120_000);
  let server: HostingServer;

  afterEach(() => server.remove());

  /** What stands in the file in the end; the attacker had it open before the restore and writes after it. */
  function outcome(owner: { uid: number; gid: number }, mode: number, root?: string): string {
    server = new HostingServer();
    const file = server.write('tool', 'as it was');
    chownSync(file, owner.uid, owner.gid);
    chmodSync(file, mode);
    server.run(['run', 'site1']);
    chownSync(file, ALICE.uid, ALICE.gid);
    chmodSync(file, 0o644);
    const held = openSync(file, 'r+');
    try {
      expect(server.run(['restore', 'site1', 'shadow/home/alice/tool', '--overwrite', 'changed'], root).status).to.equal('ok');
      writeSync(held, 'of alice!');
    } finally {
      closeSync(held);
    }
    return readFileSync(join(server.home, 'tool'), 'utf8');
  }

  it("leaves the attacker with the old file: root's is another one", () => {
    expect(outcome({ uid: 0, gid: 0 }, 0o644)).to.equal('as it was');
  });

  it('leaves the attacker with the old file: the one with a set-uid bit is another one', () => {
    expect(outcome(ALICE, 0o4755)).to.equal('as it was');
  });

  it('bites without the guard of owners', () => {
    const guards = [guard('a file changes hands only as a new file')];
    expect(without(guards, (root) => outcome({ uid: 0, gid: 0 }, 0o644, root))).to.equal('of alice!');
  });

  it('bites without the guard of set-uid bits', () => {
    const guards = [guard('a file gets a set-uid bit only as a new file')];
    expect(without(guards, (root) => outcome(ALICE, 0o4755, root))).to.equal('of alice!');
  });
});

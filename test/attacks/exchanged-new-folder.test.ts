import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { guard } from './guards.ts';
import { ALICE, HostingServer, without } from './hosting-server.ts';

/** Exchanges two names as soon as both are there. */
const EXCHANGER = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
private, new = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2])
print('ready', flush=True)
while libc.syscall(316, -100, private, -100, new, 2) != 0: pass
`;

describe("attack: the new folder of an owner's restore exchanged with a private one of root (case 9)", function () {
  this.timeout(20 * 60_000);
  let server: HostingServer;

  beforeEach(() => {
    server = new HostingServer();
    server.write('page', 'of alice');
    server.run(['run', 'site1']);
  });

  afterEach(() => server.remove());

  /** Whether root's folder became the attacker's. */
  async function won(root?: string): Promise<boolean> {
    for (const name of ['private', 'found']) rmSync(join(server.home, name), { recursive: true, force: true });
    server.make('private', { uid: 0, gid: 0 }, 0o700);
    writeFileSync(join(server.home, 'private/secret'), "root's");
    const exchanger = await server.opponent(EXCHANGER, join(server.home, 'private'), join(server.home, 'found'));
    try {
      server.restoreAsOwner({ paths: ['shadow/home/alice/page'], to: join(server.home, 'found') }, root);
    } finally {
      exchanger.kill('SIGKILL');
    }
    return existsSync(join(server.home, 'found/secret')) && server.ownerOf('found') === ALICE.uid;
  }

  it('gives nothing away', async () => {
    const end = Date.now() + (process.env.SLOW === undefined ? 5_000 : 10 * 60_000);
    do expect(await won()).to.equal(false);
    while (Date.now() < end);
  });

  it('bites without the guard', async () => {
    await without([guard('a folder that an owner names is made aside')], async (root) => {
      let hits = 0;
      for (let round = 0; round < 30 && hits === 0; round++) if (await won(root)) hits++;
      expect(hits).to.equal(1);
    });
  });
});

import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { guard } from './guards.ts';
import { ALICE, HostingServer, without } from './hosting-server.ts';

/** Opens whatever of root appears in a folder, and says so. */
const READER = `
import os, sys
os.chdir(sys.argv[1])
print('ready', flush=True)
while True:
  for name in os.listdir('.'):
    try: descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW)
    except OSError: continue
    if os.fstat(descriptor).st_uid == 0 and os.fstat(descriptor).st_size > 0:
      print('won', flush=True)
      sys.exit(0)
    os.close(descriptor)
`;

describe('attack: an access list inherited by what root restores into a folder of a tenant', function () {
  this.timeout(20 * 60_000);
  let server: HostingServer;

  beforeEach(() => {
    server = new HostingServer();
    server.make('folder', ALICE);
    for (let i = 0; i < 40; i++) {
      const file = server.write(`folder/secret${i}`, 'of root');
      chownSync(file, 0, 0);
      chmodSync(file, 0o660);
    }
    server.run(['run', 'site1']);
    server.asAlice('setfacl', '-d', '-m', `u:${ALICE.uid}:rwx`, join(server.home, 'folder'));
  });

  afterEach(() => server.remove());

  /** Whether the attacker had a file of root's open for writing. */
  async function won(root?: string): Promise<boolean> {
    const reader = await server.opponent(READER, join(server.home, 'folder'));
    let hit = false;
    reader.stdout?.on('data', (said) => {
      if (`${said}`.includes('won')) hit = true;
    });
    try {
      server.run(['restore', 'site1', 'shadow/home/alice/folder'], root);
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      reader.kill('SIGKILL');
    }
    return hit;
  }

  it('opens nothing', async () => {
    const end = Date.now() + (process.env.SLOW === undefined ? 3_000 : 10 * 60_000);
    do expect(await won()).to.equal(false);
    while (Date.now() < end);
  });

  it('bites without the guard', async () => {
    const guards = [
      guard('what is restored is made where no tenant reaches it'),
      guard('a new file does not come to its place with what a directory of a tenant gave it'),
    ];
    await without(guards, async (root) => {
      let hits = 0;
      for (let round = 0; round < 30 && hits === 0; round++) if (await won(root)) hits++;
      expect(hits).to.equal(1);
    });
  });
});

import { linkSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { guard } from './guards.ts';
import { HostingServer, without } from './hosting-server.ts';

/** Waits until `a` is renamed into the folder and puts a link of its own there. */
const SWAPPER = `
import os, sys, time
os.chdir(sys.argv[1])
before = os.lstat('a').st_ino
print('ready', flush=True)
while os.lstat('a').st_ino == before: pass
os.rename('mine', 'a')
`;

describe('attack: the first name of a hard link exchanged before the next one is made of it (case 26)', function () {
  this.timeout(300_000);
  let server: HostingServer;
  let later: string;

  beforeEach(() => {
    server = new HostingServer();
    server.write('a', 'page');
    const folder = join(server.site, 'shadow/roots');
    mkdirSync(folder);
    later = join(folder, 'b');
    linkSync(join(server.home, 'a'), later);
    for (let i = 0; i < 1500; i++) writeFileSync(join(folder, `f${i}`), `${i}`);
    server.run(['run', 'site1']);
  });

  afterEach(() => server.remove());

  /** Whether the attacker's link got a name in root's folder. */
  async function won(root?: string): Promise<boolean> {
    server.asAlice('ln', '-sf', '/etc/shadow', join(server.home, 'mine'));
    const swapper = await server.opponent(SWAPPER, server.home);
    try {
      server.run(['restore', 'site1'], root);
    } finally {
      swapper.kill('SIGKILL');
    }
    return lstatSync(later).isSymbolicLink();
  }

  it('gives no name to what was put there', async () => {
    for (let round = 0; round < 3; round++) expect(await won()).to.equal(false);
  });

  it('bites without the guard', async () => {
    let hits = 0;
    for (let round = 0; round < 10 && hits === 0; round++) {
      const isHit = await without([guard('a further name is one of what was restored')], (root) => won(root));
      if (isHit) hits++;
    }
    expect(hits).to.equal(1);
  });
});

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { WireStats } from '../../core/schemas/counted.ts';
import { StoredServer } from './program.ts';

/** Accounts of the server; those of a large one with SLOW=1. */
const ACCOUNTS = process.env.SLOW === '1' ? 500 : 40;

/** Of the listing of all that the server has, with about four objects an account. */
const FURTHER_PAGES = Math.floor((4 * ACCOUNTS) / 1000);

async function costOf(server: StoredServer, ...args: string[]): Promise<WireStats> {
  const { stats } = JSON.parse(await server.run('--json', '--stats', ...args)) as { stats: WireStats };
  return stats;
}

/** What the program asks of a store. */
export function costsInStore(title: string, settings: () => Promise<Readonly<Record<string, unknown>>>): void {
  describe(`what is asked of ${title}`, () => {
    let server: StoredServer;
    before(async () => {
      server = new StoredServer(await settings(), ACCOUNTS);
      await server.run('init');
      await server.run('run');
      // What changed a moment ago is read once more.
      await server.run('run');
    });
    after(() => server.remove());

    it('is next to nothing for accounts in which nothing changed, however many there are', async () => {
      expect((await costOf(server, 'run')).requests, 'all accounts').to.be.at.most(20);
      expect((await costOf(server, 'run', 'site1')).requests, 'one account').to.be.at.most(4 + FURTHER_PAGES);
    });

    it('is little for one file', async () => {
      const one = await costOf(server, 'restore', 'site1', 'shadow/var/www/file-7', '--to', join(server.folder, 'one'));
      expect(one.requests).to.be.at.most(6);
      expect(one.bytesReceived).to.be.at.most(300_000);
      rmSync(join(server.folder, 'state'), { recursive: true });
      const withoutState = await costOf(server, 'restore', 'site1', 'shadow/var/www/file-7', '--to', join(server.folder, 'two'));
      expect(withoutState.requests, 'of a machine that knows nothing').to.be.at.most(16);
      await server.run('run');
    });

    it('grows with snapshots when they are listed, and not with packs', async () => {
      const before = await costOf(server, 'list', 'site1');
      for (let number = 0; number < 3; number++) {
        writeFileSync(join(server.files, 'file-7'), `content again ${number}`);
        await server.run('run', 'site1');
      }
      await server.run('list', 'site1');
      const after = await costOf(server, 'list', 'site1');
      expect(after.requests, 'snapshots that were read before').to.be.at.most(before.requests);
      expect(after.requests).to.be.at.most(3 + FURTHER_PAGES);
    });
  });
}

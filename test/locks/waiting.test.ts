import { expect } from 'chai';
import { METHODS } from '../../core/commands/registry.ts';
import type { Context } from '../../core/context/context.ts';
import { takeLock } from '../../core/locks/locks.ts';
import { unitBackupLock } from '../../core/locks/unit-locks.ts';
import type { MethodName } from '../../core/schemas/messages.ts';
import { ServerRestores } from '../../core/targets/database-restore.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

/** What waits, the lock that it waits for, and what it asks for. */
const WAITING: readonly [MethodName, string, (folder: string) => Readonly<Record<string, unknown>>][] = [
  ['run', unitBackupLock('site1'), () => ({ units: ['site1'] })],
  ['prune', 'backup', () => ({ wait: 1 })],
  ['repair', 'backup', () => ({})],
  ['copy', 'site1', () => ({})],
  ['restore', 'site1', (folder) => ({ unit: 'site1', to: `${folder}/back` })],
];

describe('a command that waits for another process', () => {
  let sandbox: Sandbox;

  before(async () => {
    sandbox = new Sandbox();
    sandbox.set('copies', [{ name: 'near', repository: `${sandbox.folder}/near` }]);
    sandbox.set('databases', { method: 'none' });
    await sandbox.init();
    await sandbox.back();
  });
  after(() => sandbox.remove());

  /** Does something while somebody holds a lock, which is let go as soon as it is said what for; gives what was said. */
  async function whileHeld(name: string, action: (context: Context) => Promise<unknown>): Promise<string[]> {
    const lock = takeLock(sandbox.stateDirectory, name, 'somebody else');
    const said: string[] = [];
    const { context } = sandbox;
    const log: Context['reporter']['log'] = ({ code, message }) => {
      if (code !== 'waiting') return;
      said.push(message);
      lock.release();
    };
    try {
      await action({ ...context, settings: context.settings, reporter: { ...context.reporter, log } });
    } finally {
      lock.release();
    }
    return said;
  }

  for (const [method, name, request] of WAITING) {
    it(`${method}: says who has what it needs, and goes on when that is free`, async () => {
      const said = await whileHeld(name, async (context) => {
        const result = (await METHODS.get(method)?.perform(request(sandbox.folder), context)) as { readonly status: string };
        expect(result.status).to.equal('ok');
      });
      expect(said).to.have.length(1);
      expect(said[0]).to.match(new RegExp(`^${name} is in use by somebody else \\(process ${process.pid}, `));
    });
  }

  it('restore-database: the same, before it asks a server for anything', async () => {
    const controller = new AbortController();
    const said = await whileHeld('mysql.databases.site1', async ({ settings, reporter }) => {
      const log: typeof reporter.log = (notice) => {
        controller.abort();
        reporter.log(notice);
      };
      const failure = await failureOf(() =>
        ServerRestores.open('mysql', 'site1', { settings, signal: controller.signal, reporter: { ...reporter, log } }),
      );
      expect(failure).to.include({ code: 'cancelled' });
    });
    expect(said).to.have.length(1);
  });
});

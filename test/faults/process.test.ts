import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { ROOT } from '../program.ts';
import { checkIntegrity, checkRepository } from './checks.ts';
import { type Fault, faultText } from './layer/fault.ts';
import { FAULTS_TIMEOUT_MS } from './limits.ts';
import { expectGood, runOf } from './run-scenario.ts';
import type { Server } from './server.ts';
import { UNITS, World } from './world.ts';

const LAYER = join(import.meta.dirname, 'layer/install.ts');
const MAIN = join(ROOT, 'core/main.ts');

/** What ends the whole process, or could have it wait for ever. */
const FAULTS: readonly Pick<Fault, 'thread' | 'call' | 'nth' | 'action' | 'forever'>[] = [
  { thread: 'main', call: 'backend.create', nth: 3, action: 'kill', forever: false },
  { thread: 'main', call: 'libc.linkat', nth: 4, action: 'kill', forever: false },
  { thread: 'main', call: 'backend.commit', nth: 6, action: 'kill', forever: false },
  { thread: 'main', call: 'fs.linkSync', nth: 2, action: 'kill', forever: false },
  { thread: 'main', call: 'thread.start', nth: 1, action: 'errno', forever: true },
  { thread: 'main', call: 'thread.start', nth: 2, action: 'errno', forever: true },
  { thread: 'main', call: 'thread.start', nth: 1, action: 'kill', forever: true },
  { thread: 'main', call: 'thread.postMessage', nth: 4, action: 'defect', forever: true },
  { thread: 'pack', call: 'libc.openat', nth: 5, action: 'kill', forever: true },
  { thread: 'pack', call: 'thread.postMessage', nth: 2, action: 'kill', forever: true },
];

describe('the program under a fault', function () {
  this.timeout(FAULTS_TIMEOUT_MS);
  let world: World;
  let template: Server;

  before(async () => {
    world = new World();
    template = await world.server();
    expectGood(await template.command('init', {}));
    await world.goOn();
    await world.describe('now');
  });

  after(() => world.remove());

  it('ends by itself, with 0 only for three good backups, and the next one is good after any death', async () => {
    const wrong: string[] = [];
    for (const each of FAULTS) {
      const fault: Fault = { ...each, errno: 'EAGAIN' };
      const server = await world.server(template);
      const args = [
        '--disable-warning=ExperimentalWarning',
        '--import',
        LAYER,
        MAIN,
        '--config',
        server.settingsFile,
        '--json',
        'run',
        ...UNITS,
      ];
      const options = { env: { FAULT: JSON.stringify(fault) }, reject: false, timeout: 120_000, forceKillAfterDelay: 0 } as const;
      const { exitCode, timedOut, stderr } = await execa(process.execPath, args, options);
      const found = timedOut ? ['it hangs'] : await checkIntegrity(server);
      if (fault.thread === 'main' && fault.action === 'kill' && fault.call !== 'thread.start' && !/ ended: it was killed/.test(stderr))
        found.push('it was not killed');
      if (exitCode === 0 && server.records().length !== UNITS.length) found.push(`exit 0 and ${server.records().length} snapshots`);
      const next = await runOf(server, 'auto');
      if (next.exitCode !== 0) found.push(`the next run ended with ${next.exitCode}`);
      found.push(...(await checkRepository(world, server, () => 'now')));
      wrong.push(...found.map((text) => `${faultText(fault)}, exit ${exitCode}: ${text}`));
      server.remove();
    }
    expect(wrong).to.deep.equal([]);
  });
});

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import type { FleetStatusResult } from '../../core/schemas/fleet.ts';
import { type Ended, runProgram } from '../program.ts';
import { NetworkHost } from './network-host.ts';

/** What a place in a store is for a machine that reaches the store at this address. */
type PlaceAt = (address: string, port: number) => Readonly<Record<string, unknown>>;

/** One host and what is backed up there. */
interface Host {
  readonly host: NetworkHost;
  readonly folder: string;
  readonly run: (...args: string[]) => Promise<string>;
  /** As `run`, however it ends. */
  readonly look: (...args: string[]) => Promise<Ended>;
}

async function startHost(number: number, port: number, place: PlaceAt): Promise<Host> {
  const host = await NetworkHost.start(number);
  const folder = mkdtempSync(join(tmpdir(), 'host-'));
  const settings = {
    ...{ stateDirectory: join(folder, 'state'), accountsRoot: join(folder, 'virtual'), systemRoot: join(folder, 'system') },
    ...{ databases: { method: 'none' } },
    ...place(host.address, (await host.offer(port)).port),
  };
  mkdirSync(join(folder, 'system'));
  for (const site of ['site1', 'site2']) {
    mkdirSync(join(folder, 'virtual', site, 'shadow/var'), { recursive: true });
    mkdirSync(join(folder, 'virtual', site, 'info/current'), { recursive: true });
    for (let file = 0; file < 50; file++)
      writeFileSync(join(folder, 'virtual', site, `shadow/var/file-${file}`), `${number} ${site} ${file}`);
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(settings), { mode: 0o600 });
  const look = (...args: string[]): Promise<Ended> => host.runProgram('--config', join(folder, 'config.json'), ...args);
  const run = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await look(...args);
    expect(exitCode, `${args.join(' ')}: ${stderr}`).to.equal(0);
    return stdout;
  };
  return { host, folder, run, look };
}

/** Two machines write into one bucket at once, with no lock between them, over lines that are slow and break; a third one looks at both. */
export function twoHostsInStore(title: string, store: () => Promise<{ readonly port: number; readonly place: PlaceAt }>): void {
  it(`two hosts back up into one bucket of ${title} at once, and a third machine sees both`, async () => {
    const { port, place } = await store();
    const hosts: Host[] = [];
    try {
      for (const number of [0, 1]) hosts.push(await startHost(number, port, place));
      const [first, second] = hosts as [Host, Host];
      const both = <T>(action: (host: Host) => Promise<T>): Promise<T[]> => Promise.all(hosts.map(action));
      await both(({ host }) => host.shape());
      await both(({ run }) => run('init'));
      const watcher = join(first.folder, 'watcher.json');
      const { repository, s3 } = place('127.0.0.1', port) as { repository: string; s3: object };
      writeFileSync(watcher, JSON.stringify({ stateDirectory: join(first.folder, 'none'), s3 }), { mode: 0o600 });
      const fleet = async (...options: string[]): Promise<FleetStatusResult> => {
        const asked = ['--config', watcher, '--json', 'fleet', 'status', '--repository', repository, ...options];
        return JSON.parse((await runProgram(asked)).stdout) as FleetStatusResult;
      };
      const cut = (async () => {
        await first.host.cut(true);
        await new Promise((resolve) => setTimeout(resolve, 700));
        await first.host.cut(false);
      })();
      // The third one looks again and again while they write, and finds nothing damaged.
      let isWriting = true;
      const watching = (async () => {
        for (; isWriting; await new Promise((resolve) => setTimeout(resolve, 300)))
          for (const { name, status, problems, error } of (await fleet()).servers)
            expect(status, `${name}: ${JSON.stringify([problems, error])}`).to.be.oneOf(['ok', 'partial']);
      })();
      await both(({ run }) => run('run')).finally(() => {
        isWriting = false;
      });
      await Promise.all([cut, watching]);
      writeFileSync(join(second.folder, 'virtual/site1/shadow/var/later'), 'later');
      // One of them prunes while the other one writes.
      await Promise.all([first.run('prune'), second.run('run', 'site1')]);
      const { servers } = await fleet('--sizes');
      const asExpected = [
        ['host-0.test', 3, 'ok'],
        ['host-1.test', 3, 'ok'],
      ];
      expect(servers.map(({ name, units, status }) => [name, units, status])).to.deep.equal(asExpected);
      // One of them loses its power in mid-run: it goes on, and until then its last run counts.
      writeFileSync(join(second.folder, 'virtual/site2/shadow/var/big'), randomBytes(20_000_000));
      const [ended] = await Promise.all([
        second.look('run'),
        new Promise((resolve) => setTimeout(resolve, 1200)).then(() => second.host.killAll()),
      ]);
      expect(ended.exitCode).to.not.equal(0);
      const after = await fleet('--sizes');
      expect(after.servers.map(({ name, units, status }) => [name, units, status])).to.deep.equal(asExpected);
      await second.run('run');
      await both(async ({ run, folder }) => {
        await run('verify');
        await run('restore', 'site1', '--to', join(folder, 'all'));
        await execa('diff', ['-r', join(folder, 'virtual/site1/shadow'), join(folder, 'all/shadow')]);
      });
    } finally {
      for (const { host, folder } of hosts) {
        await host.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    }
  });
}

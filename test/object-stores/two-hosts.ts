import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import type { FleetStatusResult } from '../../core/schemas/fleet.ts';
import { runProgram } from '../program.ts';
import { NetworkHost } from './network-host.ts';

/** What a place in a store is for a machine that reaches the store at this address. */
type PlaceAt = (address: string, port: number) => Readonly<Record<string, unknown>>;

/** One host and what is backed up there. */
interface Host {
  readonly host: NetworkHost;
  readonly folder: string;
  readonly run: (...args: string[]) => Promise<string>;
}

async function startHost(number: number, port: number, place: PlaceAt): Promise<Host> {
  const host = await NetworkHost.start(number);
  const folder = mkdtempSync(join(tmpdir(), 'host-'));
  const settings = {
    ...{ stateDirectory: join(folder, 'state'), accountsRoot: join(folder, 'virtual'), systemRoot: join(folder, 'system') },
    ...{ databases: { method: 'none' } },
    ...place(host.address, await host.offer(port)),
  };
  mkdirSync(join(folder, 'system'));
  for (const site of ['site1', 'site2']) {
    mkdirSync(join(folder, 'virtual', site, 'shadow/var'), { recursive: true });
    mkdirSync(join(folder, 'virtual', site, 'info/current'), { recursive: true });
    for (let file = 0; file < 50; file++)
      writeFileSync(join(folder, 'virtual', site, `shadow/var/file-${file}`), `${number} ${site} ${file}`);
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(settings), { mode: 0o600 });
  const run = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, exitCode } = await host.runProgram('--config', join(folder, 'config.json'), ...args);
    expect(exitCode, `${args.join(' ')}: ${stderr}`).to.equal(0);
    return stdout;
  };
  return { host, folder, run };
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
      const cut = (async () => {
        await first.host.cut(true);
        await new Promise((resolve) => setTimeout(resolve, 700));
        await first.host.cut(false);
      })();
      await both(({ run }) => run('run'));
      await cut;
      writeFileSync(join(second.folder, 'virtual/site1/shadow/var/later'), 'later');
      // One of them prunes while the other one writes.
      await Promise.all([first.run('prune'), second.run('run', 'site1')]);
      const watcher = join(first.folder, 'watcher.json');
      const { repository, s3 } = place('127.0.0.1', port) as { repository: string; s3: object };
      writeFileSync(watcher, JSON.stringify({ stateDirectory: join(first.folder, 'none'), s3 }), { mode: 0o600 });
      const asked = ['--config', watcher, '--json', 'fleet', 'status', '--repository', repository, '--sizes'];
      const { stdout, stderr, exitCode } = await runProgram(asked);
      expect(exitCode, stderr + stdout).to.equal(0);
      const { servers } = JSON.parse(stdout) as FleetStatusResult;
      expect(servers.map(({ name, units, status }) => [name, units, status])).to.deep.equal([
        ['host-0.test', 3, 'ok'],
        ['host-1.test', 3, 'ok'],
      ]);
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

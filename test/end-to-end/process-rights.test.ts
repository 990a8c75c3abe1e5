import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import { NEEDED_CAPABILITIES } from '../../core/linux/process-rights.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';
import { childrenOf } from '../processes.ts';
import { MAIN } from '../program.ts';

const PLACES = { repository: 'repository', stateDirectory: 'state', accountsRoot: 'accounts', systemRoot: 'system' };

describe('the rights of the process', function () {
  this.timeout(120_000);
  let folder: string;
  let site: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rights-'));
    site = join(folder, 'accounts/site1');
    for (const name of ['shadow/var', 'info']) mkdirSync(join(site, name), { recursive: true });
  });
  afterEach(async () => {
    await execa('chattr', ['-R', '-i', folder], { reject: false });
    rmSync(folder, { recursive: true });
  });

  function program(limits: object, ...args: string[]) {
    const settings = join(folder, 'config.json');
    const paths = Object.fromEntries(Object.entries(PLACES).map(([name, place]) => [name, join(folder, place)]));
    writeFileSync(settings, JSON.stringify({ ...paths, limits: { workers: 2, ...limits } }), { mode: 0o600 });
    return execa(process.execPath, [MAIN, '--config', settings, ...args], { reject: false, forceKillAfterDelay: false });
  }

  const statusOf = (path: string): Record<string, string> =>
    Object.fromEntries(
      readFileSync(path, 'utf8')
        .split('\n')
        .map((line) => line.split(/:\s*/, 2) as [string, string]),
    );
  const capabilitiesIn = (mask: string): number[] => {
    const bits = BigInt(`0x${mask}`);
    return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => ((bits >> BigInt(bit)) & 1n) === 1n);
  };

  it('while it works are those that it needs, and nobody may look into it', async () => {
    for (let file = 0; file < 20; file++) writeFileSync(join(site, `shadow/var/${file}`), randomBytes(1024 * 1024));
    await program({}, 'init');
    const run = program({ readRate: '1 MiB/s' }, 'run', 'site1');
    const lines = createInterface(run.stderr!)[Symbol.asyncIterator]();
    await lines.next();
    try {
      // What talks to whoever asked has given up as much, and has the process that works as its only child.
      const [working, ...others] = childrenOf(run.pid);
      expect(others).to.deep.equal([]);
      expect(statusOf(`/proc/${run.pid}/status`)).to.include({ NoNewPrivs: '1', Umask: '0077' });
      const proc = `/proc/${working}`;
      const status = statusOf(`${proc}/status`);
      const needed: number[] = Object.values(NEEDED_CAPABILITIES);
      for (const set of ['CapEff', 'CapPrm', 'CapBnd']) expect(needed, set).to.include.members(capabilitiesIn(status[set]!));
      expect(capabilitiesIn(status.CapEff!), 'what a backup cannot do without').to.include(NEEDED_CAPABILITIES.DAC_READ_SEARCH);
      expect(capabilitiesIn(status.CapInh!)).to.deep.equal([]);
      expect(status).to.include({ NoNewPrivs: '1', Umask: '0077' });
      expect(readFileSync(`${proc}/limits`, 'utf8')).to.match(/Max core file size +0 +0 /);
      // The threads that read accounts were started by the first one, and have no more than it.
      const limited = () => readdirSync(`${proc}/task`).filter((task) => statusOf(`${proc}/task/${task}/status`).CapBnd === status.CapBnd);
      while (limited().length < 3) await sleep(20);
      for (const task of readdirSync(`${proc}/task`)) expect(readFileSync(`${proc}/task/${task}/children`, 'utf8')).to.equal('');
      const files = readdirSync(`${proc}/fd`).map((descriptor) => readlinkSync(`${proc}/fd/${descriptor}`));
      expect(files.filter((file) => file.startsWith('socket:') && !file.includes('pipe')).length).to.be.below(4);
    } finally {
      run.kill('SIGTERM');
      await run;
    }
  });

  it('are enough for owners, devices, capabilities, attributes of root and protection, and for an account made anew', async () => {
    const at = (name: string) => join(site, 'shadow/var', name);
    for (const name of ['owned', 'capable', 'setuid', 'trusted', 'protected']) writeFileSync(at(name), name);
    await execa('chown', ['2001:2000', at('owned')]);
    await execa('setcap', ['cap_net_bind_service=ep', at('capable')]);
    chmodSync(at('setuid'), 0o4755);
    await execa('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', at('trusted')]);
    await execa('mknod', [at('whiteout'), 'c', '0', '0']);
    await execa('chattr', ['+i', at('protected')]);
    await program({}, 'init');
    expect((await program({}, 'run', 'site1')).exitCode).to.equal(0);
    const to = join(folder, 'out');
    const restored = await program({}, 'restore', 'site1', '--to', to);
    expect(restored.exitCode, restored.stdout + restored.stderr).to.equal(0);
    expect(await compareTrees(join(site, 'shadow'), join(to, 'shadow'))).to.deep.equal([]);
    expect((await execa('lsattr', [join(to, 'shadow/var/protected')])).stdout).to.match(/^-+i/);
    await execa('chattr', ['-i', at('protected')]);
    rmSync(site, { recursive: true });
    expect((await program({}, 'restore', 'site1', '--recreate')).exitCode).to.equal(0);
    expect(statSync(site).mode & 0o7777).to.equal(0o755);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import type { StartResult } from '../../core/schemas/jobs.ts';
import { childrenOf } from '../processes.ts';
import { jsonLines, MAIN } from '../program.ts';
import { JobServer } from './server.ts';

/** A systemd in namespaces of its own, which has nothing to start but what it is asked for. */
const BOOT = `
mount --make-rprivate / && mount -t tmpfs tmpfs /run && mount -t cgroup2 none /sys/fs/cgroup || exit 77
mkdir -p /run/systemd/system
for unit in sysinit basic shutdown quiet; do printf '[Unit]\\nDefaultDependencies=no\\n' > /run/systemd/system/$unit.target; done
exec env container=other SYSTEMD_UNIT_PATH=/run/systemd/transient:/run/systemd/system \\
  /lib/systemd/systemd --system --unit=quiet.target --log-target=console --show-status=no
`;

describe('a job where systemd runs', function () {
  this.timeout(60_000);
  let server: JobServer;
  let machine: ChildProcess;
  let inside: string[];

  before(async function () {
    server = new JobServer();
    await server.program(['init']);
    const script = join(server.folder, 'boot');
    writeFileSync(script, BOOT);
    machine = spawn('unshare', ['-pfmC', '--mount-proc', '--propagation', 'private', 'sh', script], { stdio: 'ignore', detached: true });
    for (;;) {
      if (machine.exitCode !== null) this.skip();
      const [first] = childrenOf(machine.pid);
      inside = ['-t', String(first), '-m', '-p', '-C'];
      const started =
        first === undefined
          ? undefined
          : await execa('nsenter', [...inside, 'systemctl', 'start', 'sysinit.target', 'basic.target'], { reject: false });
      if (started?.exitCode === 0) return;
      await pause(50);
    }
  });
  after(() => {
    for (const pid of machine.exitCode === null ? childrenOf(machine.pid) : []) process.kill(pid, 'SIGKILL');
    server.remove();
  });

  const within = (...words: string[]) => execa('nsenter', [...inside, ...words], { reject: false, stripFinalNewline: false });
  const start = async (...words: string[]): Promise<StartResult> => {
    const { stdout } = await within(process.execPath, MAIN, '--config', server.settingsFile, '--json', ...words, '--background');
    return jsonLines(stdout)[0] as unknown as StartResult;
  };

  it('is a unit of its own, with its limits, and stops at a safe point when that is stopped', async () => {
    server.makeSlow();
    const { job, place } = await start('run', 'site1');
    expect(place).to.equal('unit');
    await server.until(job, ({ progress }) => progress !== null);
    const unit = `apiscp-backup-job-${job.toLowerCase()}.service`;
    const names = ['ActiveState', 'ControlGroup', 'Nice', 'IOWeight', 'LimitFSIZE', 'OOMScoreAdjust', 'OOMPolicy', 'KillMode'];
    const { stdout } = await within('systemctl', 'show', unit, '-p', names.join());
    expect(stdout.trim().split('\n')).to.have.members([
      ...['ActiveState=active', `ControlGroup=/system.slice/${unit}`, 'Nice=10', 'IOWeight=20', 'LimitFSIZE=infinity', 'OOMScoreAdjust=0'],
      ...['OOMPolicy=continue', 'KillMode=mixed'],
    ]);
    expect((await within('systemctl', 'stop', unit)).exitCode).to.equal(0);
    expect(await server.until(job, ({ ended }) => ended !== null)).to.include({ state: 'cancelled' });
    server.limit();
    const next = await start('run', 'site2');
    expect(await server.until(next.job, ({ ended }) => ended !== null)).to.include({ state: 'ok' });
  });
});
